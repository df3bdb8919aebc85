//! The scores equal those of pyannote.metrics on the annotations of `golden/score.json`, which
//! `python/make_score_golden.py` writes.

use serde_json::Value;
use voiceflow::Turn;
use voiceflow::score::{MAX_SPEAKERS, ScoreOptions, score};

fn golden() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/score.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn turns(value: &Value) -> Vec<Turn> {
    let turn = |item: &Value| Turn {
        start_s: item[0].as_f64().unwrap(),
        end_s: item[1].as_f64().unwrap(),
        speaker: item[2].as_str().unwrap().to_owned(),
    };
    value.as_array().unwrap().iter().map(turn).collect()
}

#[test]
fn scores_equal_those_of_pyannote_metrics() {
    let golden = golden();
    let cases = golden["cases"].as_array().unwrap();
    assert!(cases.len() >= 60, "golden file holds {} cases", cases.len());
    for (index, case) in cases.iter().enumerate() {
        let uem: Option<Vec<(f64, f64)>> = case["uem"].as_array().map(|stretches| {
            stretches.iter().map(|item| (item[0].as_f64().unwrap(), item[1].as_f64().unwrap())).collect()
        });
        let options = ScoreOptions {
            collar_s: case["collar"].as_f64().unwrap(),
            skip_overlap: case["skip_overlap"].as_bool().unwrap(),
        };
        let (reference, hypothesis) = (turns(&case["reference"]), turns(&case["hypothesis"]));
        let found = score(&reference, &hypothesis, uem.as_deref(), &options).unwrap();
        let figures = [
            ("reference_s", found.reference_s),
            ("correct_s", found.correct_s),
            ("missed_s", found.missed_s),
            ("false_alarm_s", found.false_alarm_s),
            ("confusion_s", found.confusion_s),
            ("reference_speakers", found.reference_speakers as f64),
            ("jaccard_error", found.jaccard_error),
            ("der", found.der()),
            ("jer", found.jer()),
        ];
        for (name, value) in figures {
            let expected = case["expected"][name].as_f64().unwrap();
            assert!(
                (value - expected).abs() < 1e-6,
                "case {index}, {name}: expected {expected}, found {value}"
            );
        }
    }
}

#[test]
fn the_order_of_turns_and_the_names_of_speakers_do_not_matter() {
    let golden = golden();
    for case in golden["cases"].as_array().unwrap().iter().take(40) {
        let (reference, mut hypothesis) = (turns(&case["reference"]), turns(&case["hypothesis"]));
        let options = ScoreOptions::default();
        let before = score(&reference, &hypothesis, None, &options).unwrap();
        hypothesis.reverse();
        let after = score(&reference, &hypothesis, None, &options).unwrap();
        assert_eq!(before, after);
        for turn in &mut hypothesis {
            turn.speaker = format!("the {} one", turn.speaker);
        }
        let renamed = score(&reference, &hypothesis, None, &options).unwrap();
        assert!((renamed.der() - before.der()).abs() < 1e-9);
    }
}

#[test]
fn too_many_speakers_are_refused() {
    let crowd: Vec<Turn> = (0..=MAX_SPEAKERS)
        .map(|index| Turn { start_s: 0.0, end_s: 1.0, speaker: index.to_string() })
        .collect();
    let error = score(&[], &crowd, None, &ScoreOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "hypothesis: expected at most 1000 speakers, found 1001");
    let names = &crowd[..MAX_SPEAKERS];
    assert_eq!(score(names, names, None, &ScoreOptions::default()).unwrap().der(), 0.0);
}
