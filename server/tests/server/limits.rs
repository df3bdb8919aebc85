//! Every limit: at it, and one over.

use std::io::{Read, Write};
use std::thread::scope;
use std::time::{Duration, Instant};

use crate::support::{Answer, Server, conversation, wait_until, wav};

#[test]
fn uploads_have_a_largest_size() {
    let recording = conversation();
    let size = recording.len();
    let at = Server::start(&[&format!("limits.upload_bytes={size}")]);
    let over = Server::start(&[&format!("limits.upload_bytes={}", size - 1)]);
    assert_eq!(at.diarize("", &recording).status, 200);
    assert_eq!(at.diarize_form("/v1/diarizations", &[], "a.flac", &recording).status, 200);
    let expected = format!("file: expected at most {} bytes, got more", size - 1);
    let bare = over.diarize("", &recording).error();
    let form = over.diarize_form("/v1/diarizations", &[], "a.flac", &recording).error();
    assert_eq!(bare, (413, "VF_E_LIMIT".to_owned(), expected));
    assert_eq!(bare, form);
}

#[test]
fn recordings_have_a_longest_duration_whatever_their_size() {
    let server = Server::start(&["limits.audio_s=2"]);
    assert_eq!(server.diarize("", &wav(&[0; 32_000], 16_000)).status, 200);
    let (status, code, message) = server.diarize("", &wav(&[0; 32_001], 16_000)).error();
    assert_eq!((status, code.as_str()), (413, "VF_E_LIMIT"));
    assert!(message.contains("at most 2 s of audio"), "{message}");
    // Eight seconds for a header that says 768 kHz are a sixth of a second.
    assert_eq!(server.diarize("", &wav(&[0; 128_000], 768_000)).status, 200);
}

#[test]
fn the_spool_is_shared_and_given_back() {
    // Short, and many: who has an answer has its place in the spool back, however soon the next
    // recording comes.
    let recording = wav(&[0; 1600], 16_000);
    let server = Server::start(&[&format!("limits.spool_bytes={}", recording.len())]);
    for _ in 0..500 {
        assert_eq!(server.diarize("", &recording).status, 200);
    }
    let mut more = recording.clone();
    more.push(0);
    let answer = server.diarize("", &more);
    assert_eq!((answer.error().0, answer.error().1.as_str()), (503, "spool_full"));
    assert!(answer.header("retry-after").is_some());
    assert_eq!(server.diarize("", &recording).status, 200);
}

/// The JSON of so many words.
fn words(count: usize) -> String {
    let (tokens, times) = (vec!["\"\u{2581}a\""; count].join(","), vec!["0"; count].join(","));
    format!(r#"{{"tokens":[{tokens}],"timestamps":[{times}]}}"#)
}

#[test]
fn texts_and_what_is_between_parts_take_room_in_the_spool() {
    let server = Server::start(&["limits.spool_bytes=1000000"]);
    let recording = wav(&[0; 1600], 16_000);
    let with_words = |count: usize, times: usize| {
        let words = words(count);
        let mut fields = vec![("words", words.as_str()); times];
        fields.push(("response_format", "srt"));
        server.diarize_form("/v1/diarizations", &fields, "a.wav", &recording)
    };
    let full =
        |answer: Answer| assert_eq!((answer.error().0, answer.error().1.as_str()), (503, "spool_full"));
    // The last ones take the place of those before.
    assert_eq!(with_words(2000, 20).status, 200);
    // As they come, and what becomes of them: a word with its times for nine bytes.
    full(with_words(200_000, 1));
    full(with_words(20_000, 1));
    let head = "POST /v1/diarizations HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=xyz";
    full(server.ask(head, &vec![b'-'; 1_020_000]));
    // All of it was given back.
    assert_eq!(with_words(2000, 20).status, 200);
}

#[test]
fn who_waits_has_a_place_and_its_bytes_until_it_goes() {
    // Hours of silence, at which the one worker is to the end of this test.
    let hours = wav(&vec![0; 3 * 3600 * 1000], 1000);
    let (recording, words) = (wav(&[0; 1600], 16_000), words(100_000));
    // In memory these words take more than half of what the hours leave.
    let spool = format!("limits.spool_bytes={}", hours.len() + 12_000_000);
    let server = Server::start(&["batch.workers=1", "batch.waiting=2", &spool]);
    let post = |query: &str, body: &[u8]| {
        server.send(&format!("POST /v1/diarizations{query} HTTP/1.1\r\nContent-Type: audio/wav"), body)
    };
    let mut busy = post("?response_format=ndjson", &hours);
    let mut said = Vec::new();
    let mut piece = [0; 4096];
    while !String::from_utf8_lossy(&said).contains("\"analysis\"") {
        let read = busy.read(&mut piece).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&said));
        said.extend(&piece[..read]);
    }

    let form = [("words", words.as_str()), ("response_format", "srt")];
    let with_words = || server.send_form("/v1/diarizations", &form, "a.wav", &recording);
    let waiting = with_words();
    server.wait_for_metric("voiceflow_batch_queue_length", 1.0);
    let refused = Answer::read(&mut with_words()).error();
    assert_eq!((refused.0, refused.1.as_str()), (503, "spool_full"));
    let _other = post("", &recording);
    server.wait_for_metric("voiceflow_batch_queue_length", 2.0);
    let refused = server.diarize("", &recording).error();
    assert_eq!((refused.0, refused.1.as_str()), (429, "queue_full"));

    drop(waiting);
    server.wait_for_metric("voiceflow_batch_queue_length", 1.0);
    let _next = with_words();
    server.wait_for_metric("voiceflow_batch_queue_length", 2.0);
    let gone = "voiceflow_answers_total{kind=\"batch\",arm=\"stable\",outcome=\"refused\"}";
    assert_eq!(server.metric(gone), 1.0);
    // No worker was free in the meantime.
    busy.set_nonblocking(true).unwrap();
    while let Ok(read) = busy.read(&mut piece) {
        assert!(read > 0 && !String::from_utf8_lossy(&piece[..read]).contains("\"result\""));
    }
}

