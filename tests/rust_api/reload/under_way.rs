//! Reloads while threads diarize and stream: nobody notices.

use std::sync::atomic::{AtomicBool, Ordering};

use voiceflow::audio::SAMPLE_RATE;
use voiceflow::{Call, Diarizer, Reloadable, Stream};

use super::{config, diarize};
use crate::support;

/// Reloads while the others work.
const RELOADS: usize = 6;

#[test]
fn calls_and_streams_go_on_while_models_are_exchanged() {
    let options = config(|_| {});
    let diarizer = Reloadable::new(Diarizer::new(&options).unwrap());
    let samples = &support::conversation()[..20 * SAMPLE_RATE as usize];
    let expected = diarize(&diarizer.current(), samples);
    let streamed = || {
        let stream = Stream::new(&diarizer.current(), &options, SAMPLE_RATE, 1).unwrap();
        for second in samples.chunks(SAMPLE_RATE as usize) {
            stream.push_f32(second, &Call::none()).unwrap();
        }
        stream.finish(&Call::none()).unwrap()
    };
    let expected_stream = streamed();
    let done = AtomicBool::new(false);
    let going = || !done.load(Ordering::Relaxed);
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut calls = 0;
                    while going() {
                        assert_eq!(diarize(&diarizer.current(), samples), expected);
                        calls += 1;
                    }
                    calls
                })
            })
            .collect();
        let stream = scope.spawn(|| {
            while going() {
                assert_eq!(streamed(), expected_stream);
            }
        });
        for _ in 0..RELOADS {
            diarizer.reload(&options, &Call::none()).unwrap();
        }
        done.store(true, Ordering::Relaxed);
        assert!(calls.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>() > 1);
        stream.join().unwrap();
    });
    let versions = diarizer.versions().unwrap();
    assert_eq!((versions.len(), versions[0].number), (1, RELOADS as u64 + 1));
    assert_eq!((versions[0].calls, versions[0].streams), (0, 0));
}
