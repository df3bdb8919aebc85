//! The hop between windows.

use voiceflow::Error;
use voiceflow::audio::SAMPLE_RATE;

use super::{diarize, diarizer, try_diarizer};
use crate::sound::piece;

#[test]
fn a_hop_longer_than_the_window_is_refused() {
    let window_s = diarizer(|_| {}).model().window_samples as f64 / f64::from(SAMPLE_RATE);
    let longer = window_s + 0.5;
    let error = try_diarizer(|config| config.set_hop(longer).unwrap()).unwrap_err();
    assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
    let expected = format!("hop_s: expected at most the model's window ({window_s} s), got {longer}");
    assert_eq!(error.to_string(), expected);

    let whole = diarizer(|config| config.set_hop(window_s).unwrap());
    assert!(!diarize(&whole, piece(0.0, 25.0)).segments.is_empty());
}

#[test]
fn hops_of_any_length_cover_the_recording() {
    for hop_s in [0.1, 0.777, 2.5, 3.0] {
        let diarizer = diarizer(|config| config.set_hop(hop_s).unwrap());
        for to_s in [9.99, 12.01] {
            let result = diarize(&diarizer, piece(0.0, to_s));
            assert!(!result.segments.is_empty(), "hop {hop_s}, {to_s} s");
        }
    }
}
