//! The same audio gives the same result, however it is handed in and however the work is divided.

use voiceflow::audio::{BufferSource, SAMPLE_RATE};
use voiceflow::{Call, Diarization};

use super::diarizer;
use crate::invariants::diarize;
use crate::sound::{conversation, conversation_file};

/// Most that a probability may be off by where the order of sums may differ.
const CLOSE: f32 = 1e-3;

#[test]
fn any_number_of_threads() {
    let of = |threads| diarize(&diarizer(|config| config.set_threads(threads).unwrap()), conversation());
    let one = of(1);
    for threads in [2, 3, 7] {
        assert_eq!(of(threads), one, "{threads} threads");
    }
}

#[test]
fn any_size_of_batches() {
    let of = |batch| diarize(&diarizer(|config| config.set_batch(batch).unwrap()), conversation());
    let spans = |result: &Diarization| {
        result.segments.iter().map(|s| (s.start_s, s.end_s, s.speaker, s.overlap)).collect::<Vec<_>>()
    };
    let one = of(1);
    for batch in [3, 8] {
        let other = of(batch);
        assert_eq!(spans(&other), spans(&one), "batches of {batch}");
        for (a, b) in other.segments.iter().zip(&one.segments) {
            assert!((a.confidence - b.confidence).abs() < CLOSE, "{a:?} {b:?}");
        }
    }
}

#[test]
fn the_second_run() {
    let diarizer = diarizer(|_| {});
    assert_eq!(diarize(&diarizer, conversation()), diarize(&diarizer, conversation()));
}

#[test]
fn a_file_and_its_samples() {
    let diarizer = diarizer(|_| {});
    let floats = diarize(&diarizer, conversation());
    assert_eq!(diarizer.process_file(conversation_file(), &Call::none()).unwrap(), floats);

    let integers: Vec<i16> = conversation().iter().map(|&sample| (sample * 32_768.0) as i16).collect();
    let mut source = BufferSource::from_i16(&integers, SAMPLE_RATE, 1).unwrap();
    assert_eq!(diarizer.process(&mut source, &Call::none()).unwrap(), floats);
}
