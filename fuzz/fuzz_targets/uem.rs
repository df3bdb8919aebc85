//! UEM, and scoring within what it says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use voiceflow::Turn;
use voiceflow::output::uem;
use voiceflow::score::{ScoreOptions, score};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(map) = uem::parse(text) else { return };
    let turn = |start_s, end_s, speaker: &str| Turn { start_s, end_s, speaker: speaker.to_owned() };
    let reference = [turn(0.0, 10.0, "a"), turn(5.0, 1e6, "b")];
    let hypothesis = [turn(1.0, 9.0, "x"), turn(9.0, 1e9, "y")];
    for stretches in map.values() {
        assert!(stretches.iter().all(|(start, end)| start.is_finite() && end >= start), "{stretches:?}");
        if let Ok(error) = score(&reference, &hypothesis, Some(stretches), &ScoreOptions::default()) {
            assert!(error.der() >= 0.0 && error.jer() >= 0.0, "{error:?}");
        }
    }
});
