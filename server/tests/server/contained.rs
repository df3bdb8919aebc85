//! What one client brings about, or a fault of the program, ends what it is part of and nothing
//! else.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::scope;
use std::time::Duration;

use serde_json::json;

use crate::streams::{Client, as_i16, bytes_of, expected_segments, samples};
use crate::support::{Server, conversation, wav};

#[test]
fn a_panic_ends_one_recording_or_one_stream_and_no_other() {
    // The third time that progress is told, inside the library; one of some 200 turns.
    let faults = [("VOICEFLOW_FAULTS", "batch:3,live:60")];
    let mut server = Server::start_with(&["live.capacity=4", "drain.delay_s=0", "log.level=off"], &faults);
    let recording = conversation();
    let (status, code, message) = server.diarize("", &recording).error();
    assert_eq!((status, code.as_str()), (500, "VF_E_PANIC"));
    assert_eq!(message, "the server failed at this recording; its log says where");
    assert_eq!(server.metric("voiceflow_panics_total"), 1.0);
    for _ in 0..3 {
        assert_eq!(server.diarize("", &recording).status, 200);
    }

    let samples = as_i16(&samples());
    let (bytes, expected) = (bytes_of(&samples), expected_segments(&samples, 1.0));
    let ends: Vec<(u16, Vec<_>)> = scope(|scope| {
        let stream = || {
            let mut client = Client::open(&server, "");
            // The one that ends early may not take all.
            for piece in bytes.chunks(32_000) {
                let _ = client.socket.send(tungstenite::Message::binary(piece.to_vec()));
            }
            let _ = client.socket.send(tungstenite::Message::text(json!({"type": "audio.end"}).to_string()));
            client.read_all();
            let segments = client.segments();
            (client.closed.map_or(0, |frame| frame.code.into()), segments)
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(stream)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let whole = ends.iter().filter(|(code, segments)| *code == 1000 && *segments == expected).count();
    let failed = ends.iter().filter(|(code, _)| *code == 1011).count();
    assert_eq!((whole, failed), (3, 1), "{ends:?}");
    assert_eq!(server.metric("voiceflow_panics_total"), 2.0);
    server.wait_for_metric("voiceflow_streams_total{outcome=\"failed\"}", 1.0);
    // Every thread is still there, and the server ends as it should.
    assert_eq!((server.get("/health").status, server.get("/ready").status), (200, 200));
    server.signal("-TERM");
    assert_eq!(server.ended(), 0);
}

#[test]
fn recordings_wait_for_streams_that_wait_for_their_turn() {
    const STREAMS: usize = 24;
    let server = Server::start(&["live.capacity=48", "live.workers=1"]);
    let paused = || server.metric("voiceflow_batch_paused_seconds_total");
    let recording = conversation();
    assert_eq!(server.diarize("", &recording).status, 200);
    assert_eq!(paused(), 0.0);
    // No more of each than it may be ahead of the clock: all stand in the queue together.
    let burst = bytes_of(&as_i16(&samples())[..30_400]);
    let stop = AtomicBool::new(false);
    scope(|scope| {
        for _ in 0..STREAMS {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let mut client = Client::open(&server, "");
                    client.send_all(&burst, &[32_000]);
                    client.say(json!({"type": "audio.end"}));
                    client.read_all();
                    assert_eq!(client.closed.map(|frame| frame.code.into()), Some(1000_u16));
                }
            });
        }
        let answered = scope.spawn(|| {
            while paused() == 0.0 {
                assert_eq!(server.diarize("", &recording).status, 200);
            }
        });
        while paused() == 0.0 && !answered.is_finished() {
            std::thread::sleep(Duration::from_millis(20));
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(paused() > 0.0);
    assert_eq!(server.diarize("", &recording).status, 200);
}

#[test]
fn a_second_signal_ends_work_in_the_middle_of_it() {
    let long = wav(&as_i16(&samples()).repeat(20), 16_000);
    for _ in 0..3 {
        let mut server = Server::start(&["drain.delay_s=3600", "batch.workers=2"]);
        let bytes = bytes_of(&as_i16(&samples()));
        scope(|scope| {
            // Nobody is answered.
            let recordings: Vec<_> = (0..2)
                .map(|_| {
                    let (address, long) = (server.address, &long);
                    scope.spawn(move || Server::post_to(address, long))
                })
                .collect();
            let mut client = Client::open(&server, "result=true");
            client.send_all(&bytes, &[32_000]);
            std::thread::sleep(Duration::from_millis(400));
            server.signal("-TERM");
            // A signal that comes while the same one waits is none.
            server.wait_for_metric("voiceflow_draining", 1.0);
            server.signal("-TERM");
            assert_eq!(server.ended(), 3);
            recordings.into_iter().for_each(|thread| thread.join().unwrap());
        });
    }
}
