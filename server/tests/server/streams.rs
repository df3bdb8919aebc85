//! Live streams: the segments of the library for every way of cutting and writing the samples, and
//! what is refused.

use std::net::TcpStream;
use std::thread::scope;

use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::CloseFrame;
use tungstenite::{Error, Message, WebSocket};
use voiceflow::audio::{AudioSource, FileSource};
use voiceflow::{Call, Config, Diarizer, Stream};

use crate::support::{CONVERSATION, Server, expected, root, runtime_library, wait_until};

/// The samples of the recording, at 16 kHz.
pub fn samples() -> Vec<f32> {
    let mut source = FileSource::open(root().join(CONVERSATION)).unwrap();
    let mut samples = Vec::new();
    while source.read(&mut samples).unwrap() > 0 {}
    samples
}

/// The same at 16 bits.
pub fn as_i16(samples: &[f32]) -> Vec<i16> {
    samples.iter().map(|sample| (sample * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16).collect()
}

pub fn bytes_of(samples: &[i16]) -> Vec<u8> {
    samples.iter().flat_map(|sample| sample.to_le_bytes()).collect()
}

/// What `voiceflow stream` prints of final segments for these samples.
pub fn expected_segments(samples: &[i16], latency_s: f64) -> Vec<Value> {
    expected_of(latency_s, |stream| stream.push_i16(samples, &Call::none()))
}

/// The same for what `push` gives the stream.
pub fn expected_of(latency_s: f64, push: impl FnOnce(&Stream) -> voiceflow::Result<()>) -> Vec<Value> {
    let mut config = Config::default();
    config.set_runtime_library(runtime_library());
    config.set_latency(latency_s).unwrap();
    let stream = Stream::new(&Diarizer::new(&config).unwrap(), &config, 16_000, 1).unwrap();
    push(&stream).unwrap();
    stream.finish(&Call::none()).unwrap();
    let rounded = |seconds: f64| (seconds * 1e3).round() / 1e3;
    let segments = stream.read(usize::MAX);
    let segment = |live: &voiceflow::LiveSegment| {
        // By its digits: as an f64 it would have others.
        let confidence = ((live.segment.confidence * 1e4).round() / 1e4).to_string();
        let confidence: Value = serde_json::from_str(&confidence).unwrap();
        json!({"start": rounded(live.segment.start_s), "end": rounded(live.segment.end_s),
               "speaker": format!("SPEAKER_{:02}", live.segment.speaker), "confidence": confidence})
    };
    segments.iter().filter(|live| live.is_final).map(segment).collect()
}

/// A client of one stream.
pub struct Client {
    pub socket: WebSocket<TcpStream>,
    /// All that came, but provisional segments and times.
    pub told: Vec<Value>,
    provisional: usize,
    pub closed: Option<CloseFrame>,
}

impl Client {
    /// Opens a stream and reads the first message. Where no place is free, one is waited for: that
    /// of a client that has gone is given back a moment later.
    pub fn open(server: &Server, query: &str) -> Self {
        let mut opened = None;
        wait_until("a place for the stream is free", || {
            opened = match Self::try_open(server, query, None) {
                Ok(client) => Some(client),
                Err(Error::Http(response)) if response.status() == 503 => None,
                Err(error) => panic!("{error}"),
            };
            opened.is_some()
        });
        opened.unwrap()
    }

    pub fn try_open(server: &Server, query: &str, origin: Option<&str>) -> Result<Self, Error> {
        let headers: Vec<(&'static str, &str)> =
            origin.map(|origin| ("origin", origin)).into_iter().collect();
        Self::try_open_with(server, query, &headers)
    }

    /// Opens a stream with these headers, and reads the first message.
    pub fn try_open_with(
        server: &Server,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Error> {
        let url = format!("ws://{}/v1/audio/diarizations/stream?{query}", server.address);
        let mut request = url.into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let handshake = tungstenite::client(request, server.connect());
        let (socket, _) = handshake.map_err(|error| match error {
            tungstenite::HandshakeError::Failure(error) => error,
            tungstenite::HandshakeError::Interrupted(_) => panic!("a blocking socket"),
        })?;
        let mut client = Self { socket, told: Vec::new(), provisional: 0, closed: None };
        let ready = client.next().unwrap();
        assert_eq!(ready["type"], "session.ready");
        Ok(client)
    }

    /// The next message; none after the closing one.
    pub fn next(&mut self) -> Option<Value> {
        loop {
            match self.socket.read() {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(frame)) => self.closed = frame,
                Ok(_) => {}
                Err(_) => return None,
            }
        }
    }

    pub fn say(&mut self, message: Value) {
        self.socket.send(Message::text(message.to_string())).unwrap();
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.socket.send(Message::binary(bytes.to_vec())).unwrap();
    }

    /// Sends `bytes` in pieces whose sizes take turns, and what has come meanwhile stays where it
    /// is.
    pub fn send_all(&mut self, mut bytes: &[u8], sizes: &[usize]) {
        for size in sizes.iter().cycle() {
            let (piece, rest) = bytes.split_at((*size).min(bytes.len()));
            self.send(piece);
            bytes = rest;
            if bytes.is_empty() {
                return;
            }
        }
    }

    /// Reads to the end.
    pub fn read_all(&mut self) {
        self.read_until(f64::MAX);
    }

    /// Reads until so many seconds are processed, or to the end.
    pub fn read_until(&mut self, processed_s: f64) {
        while let Some(message) = self.next() {
            match message["type"].as_str().unwrap() {
                "diarization.provisional" => self.provisional += 1,
                "audio.ack" if message["processed_until"].as_f64().unwrap() >= processed_s => return,
                "audio.ack" => {}
                _ => self.told.push(message),
            }
        }
    }

    /// The code of the closing frame.
    pub fn code(&self) -> u16 {
        self.closed.as_ref().map_or(0, |frame| frame.code.into())
    }

    /// The reason of the closing frame.
    pub fn reason(&self) -> &str {
        self.closed.as_ref().map_or("", |frame| frame.reason.as_str())
    }

    pub fn of_type(&self, name: &str) -> Vec<&Value> {
        self.told.iter().filter(|message| message["type"] == name).collect()
    }

    /// The final segments.
    pub fn segments(&self) -> Vec<Value> {
        let updates = self.of_type("diarization.update");
        updates.iter().flat_map(|message| message["segments"].as_array().unwrap().clone()).collect()
    }
}

#[test]
fn segments_are_those_of_the_library_for_every_way_of_cutting_the_samples() {
    let server = Server::start(&["live.capacity=8"]);
    let samples = as_i16(&samples());
    let (bytes, expected) = (bytes_of(&samples), expected_segments(&samples, 1.0));
    assert!(expected.len() > 5);
    let cuts: [&[usize]; 4] = [&[3200], &[32_000], &[2, 640, 12_346], &[7_000, 20_000]];
    // At once: who else is served changes nothing.
    scope(|scope| {
        for cut in cuts {
            let (server, bytes, expected) = (&server, &bytes, &expected);
            scope.spawn(move || {
                let mut client = Client::open(server, "");
                client.send_all(bytes, cut);
                client.say(json!({"type": "audio.end"}));
                client.read_all();
                assert_eq!(&client.segments(), expected, "{cut:?}");
                assert!(client.provisional > 3, "{cut:?}");
                let done = client.of_type("diarization.done");
                assert_eq!((done.len(), &done[0]["result"]), (1, &Value::Null));
                assert_eq!((client.code(), client.reason()), (1000, "done"));
            });
        }
    });
    server.wait_for_metric("voiceflow_streams_total{outcome=\"done\"}", 4.0);
    server.wait_for_metric("voiceflow_streams_active", 0.0);
    assert!(server.metric("voiceflow_stream_response_seconds_count{arm=\"stable\"}") > 100.0);
}

#[test]
fn the_result_at_the_end_is_that_of_the_recording() {
    let server = Server::start(&["live.capacity=2"]);
    let samples = samples();
    let mut client = Client::open(&server, "result=true&encoding=f32le");
    let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    client.send_all(&bytes, &[12_800]);
    client.say(json!({"type": "audio.end"}));
    client.read_all();
    let done = client.of_type("diarization.done")[0].clone();
    let (result, expected) = (&done["result"], expected());
    assert_eq!((&result["task"], result["num_speakers"].as_u64()), (&json!("diarize"), Some(3)));
    assert_eq!(result["segments"].as_array().unwrap().len(), expected.segments.len());
    for (segment, ours) in result["segments"].as_array().unwrap().iter().zip(&expected.segments) {
        assert_eq!(segment["speaker"].as_str().unwrap(), expected.speakers[ours.speaker].label);
        assert!((segment["start"].as_f64().unwrap() - ours.start_s).abs() < 0.0006);
        assert!((segment["end"].as_f64().unwrap() - ours.end_s).abs() < 0.0006);
    }
    let revision = client.of_type("diarization.revision")[0];
    assert_eq!(revision["map"]["SPEAKER_00"], "SPEAKER_00");
}

#[test]
fn settings_come_first_and_hold() {
    let server = Server::start(&["live.capacity=2"]);
    let samples = as_i16(&samples());
    let mut client = Client::open(&server, "latency=1.0");
    client.say(json!({"type": "session.update", "latency": 2.0, "encoding": "s16le", "key": "call-4711"}));
    let updated = client.next().unwrap();
    assert_eq!((&updated["type"], updated["latency"].as_f64()), (&json!("session.updated"), Some(2.0)));
    client.say(json!({"type": "ping", "t": [1, "x"]}));
    assert_eq!(client.next().unwrap(), json!({"type": "pong", "t": [1, "x"]}));
    client.send_all(&bytes_of(&samples), &[9600]);
    client.say(json!({"type": "audio.end"}));
    client.read_all();
    assert_eq!(client.segments(), expected_segments(&samples, 2.0));

    // After a reset the stream is as new.
    let mut client = Client::open(&server, "");
    client.send_all(&bytes_of(&samples[..80_000]), &[9600]);
    client.say(json!({"type": "session.reset"}));
    while client.next().unwrap()["type"] != "session.reset" {}
    client.send_all(&bytes_of(&samples), &[9600]);
    client.say(json!({"type": "audio.end"}));
    client.read_all();
    assert_eq!(client.segments(), expected_segments(&samples, 1.0));
}

#[test]
fn telephone_audio_is_taken() {
    let server = Server::start(&["live.capacity=2"]);
    let silence = |encoding: &str, byte: u8| {
        let mut client = Client::open(&server, &format!("encoding={encoding}&sample_rate=8000&channels=2"));
        client.send_all(&vec![byte; 8 * 16_000], &[3200]);
        client.say(json!({"type": "audio.end"}));
        client.read_all();
        assert_eq!((client.segments().len(), client.code()), (0, 1000));
        client.of_type("diarization.done")[0]["duration"].as_f64().unwrap()
    };
    for (encoding, byte) in [("mulaw", 0xff), ("alaw", 0xd5)] {
        let duration = silence(encoding, byte);
        // Less what the resampler holds back.
        assert!((7.9..=8.0).contains(&duration), "{encoding}: {duration}");
    }
}

#[test]
fn what_cannot_be_served_is_refused_by_name() {
    let server = Server::start(&["live.capacity=1"]);
    let refused = |query: &str| match Client::try_open(&server, query, None) {
        Err(Error::Http(response)) => {
            let body: Value = serde_json::from_slice(response.body().as_ref().unwrap()).unwrap();
            (response.status().as_u16(), body["error"]["message"].as_str().unwrap().to_owned())
        }
        _ => panic!("{query}: taken"),
    };
    assert_eq!(refused("latency=0.4"), (400, "latency: expected 0.5 to 5, got 0.4".to_owned()));
    assert_eq!(refused("channels=33"), (400, "channels: expected 1 to 32, got 33".to_owned()));
    assert_eq!(
        refused("encoding=mp3").1,
        "encoding: expected one of s16le, f32le, mulaw, alaw, opus, got \"mp3\""
    );
    assert_eq!(
        (refused("model=whisper").0, refused("sample_rate=fast").0, refused("gallery=x").0),
        (404, 400, 404)
    );
    assert_eq!(server.get("/v1/audio/diarizations/stream").error().0, 400);
    let other = Client::try_open(&server, "", Some("https://evil.example"));
    assert!(matches!(other, Err(Error::Http(response)) if response.status() == 403));
    let own = format!("http://{}", server.address);
    assert!(Client::try_open(&server, "", Some(&own)).is_ok());

    // Each ends its stream with a word about why, and the next one is served.
    let said = |act: &dyn Fn(&mut Client)| {
        let mut client = Client::open(&server, "");
        act(&mut client);
        client.read_all();
        let error = client.of_type("error")[0]["error"]["message"].as_str().unwrap().to_owned();
        (client.code(), error)
    };
    let odd = said(&|client| client.send(&[0; 3]));
    assert_eq!(
        odd,
        (1007, "audio: expected whole frames of 2 bytes (s16le, 1 channels), got 3 bytes".to_owned())
    );
    let long = said(&|client| client.send(&vec![0; 32_002]));
    assert!(long.1.starts_with("audio: expected at most 1 s in a message"), "{long:?}");
    let nan = said(&|client| {
        client.say(json!({"type": "session.update", "encoding": "f32le"}));
        client.send(&f32::NAN.to_le_bytes());
    });
    assert!(nan.0 == 1007 && nan.1.contains("NaN"), "{nan:?}");
    let late = said(&|client| {
        client.send(&[0; 320]);
        client.say(json!({"type": "session.update", "latency": 2.0}));
    });
    assert!(late.1.starts_with("session.update: expected before the first audio"), "{late:?}");
    let unknown = said(&|client| client.say(json!({"type": "unheard.of"})));
    assert!(unknown.1.starts_with("message: unknown variant"), "{unknown:?}");
    let after = said(&|client| {
        client.say(json!({"type": "session.update", "result": true}));
        client.send(&[0; 320]);
        client.say(json!({"type": "audio.end"}));
        client.send(&[0; 320]);
    });
    assert!(after.1.starts_with("audio: expected none after audio.end"), "{after:?}");
}

#[test]
fn messages_have_a_largest_size() {
    let server = Server::start(&["live.capacity=2", "live.message_bytes=1000"]);
    let mut client = Client::open(&server, "");
    client.send(&[0; 1000]);
    client.say(json!({"type": "audio.end"}));
    client.read_all();
    assert_eq!(client.code(), 1000);
    let mut client = Client::open(&server, "");
    client.send(&[0; 1002]);
    client.read_all();
    assert!(client.of_type("diarization.done").is_empty());
}

#[test]
fn streams_are_let_in_up_to_the_capacity() {
    let server = Server::start(&["live.capacity=2"]);
    let _first = Client::open(&server, "");
    let second = Client::open(&server, "");
    assert_eq!(server.metric("voiceflow_stream_utilization_ratio"), 1.0);
    let ready = server.get("/ready");
    assert_eq!((ready.status, &ready.json()["reasons"]), (503, &json!(["streams_full"])));
    let Err(Error::Http(refused)) = Client::try_open(&server, "", None) else { panic!("a third stream") };
    assert_eq!((refused.status().as_u16(), refused.headers()["retry-after"].to_str().unwrap()), (503, "10"));
    drop(second);
    Client::open(&server, "");
}

#[test]
fn a_measurement_finds_the_capacity() {
    let server = Server::start(&[]);
    let capacity = server.metric("voiceflow_stream_capacity");
    assert!(capacity >= 1.0, "{capacity}");
}
