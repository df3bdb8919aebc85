//! Streams of Opus packets: the segments of the library for the audio that libopus makes of them.

use opus::{Application, Bitrate, Channels, Decoder, Encoder};
use serde_json::json;
use tungstenite::Error;
use voiceflow::Call;

use crate::streams::{Client, as_i16, expected_of, samples};
use crate::support::Server;

const RATE: u32 = 16_000;
/// Samples in a packet of 20 ms.
const PACKET: usize = 320;
const OPUS: &str = "encoding=opus";

/// The recording as packets of 24 kbit/s.
fn packets() -> Vec<Vec<u8>> {
    let mut encoder = Encoder::new(RATE, Channels::Mono, Application::Voip).unwrap();
    encoder.set_bitrate(Bitrate::Bits(24_000)).unwrap();
    let samples = as_i16(&samples());
    samples.as_chunks::<PACKET>().0.iter().map(|piece| encoder.encode_vec(piece, 1275).unwrap()).collect()
}

/// What libopus makes of the packets; an empty one is lost.
fn decoded(packets: &[Vec<u8>]) -> Vec<f32> {
    let mut decoder = Decoder::new(RATE, Channels::Mono).unwrap();
    let mut all = Vec::new();
    for packet in packets {
        let mut samples = [0.0; PACKET];
        assert_eq!(decoder.decode_float(packet, &mut samples, false).unwrap(), PACKET);
        all.extend(samples);
    }
    all
}

#[test]
fn segments_are_those_of_the_decoded_audio() {
    let server = Server::start(&["live.capacity=2"]);
    let mut packets = packets();
    let bytes: usize = packets.iter().map(Vec::len).sum();
    assert!(bytes < packets.len() * PACKET * 2 / 10, "{bytes} bytes");
    for lossy in [false, true] {
        // One in twenty is lost, and says so by an empty message.
        if lossy {
            packets.iter_mut().skip(7).step_by(20).for_each(Vec::clear);
        }
        let expected = expected_of(1.0, |stream| stream.push_f32(&decoded(&packets), &Call::none()));
        assert!(expected.len() > 5);
        let mut client = Client::open(&server, OPUS);
        if lossy {
            // After a reset the decoder is as new.
            packets[..50].iter().for_each(|packet| client.send(packet));
            client.say(json!({"type": "session.reset"}));
        }
        packets.iter().for_each(|packet| client.send(packet));
        client.say(json!({"type": "audio.end"}));
        client.read_all();
        assert_eq!(client.segments(), expected, "lossy: {lossy}");
    }
}

#[test]
fn what_is_no_packet_ends_its_stream_by_name() {
    let server = Server::start(&["live.capacity=4"]);
    let refused = |query: &str| match Client::try_open(&server, query, None) {
        Err(Error::Http(response)) => String::from_utf8(response.body().clone().unwrap()).unwrap(),
        _ => panic!("{query}: taken"),
    };
    let rate = refused("encoding=opus&sample_rate=44100");
    assert!(rate.contains("sample_rate: expected one of 8000, 12000, 16000, 24000, 48000"), "{rate}");
    let channels = refused("encoding=opus&channels=3");
    assert!(channels.contains("channels: expected 1 or 2 with opus, got 3"), "{channels}");

    // A packet that is broken, and samples.
    for message in [vec![0xff; 3], vec![0xff; 65_000]] {
        let mut client = Client::open(&server, OPUS);
        client.send(&message);
        client.read_all();
        let error = client.of_type("error")[0]["error"]["message"].as_str().unwrap().to_owned();
        assert!(error.starts_with("audio: expected a packet of Opus, got "), "{error}");
        assert_eq!(client.code(), 1007);
    }

    // A byte is up to 60 ms of audio: minutes of them wait for their turns outside of the memory.
    let mut client = Client::open(&server, OPUS);
    let before = server.metric("process_resident_memory_bytes");
    for _ in 0..10_000 {
        client.send(&[0x18]);
    }
    client.say(json!({"type": "audio.end"}));
    client.read_all();
    let duration = client.of_type("diarization.done")[0]["duration"].as_f64().unwrap();
    assert!((599.0..=600.0).contains(&duration), "{duration}");
    let grown = server.metric("process_resident_memory_bytes") - before;
    assert!(grown < 60e6, "{grown} bytes more for ten minutes of silence");
}
