//! RTTM and what is made of it: the same turns from a file that was written, and scores of any
//! turns.
#![no_main]

use libfuzzer_sys::fuzz_target;
use voiceflow::Turn;
use voiceflow::output::rttm;
use voiceflow::score::{ScoreOptions, score};
use voiceflow_fuzz::input::Input;

/// Turns that are scored: matching speakers takes the cube of their number in time.
const MAX_TURNS: usize = 64;

fuzz_target!(|data: &[u8]| {
    let mut input = Input::new(data);
    let options = ScoreOptions {
        collar_s: if input.u8() < 16 { f64::from(input.f32()) } else { f64::from(input.u8()) / 64.0 },
        skip_overlap: input.u8() < 64,
    };
    let Ok(text) = std::str::from_utf8(input.rest()) else { return };
    let Ok(annotations) = rttm::parse(text) else { return };
    for (recording, turns) in &annotations {
        let written: String = turns.iter().map(|turn| rttm::line(recording, turn)).collect();
        let read = rttm::parse(&written).expect("what is written can be read");
        // A name with a character that RTTM cannot hold is written with another in its place.
        assert_eq!(read.values().map(Vec::len).collect::<Vec<_>>(), [turns.len()], "{written:?}");
        let turns = &turns[..turns.len().min(MAX_TURNS)];
        let (reference, hypothesis) = turns.split_at(turns.len() / 2);
        check(reference, hypothesis, &options);
        check(turns, turns, &options);
    }
});

fn check(reference: &[Turn], hypothesis: &[Turn], options: &ScoreOptions) {
    if let Ok(error) = score(reference, hypothesis, None, options) {
        assert!(error.der() >= 0.0 && error.jer() >= 0.0, "{error:?}");
    }
}
