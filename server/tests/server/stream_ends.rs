//! The ways in which live streams end that no message asks for.

use std::time::{Duration, Instant};

use serde_json::json;
use tungstenite::Message;

use crate::streams::{Client, as_i16, bytes_of, expected_segments, samples};
use crate::support::Server;

#[test]
fn silent_clients_are_closed() {
    let server = Server::start(&["live.capacity=4", "live.first_message_s=0.5"]);
    let began = Instant::now();
    let mut client = Client::open(&server, "");
    client.read_all();
    assert_eq!((client.code(), client.reason()), (1008, "idle"));
    assert!(began.elapsed() >= Duration::from_millis(500));
    let server = Server::start(&["live.capacity=4", "live.idle_s=1.5"]);
    let mut client = Client::open(&server, "");
    let began = Instant::now();
    client.send(&[0; 320]);
    client.read_all();
    assert_eq!(client.reason(), "idle");
    assert!(began.elapsed() >= Duration::from_millis(1400), "{:?}", began.elapsed());
}

/// Waits until a stream has ended in this way.
fn wait_for_end(server: &Server, outcome: &str) {
    server.wait_for_metric(&format!("voiceflow_streams_total{{outcome=\"{outcome}\"}}"), 1.0);
    server.wait_for_metric("voiceflow_streams_active", 0.0);
}

#[test]
fn a_client_that_does_not_answer_is_given_up() {
    let server = Server::start(&["live.capacity=2", "live.ping_s=0.3", "live.pong_s=7", "live.idle_s=14"]);
    let mut clients = [Client::open(&server, ""), Client::open(&server, "")];
    for client in &mut clients {
        client.send(&[0; 320]);
    }
    // Pings are answered while messages are read, and one of the two reads none.
    let [_silent, reads] = &mut clients;
    reads.read_all();
    assert_eq!(reads.reason(), "idle");
    wait_for_end(&server, "gone");
}

#[test]
fn a_client_that_does_not_read_is_cut() {
    let server = Server::start(&["live.capacity=1"]);
    let mut client = Client::open(&server, "");
    // The answers fill the buffers of the sockets, then nothing is read of the client either.
    let large = json!({"type": "ping", "t": "x".repeat(60_000)}).to_string();
    while client.socket.send(Message::text(large.clone())).is_ok() {}
    wait_for_end(&server, "slow_consumer");
    assert!(Client::try_open(&server, "", None).is_ok());
}

#[test]
fn streams_have_a_longest_duration() {
    let server = Server::start(&["live.capacity=1", "live.longest_s=1"]);
    let mut client = Client::open(&server, "");
    client.send(&[0; 320]);
    client.read_all();
    assert_eq!((client.code(), client.reason()), (1008, "too_long"));
}

#[test]
fn a_drain_ends_streams_with_all_their_segments() {
    let mut server = Server::start(&["live.capacity=4", "drain.delay_s=0", "drain.length_s=30"]);
    let samples = as_i16(&samples());
    let (bytes, expected) = (bytes_of(&samples), expected_segments(&samples, 1.0));
    let mut clients: Vec<_> = ["", "result=true"].iter().map(|query| Client::open(&server, query)).collect();
    for client in &mut clients {
        client.send_all(&bytes, &[12_800]);
        // What is still on its way when the stream is ended is not taken any more.
        client.read_until(samples.len() as f64 / 16_000.0 - 0.01);
    }
    server.signal("-TERM");
    for client in &mut clients {
        client.read_all();
        assert_eq!(client.of_type("session.going_away")[0]["within"], 30.0);
        assert_eq!(client.segments(), expected);
        assert_eq!((client.code(), client.reason()), (1012, "drained"));
    }
    assert_eq!(clients[1].of_type("diarization.done")[0]["result"]["num_speakers"], 3);
    assert_eq!(server.ended(), 0);
}

#[test]
fn a_stream_that_was_ended_is_not_begun_anew() {
    let server = Server::start(&["live.capacity=1", "live.longest_s=20"]);
    let bytes = bytes_of(&as_i16(&samples())[..32_000]);
    let mut client = Client::open(&server, "");
    for piece in bytes.chunks(16_000) {
        client.send(piece);
    }
    client.say(json!({"type": "audio.end"}));
    client.say(json!({"type": "session.reset"}));
    client.read_all();
    // The end may have come before the reset was read.
    assert!(["refused", "done"].contains(&client.reason()), "{}", client.reason());
}

#[test]
fn audio_after_the_end_that_a_drain_brings_is_left_out() {
    let mut server = Server::start(&["live.capacity=1", "drain.delay_s=0", "drain.length_s=30"]);
    let mut client = Client::open(&server, "");
    client.send(&[0; 3200]);
    server.signal("-TERM");
    // As one that has not read yet that the server goes away.
    let mut open = true;
    while open {
        let _ = client.socket.send(Message::binary(vec![0; 3200]));
        let _ = client.socket.send(Message::text(json!({"type": "ping", "t": 0}).to_string()));
        // The close comes before the answer, or the answer does.
        open = loop {
            match client.next() {
                Some(message) if message["type"] == "pong" => break true,
                Some(_) => {}
                None => break false,
            }
        };
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!((client.code(), client.reason()), (1012, "drained"));
    assert_eq!(server.ended(), 0);
}
