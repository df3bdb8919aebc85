//! The number of speakers asked for is the number that comes out, wherever there is speech.

use voiceflow::Config;

use super::diarizer;
use crate::invariants::diarize;
use crate::sound::{conversation, piece, samples_of};
use crate::support::root;

/// Recordings with speech, from long to so short that voices cannot be told apart.
fn recordings() -> [(&'static str, Vec<f32>); 4] {
    [
        ("the conversation", conversation().to_vec()),
        ("its first 4 s", piece(0.0, 4.0).to_vec()),
        ("1.5 s of it", piece(12.0, 13.5).to_vec()),
        ("one sentence", samples_of(root().join("tests/data/audio/original.wav"))),
    ]
}

/// The number of speakers of each recording, checked by `good`.
fn check(set: impl FnOnce(&mut Config), good: impl Fn(usize) -> bool) {
    let diarizer = diarizer(set);
    for (name, samples) in recordings() {
        let result = diarize(&diarizer, &samples);
        // That each of them has a segment and a voice is among the invariants.
        assert!(good(result.speakers.len()), "{name}: {} speakers", result.speakers.len());
    }
}

#[test]
fn without_a_wish_there_is_somebody() {
    check(|_| {}, |count| count > 0);
}

#[test]
fn exact_numbers() {
    for wanted in 1..=6 {
        check(|config| config.set_num_speakers(wanted).unwrap(), |count| count == wanted);
    }
}

#[test]
fn most() {
    for most in [1, 2] {
        check(|config| config.set_speaker_range(0, most).unwrap(), |count| (1..=most).contains(&count));
    }
}

#[test]
fn fewest() {
    check(|config| config.set_speaker_range(4, 100).unwrap(), |count| count >= 4);
}

#[test]
fn a_range() {
    check(|config| config.set_speaker_range(2, 3).unwrap(), |count| (2..=3).contains(&count));
}

#[test]
fn the_numbers_hold_against_smoothing_and_any_threshold() {
    for threshold in [0.0, 2.0] {
        let set = |config: &mut Config| {
            config.set_num_speakers(3).unwrap();
            config.set_clustering_threshold(threshold).unwrap();
            config.set_min_speech(30.0).unwrap();
            config.set_min_silence(5.0).unwrap();
        };
        check(set, |count| count == 3);
    }
}
