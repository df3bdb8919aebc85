//! Reloads that fail: the version that runs goes on as if they had never been.

use std::time::{Duration, Instant};

use voiceflow::reload::Step;
use voiceflow::{Call, Cancel, Config, Diarizer, Error, Reloadable};

use super::{config, diarize, fixture, small};
use crate::support;

/// Tries a reload that fails, and checks that nothing changed.
fn refused(diarizer: &Reloadable<Diarizer>, config: &Config, step: Step, text: &str) {
    let before = diarizer.versions().unwrap();
    let failed = diarizer.reload(config, &Call::none()).unwrap_err();
    assert_eq!(failed.step, step, "{failed}");
    assert!(failed.to_string().starts_with(&format!("reload: {}: ", step.name())), "{failed}");
    assert!(failed.to_string().contains(text), "{failed}");
    assert_eq!(diarizer.versions().unwrap(), before);
}

#[test]
fn a_broken_model_changes_nothing_and_the_step_is_named() {
    let diarizer = small();
    let samples = support::conversation();
    let expected = diarize(&diarizer.current(), &samples);
    refused(&diarizer, &fixture("wrong_contract.onnx"), Step::Load, "voiceflow.contract");
    refused(&diarizer, &fixture("nowhere.onnx"), Step::Load, "no such file");
    refused(&diarizer, &config(|config| config.set_slots(2).unwrap()), Step::Load, "slots: expected not");
    refused(&diarizer, &fixture("nan.onnx"), Step::Smoke, "expected");
    refused(&diarizer, &fixture("activity_range.onnx"), Step::Smoke, "activity: expected 0 to 1, got");
    assert_eq!(diarize(&diarizer.current(), &samples), expected);
}

#[test]
fn a_golden_vector_of_other_results_is_refused_at_the_load() {
    let folder = support::fresh_folder("reload-golden");
    let models = support::root().join("tests/data/models");
    std::fs::copy(models.join("good.onnx"), folder.join("model.onnx")).unwrap();
    let golden = std::fs::read_to_string(models.join("good_golden.json")).unwrap();
    std::fs::write(folder.join("golden.json"), &golden).unwrap();
    let with = config(|config| config.set_bundle(&folder));
    let diarizer = small();
    diarizer.reload(&with, &Call::none()).unwrap();
    // One value of the activity is another.
    let mut other: serde_json::Value = serde_json::from_str(&golden).unwrap();
    other["activity"]["data"][3] = 0.123.into();
    std::fs::write(folder.join("golden.json"), other.to_string()).unwrap();
    refused(&diarizer, &with, Step::Load, "golden vector: activity");
}

#[test]
fn a_second_reload_waits_for_its_turn_as_long_as_it_may() {
    let diarizer = small();
    let stop = Cancel::new();
    std::thread::scope(|scope| {
        // The smoke recording takes this model many seconds.
        let first = scope
            .spawn(|| diarizer.reload(&fixture("slow.onnx"), &Call::none().with_cancel(&stop)).unwrap_err());
        let start = Instant::now();
        let waits = || {
            let call = Call::none().with_deadline(Duration::from_millis(30));
            let failed = diarizer.replace(Diarizer::clone(&diarizer.current()), &call);
            failed.is_err_and(|failed| failed.step == Step::Wait)
        };
        while !waits() {
            assert!(start.elapsed() < Duration::from_secs(120));
        }
        let call = Call::none().with_deadline(Duration::from_millis(50));
        let failed = diarizer.reload(&fixture("good.onnx"), &call).unwrap_err();
        assert_eq!(failed.step, Step::Wait);
        assert_eq!(
            failed.to_string(),
            "reload: wait: deadline of 50 ms passed while waiting for other calls"
        );
        stop.set();
        let failed = first.join().unwrap();
        assert!(matches!(failed.error, Error::Cancelled { .. }), "{failed}");
        assert!(matches!(failed.step, Step::Load | Step::Smoke), "{failed}");
        assert_eq!(diarizer.current().model().name, "fixture");
        // The turn is free again.
        diarizer.reload(&fixture("good.onnx"), &Call::none()).unwrap();
    });
}

#[test]
fn a_deadline_ends_a_reload_and_the_next_one_works() {
    let diarizer = small();
    let call = Call::none().with_deadline(Duration::from_millis(1));
    let failed = diarizer.reload(&config(|_| {}), &call).unwrap_err();
    assert!(matches!(failed.error, Error::Deadline { .. }), "{failed}");
    assert_eq!(diarizer.versions().unwrap().len(), 1);
    let cancelled = Cancel::new();
    cancelled.set();
    let failed = diarizer.reload(&config(|_| {}), &Call::none().with_cancel(&cancelled)).unwrap_err();
    assert!(matches!(failed.error, Error::Cancelled { .. }), "{failed}");
    let generous = Call::none().with_deadline(Duration::from_secs(300));
    diarizer.reload(&config(|_| {}), &generous).unwrap();
    assert_eq!(diarizer.current().model().name, "fast-cnn");
}

#[test]
fn what_a_reload_has_no_use_for_is_refused() {
    let failed = small().reload(&config(|_| {}), &Call::none().with_num_speakers(2)).unwrap_err();
    assert_eq!(
        failed.to_string(),
        "reload: wait: call: num_speakers: expected none, as a reload has no use for it"
    );
}