#[test]
fn slow_uploads_are_cut() {
    let server = Server::start(&["limits.upload_grace_s=0.5", "limits.upload_bytes_per_minute=60000"]);
    let mut socket = server.connect();
    let head = "POST /v1/diarizations HTTP/1.1\r\nHost: x\r\nContent-Type: audio/wav\r\nContent-Length: 100000\r\n\r\n";
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&[0; 100]).unwrap();
    let answer = Answer::read(&mut socket);
    assert_eq!((answer.error().0, answer.error().1.as_str()), (408, "upload_too_slow"));
}

#[test]
fn slow_headers_are_cut() {
    let server = Server::start(&["listen.header_timeout_s=0.5"]);
    let began = Instant::now();
    let mut sockets: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for socket in &mut sockets {
        socket.write_all(b"GET /health HTTP/1.1\r\nX-Slow: ").unwrap();
    }
    for socket in &mut sockets {
        // Closed, with a word or without.
        let _ = socket.read_to_end(&mut Vec::new());
    }
    assert!(began.elapsed() > Duration::from_millis(400), "{:?}", began.elapsed());
    assert_eq!(server.get("/health").status, 200);
}

#[test]
fn connections_are_counted() {
    let server = Server::start(&["listen.connections_per_address=3"]);
    let mut held: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for socket in &mut held {
        socket.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        assert!(socket.read(&mut [0; 512]).unwrap() > 0);
    }
    let mut fourth = server.connect();
    let _ = fourth.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut answer = Vec::new();
    let _ = fourth.read_to_end(&mut answer);
    assert_eq!(answer, b"");
    held.pop();
    wait_until("the place is given back", || {
        let mut socket = server.connect();
        let _ = socket.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        socket.read(&mut [0; 512]).is_ok_and(|count| count > 0)
    });
}

#[test]
fn recordings_that_nobody_can_take_are_refused_at_once() {
    // One worker, and nobody may wait.
    let server = Server::start(&["batch.workers=1", "batch.waiting=0"]);
    let recording = conversation();
    let answers = scope(|scope| {
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(|| server.diarize("", &recording))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let (served, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert!(!served.is_empty() && !refused.is_empty(), "{} {}", served.len(), refused.len());
    for answer in &refused {
        assert_eq!((answer.error().0, answer.error().1.as_str()), (429, "queue_full"));
        assert!(answer.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    }
    assert_eq!(server.metric("voiceflow_rejections_total{reason=\"queue_full\"}"), refused.len() as f64);
    assert_eq!(server.diarize("", &recording).status, 200);
}

#[test]
fn a_client_that_goes_away_leaves_its_worker() {
    let server = Server::start(&["batch.workers=1", "batch.waiting=0"]);
    // Half an hour, which nobody waits for.
    let long = wav(&vec![0; 30 * 60 * 16_000], 16_000);
    let mut socket = server.connect();
    let length = long.len();
    let head = format!(
        "POST /v1/diarizations HTTP/1.1\r\nHost: x\r\nContent-Type: audio/wav\r\nContent-Length: {length}\r\n\r\n"
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(&long).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    drop(socket);
    let recording = conversation();
    wait_until("the worker is free", || server.diarize("", &recording).status == 200);
}
