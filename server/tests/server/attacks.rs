//! What somebody outside sends to break the server, to fill it, or to keep it busy: each is refused
//! or bounded, and the next client is served.

use std::io::{ErrorKind, Read, Write};
use std::time::Instant;

use serde_json::json;
use tungstenite::Message;
use tungstenite::protocol::frame::Frame;
use tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::streams::{Client, as_i16, bytes_of, expected_segments, samples};
use crate::support::{Answer, PATIENCE, Server, conversation, wav};

/// Sends these bytes, as far as they are taken, and gives the status of the answer; 0 for none.
fn status_of(server: &Server, bytes: &[u8]) -> u16 {
    let mut socket = server.connect();
    let _ = socket.write_all(bytes);
    let mut answer = [0; 12];
    match socket.read_exact(&mut answer) {
        Ok(()) => std::str::from_utf8(&answer[9..]).unwrap().parse().unwrap(),
        Err(_) => 0,
    }
}

/// The next client is served.
fn is_well(server: &Server) {
    assert_eq!(server.diarize("", &conversation()).status, 200);
    assert_eq!(server.metric("voiceflow_panics_total"), 0.0);
}

#[test]
fn requests_that_are_none_are_refused() {
    let server = Server::start(&["live.capacity=2"]);
    let long = "x".repeat(400_000);
    let many: String = (0..500).map(|index| format!("X-{index}: y\r\n")).collect();
    let post = "POST /v1/diarizations HTTP/1.1\r\nHost: x\r\n";
    for request in [
        format!("GET /health HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n"),
        format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n"),
        format!("GET /health HTTP/1.1\r\nHost: x\r\n{many}\r\n"),
        format!("{post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello"),
        format!("{post}Content-Length: -5\r\n\r\nhello"),
        format!("{post}Content-Length: 99999999999999999999\r\n\r\nhello"),
        format!("{post}Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nx"),
        format!("{post}Transfer-Encoding: nothing\r\n\r\n0\r\n\r\n"),
        format!(
            "{post}Transfer-Encoding: chunked\r\nContent-Type: multipart/form-data; boundary=\r\n\r\n0\r\n\r\n"
        ),
        "GET /health HTTP/1.1\r\nHost: x\r\nX-\u{0}: y\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}".to_owned() + &long,
    ] {
        let status = status_of(&server, request.as_bytes());
        let shown: String = request.chars().take(80).collect();
        assert!([0, 400, 413, 414, 415, 431].contains(&status), "{shown:?}: {status}");
    }
    // What follows a request in its body is none of its own.
    let mut smuggled = server.connect();
    let text = format!("{post}Content-Length: 4\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
    let _ = smuggled.write_all((text + "0\r\n\r\nGET /config HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    let mut answers = String::new();
    let _ = smuggled.read_to_string(&mut answers);
    assert!(answers.matches("HTTP/1.1 ").count() <= 1, "{answers}");
    is_well(&server);
}

#[test]
fn forms_take_no_memory_for_what_is_no_recording() {
    let server = Server::start(&["live.capacity=2"]);
    let resident = || server.metric("process_resident_memory_bytes");
    is_well(&server);
    let before = resident();
    for begin in [
        // A part whose header has no end, and what comes before the first part.
        "--xyz\r\nContent-Disposition: form-data; name=\"file\"; x=\"",
        "preamble ",
    ] {
        let mut socket = server.connect();
        let head = "POST /v1/diarizations HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: \
                    multipart/form-data; boundary=xyz\r\nContent-Length: 400000000\r\n\r\n";
        socket.write_all((head.to_owned() + begin).as_bytes()).unwrap();
        let (piece, mut sent) = (vec![b'x'; 1 << 20], 0);
        while sent < 200 && socket.write_all(&piece).is_ok() {
            sent += 1;
        }
        let grown = resident() - before;
        assert!(grown < 60e6, "{grown} bytes for {sent} MiB");
        let (status, code, _) = Answer::read(&mut socket).error();
        assert_eq!((status, code.as_str()), (400, "malformed_request"), "{begin}");
    }
    let fields: Vec<(String, String)> = (0..65).map(|index| (format!("f{index}"), "x".into())).collect();
    let fields: Vec<(&str, &str)> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(server.diarize_form("/v1/diarizations", &fields, "a.flac", b"x").error().0, 413);
    let long = "x".repeat(65_537);
    let answer = server.diarize_form("/v1/diarizations", &[("model", &long)], "a.flac", b"x");
    assert_eq!(answer.error().0, 400);
    let deep = "[".repeat(1 << 20);
    let answer = server.diarize_form("/v1/diarizations", &[("words", &deep)], "a.flac", b"x");
    assert_eq!((answer.error().0, answer.json()["error"]["param"].as_str()), (400, Some("words")));
    is_well(&server);
}

#[test]
fn who_does_not_read_or_ask_again_loses_the_connection() {
    let server = Server::start(&["live.capacity=2", "listen.write_timeout_s=1"]);
    // Answers that fill every buffer, none of which is read, until the connection is closed.
    let mut greedy = server.connect();
    let requests = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    let error = std::iter::repeat_with(|| greedy.write_all(requests.as_bytes())).find_map(Result::err);
    let kind = error.unwrap().kind();
    assert!(!matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut), "the connection stays: {kind}");
    is_well(&server);
    // One that asked once, and then says nothing.
    let server = Server::start(&["live.capacity=2", "listen.header_timeout_s=1"]);
    let mut idle = server.connect();
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    idle.read_to_end(&mut answer).unwrap();
    assert!(answer.starts_with(b"HTTP/1.1 200"));
    is_well(&server);
}

#[test]
fn what_a_client_calls_its_method_is_no_label() {
    let server = Server::start(&["live.capacity=1"]);
    for (number, path) in ["/nowhere", "/health", "/v1/models"].into_iter().enumerate() {
        let request = format!("QWERTY{number} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assert!([400, 404, 405].contains(&status_of(&server, request.as_bytes())), "{request}");
    }
    let metrics = server.get_admin("/metrics").text();
    assert!(metrics.contains("method=\"other\"") && !metrics.contains("QWERTY"), "{metrics}");
    is_well(&server);
}

#[test]
fn files_that_lie_about_themselves_are_no_recordings() {
    let server = Server::start(&["limits.audio_s=60"]);
    let honest = wav(&[0; 16_000], 16_000);
    let forged = |at: usize, bytes: &[u8]| {
        let mut file = honest.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let float = {
        let mut file = forged(20, &[3, 0]);
        file[32..36].copy_from_slice(&[4, 0, 32, 0]);
        file[44..48].copy_from_slice(&f32::NAN.to_le_bytes());
        file
    };
    for (what, file) in [
        ("rate 0", forged(24, &[0; 4])),
        ("rate 4 GHz", forged(24, &[255; 4])),
        ("channels 0", forged(22, &[0; 2])),
        ("channels 65535", forged(22, &[255; 2])),
        ("format 0x5555", forged(20, &[0x55; 2])),
        ("NaN", float),
        ("nothing", Vec::new()),
        ("half a header", honest[..30].to_vec()),
    ] {
        let (status, code, message) = server.diarize("", &file).error();
        assert!(status == 400 && code == "VF_E_AUDIO", "{what}: {status} {code} {message}");
    }
    // Sizes that are larger than the file are those of recordings that were cut off, and samples
    // are as wide as their frames say.
    for (at, bytes) in [(4, [255; 4]), (40, [255; 4]), (34, [0, 0, b'd', b'a'])] {
        let answer = server.diarize("", &forged(at, &bytes));
        assert!([200, 400].contains(&answer.status), "{}", answer.text());
    }
    let mut flac = conversation();
    // The number of samples in STREAMINFO: 36 bits at its end.
    flac[8 + 13] |= 0x0f;
    flac[8 + 14..8 + 18].fill(0xff);
    let answer = server.diarize("", &flac);
    assert!([200, 400, 413].contains(&answer.status), "{}", answer.text());
    is_well(&server);
}

#[test]
fn streams_take_what_is_no_message_from_nobody_for_long() {
    let server = Server::start(&["live.capacity=8"]);
    let bytes = bytes_of(&as_i16(&samples())[..64_000]);
    let frame = |payload: &[u8], kind: Data, last: bool| {
        Message::Frame(Frame::message(payload.to_vec(), OpCode::Data(kind), last))
    };
    // A message in very many frames is a message.
    let mut client = Client::open(&server, "");
    for piece in bytes.chunks(32_000) {
        let (first, rest) = piece.split_at(2);
        client.socket.send(frame(first, Data::Binary, false)).unwrap();
        for part in rest.chunks(64) {
            client.socket.send(frame(part, Data::Continue, false)).unwrap();
        }
        client.socket.send(frame(&[], Data::Continue, true)).unwrap();
    }
    client.say(json!({"type": "audio.end"}));
    client.read_all();
    assert_eq!(client.segments(), expected_segments(&as_i16(&samples())[..64_000], 1.0));
    // One without an end is none, however small its parts are.
    let hurried = Server::start(&["live.capacity=1", "live.first_message_s=1"]);
    let mut client = Client::open(&hurried, "");
    client.socket.send(frame(&[], Data::Binary, false)).unwrap();
    let began = Instant::now();
    while client.socket.send(frame(&[], Data::Continue, false)).is_ok() {
        assert!(began.elapsed() < PATIENCE, "frames are taken for ever");
    }
    // And one of parts that are together too large.
    let mut client = Client::open(&server, "");
    client.socket.send(frame(&[0; 1000], Data::Binary, false)).unwrap();
    for _ in 0..100 {
        if client.socket.send(frame(&[0; 1000], Data::Continue, false)).is_err() {
            break;
        }
    }
    client.read_all();
    assert!(client.segments().is_empty());
    let refused: [(Message, &str); 4] = [
        (Message::Frame(Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true)), ""),
        (Message::text("[".repeat(60_000)), "malformed_request"),
        (Message::text(r#"{"type":"session.update","sample_rate":1e300}"#), "malformed_request"),
        (Message::text(r#"{"type":"session.update","gallery":"\ud800"}"#), "malformed_request"),
    ];
    for (message, code) in refused {
        let mut client = Client::open(&server, "");
        client.socket.send(message).unwrap();
        let said = client.next();
        assert_eq!(said.map_or(String::new(), |it| it["error"]["code"].as_str().unwrap().to_owned()), code);
    }
    for (value, query) in
        [(f32::NAN, "encoding=f32le"), (f32::INFINITY, "encoding=f32le"), (f32::MAX, "encoding=f32le")]
    {
        let mut client = Client::open(&server, query);
        client.send(&value.to_le_bytes().repeat(16_000));
        client.say(json!({"type": "audio.end"}));
        client.read_all();
        let code = client.closed.map_or(0, |frame| frame.code.into());
        assert_eq!(code, if value.is_finite() { 1000 } else { 1007 }, "{value}");
    }
    is_well(&server);
}

#[test]
fn pings_that_nobody_reads_the_answers_of_are_bounded() {
    let server = Server::start(&["live.capacity=4"]);
    let resident = || server.metric("process_resident_memory_bytes");
    is_well(&server);
    let before = resident();
    let mut client = Client::open(&server, "");
    let ping = json!({"type": "ping", "t": "x".repeat(60_000)}).to_string();
    let began = Instant::now();
    // Answers of as many bytes as there are pings, none of which is read.
    while client.socket.send(Message::text(ping.clone())).is_ok() {
        assert!(began.elapsed() < PATIENCE, "pings are taken for ever");
    }
    let grown = resident() - before;
    assert!(grown < 40e6, "{grown} bytes");
    server.wait_for_metric("voiceflow_streams_active", 0.0);
    is_well(&server);
}
