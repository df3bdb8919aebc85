//! The options of a stream.

use voiceflow::{Config, Error, Stream};

use super::{config, diarizer, finals_of, stream};
use crate::sound::{conversation, piece};

/// Length of a frame of the embedded model in seconds.
const FRAME_S: f64 = 0.04;

#[test]
fn latency_is_what_was_asked_for() {
    for asked_s in [0.5, 1.0, 1.23, 5.0] {
        let latency_s = stream(|config| config.set_latency(asked_s).unwrap()).latency_s();
        assert!(latency_s <= asked_s + 1e-9 && latency_s > asked_s - FRAME_S, "{asked_s}: {latency_s}");
    }
    let filled_s = stream(|config| config.set_min_silence(2.0).unwrap()).latency_s();
    assert!((filled_s - 3.0).abs() < 1e-9, "{filled_s}");
    let telephone = Stream::new(diarizer(), &config(|_| {}), 8_000, 1).unwrap().latency_s();
    assert!(telephone > 1.0 && telephone < 1.4, "{telephone}");
}

#[test]
fn values_out_of_range_are_refused() {
    let mut config = Config::default();
    for latency_s in [0.49, 5.01, -1.0, f64::NAN, f64::INFINITY] {
        let error = config.set_latency(latency_s).unwrap_err().to_string();
        assert_eq!(error, format!("latency_s: expected 0.5 to 5, got {latency_s}"));
    }
    for history_s in [-0.1, 86_401.0, f64::NAN] {
        let error = config.set_history(history_s).unwrap_err().to_string();
        assert_eq!(error, format!("history_s: expected 0 to 86400, got {history_s}"));
    }
    for (rate, channels) in [(999, 1), (768_001, 1), (0, 1), (16_000, 0), (16_000, 33)] {
        let error = Stream::new(diarizer(), &config, rate, channels).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument(_)), "{rate} Hz, {channels} channels: {error:?}");
    }
}

#[test]
fn min_speech_and_min_silence_hold_live() {
    for least_s in [0.06, 0.5, 1.3] {
        let segments = finals_of(&stream(|config| config.set_min_speech(least_s).unwrap()), conversation());
        assert!(!segments.is_empty());
        assert!(segments.iter().all(|s| s.end_s - s.start_s >= least_s - 1e-9), "{least_s}: {segments:?}");

        let segments = finals_of(&stream(|config| config.set_min_silence(least_s).unwrap()), conversation());
        for (index, later) in segments.iter().enumerate() {
            let own = segments[..index].iter().rev().find(|earlier| earlier.speaker == later.speaker);
            assert!(own.is_none_or(|earlier| later.start_s - earlier.end_s >= least_s - 1e-9), "{later:?}");
        }
    }
}

#[test]
fn no_more_speakers_than_asked_for() {
    for most in [1, 2] {
        let stream = stream(|config| config.set_speaker_range(0, most).unwrap());
        let segments = finals_of(&stream, conversation());
        assert!((1..=most).contains(&stream.speaker_count()));
        assert!(!segments.is_empty() && segments.iter().all(|segment| segment.speaker < most));
    }
}

#[test]
fn thresholds_at_their_ends_are_dealt_with() {
    for threshold in [0.0, 2.0] {
        let stream = stream(|config| config.set_clustering_threshold(threshold).unwrap());
        assert!(!finals_of(&stream, piece(0.0, 20.0)).is_empty());
    }
}
