//! Rates, channels and loudness of the input change little.

use voiceflow::audio::BufferSource;
use voiceflow::score::{DiarizationError, ScoreOptions, score};
use voiceflow::{Call, Diarization, Diarizer};

use super::diarizer;
use crate::invariants;
use crate::invariants::diarize;
use crate::sound::{at_rate, piece, spread};

/// Most diarization error between versions of a recording that hold the same up to 7.6 kHz.
const NEARLY_SAME: f64 = 0.1;
/// Most error, in who is not looked at, of a version without anything above 3.8 kHz.
const SAME_SPEECH: f64 = 0.5;

/// Twenty seconds in which three people talk.
fn recording() -> &'static [f32] {
    piece(10.0, 30.0)
}

fn at(diarizer: &Diarizer, samples: &[f32], rate: u32, channels: u16) -> Diarization {
    let mut source = BufferSource::from_f32(samples, rate, channels).unwrap();
    let result = diarizer.process(&mut source, &Call::none()).unwrap();
    invariants::check(&result, diarizer.model().embedding_dim);
    result
}

fn difference(a: &Diarization, b: &Diarization) -> DiarizationError {
    assert!(!a.segments.is_empty() && !b.segments.is_empty());
    score(&a.turns(), &b.turns(), None, &ScoreOptions::default()).unwrap()
}

#[test]
fn higher_rates() {
    let diarizer = diarizer(|_| {});
    let usual = diarize(&diarizer, recording());
    for rate in [44_100, 48_000, 192_000] {
        let error = difference(&usual, &at(&diarizer, &at_rate(recording(), rate), rate, 1));
        assert!(error.der() < NEARLY_SAME, "{rate} Hz: {error:?}");
    }
}

#[test]
fn telephone_rate() {
    let diarizer = diarizer(|_| {});
    let usual = diarize(&diarizer, recording());
    let error = difference(&usual, &at(&diarizer, &at_rate(recording(), 8_000), 8_000, 1));
    let detection = (error.missed_s + error.false_alarm_s) / error.reference_s;
    assert!(detection < SAME_SPEECH, "{error:?}");
}

#[test]
fn one_to_eight_channels() {
    let diarizer = diarizer(|_| {});
    let usual = diarize(&diarizer, recording());
    for channels in 1..=8 {
        let error = difference(&usual, &at(&diarizer, &spread(recording(), channels), 16_000, channels));
        assert!(error.der() < NEARLY_SAME, "{channels} channels: {error:?}");
    }
}

#[test]
fn clipped_and_far_too_loud() {
    let diarizer = diarizer(|_| {});
    let loud: Vec<f32> = recording().iter().map(|sample| sample * 30.0).collect();
    let clipped: Vec<f32> = loud.iter().map(|sample| sample.clamp(-1.0, 1.0)).collect();
    let extreme: Vec<f32> = recording().iter().map(|sample| sample * 1e30).collect();
    for samples in [loud, clipped, extreme] {
        diarize(&diarizer, &samples);
    }
}
