//! Progress, cancellation and deadlines while a pair of models works.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use voiceflow::audio::{BufferSource, SAMPLE_RATE};
use voiceflow::{Call, Cancel, Diarization, Diarizer, Error, Stage};

use super::{diarize, diarizer, sound};
use crate::support::looks::least;

/// Within which a deadline ends the analysis.
const SOON: Duration = Duration::from_secs(3);

fn run(diarizer: &Diarizer, samples: &[f32], call: &Call<'_>) -> voiceflow::Result<Diarization> {
    diarizer.process(&mut BufferSource::from_f32(samples, SAMPLE_RATE, 1)?, call)
}

#[test]
fn the_analysis_is_cancelled_and_the_diarizer_goes_on() {
    let audio = sound::syllables(30);
    for name in ["wespeaker_resnet34", "wespeaker_ecapa"] {
        let diarizer = diarizer(name, |_| {});
        let before = diarize(&diarizer, &audio);
        // When reading begins, and once everything is read and nothing but the networks is left to
        // do.
        for from in [0.0, 0.98] {
            let cancel = Cancel::new();
            let stop = |_: Stage, fraction: f32| {
                if fraction >= from {
                    cancel.set();
                }
            };
            let call = Call::none().with_progress(&stop).with_cancel(&cancel);
            let error = run(&diarizer, &audio, &call).unwrap_err();
            assert!(matches!(error, Error::Cancelled { stage: Stage::Analysis }), "{name}: {error:?}");
        }
        assert_eq!(diarize(&diarizer, &audio), before);
    }
}

#[test]
fn a_deadline_ends_the_analysis_soon() {
    let audio = sound::syllables(300);
    for name in ["wespeaker_resnet34", "wespeaker_ecapa"] {
        let diarizer = diarizer(name, |_| {});
        for deadline_ms in [0, 1, 20] {
            let took = least(SOON, || {
                let call = Call::none().with_deadline(Some(Duration::from_millis(deadline_ms)));
                let begun = Instant::now();
                let error = run(&diarizer, &audio, &call).unwrap_err();
                let expected = format!("deadline of {deadline_ms} ms passed while analysing the audio");
                assert_eq!(error.to_string(), expected, "{name}");
                begun.elapsed()
            });
            assert!(took < SOON, "{name}: {took:?}");
        }
        diarize(&diarizer, &audio[..32_000]);
    }
}

#[test]
fn progress_goes_forward_to_the_end() {
    let diarizer = diarizer("campplus", |config| config.set_threads(2).unwrap());
    let calls: Mutex<Vec<(i32, f32)>> = Mutex::default();
    let note = |stage: Stage, fraction: f32| calls.lock().unwrap().push((stage as i32, fraction));
    run(&diarizer, &sound::syllables(100), &Call::none().with_progress(&note)).unwrap();
    let calls = calls.into_inner().unwrap();
    assert!(calls.is_sorted(), "{calls:?}");
    for stage in [Stage::Analysis, Stage::Clustering, Stage::Reconstruction] {
        assert!(calls.contains(&(stage as i32, 1.0)), "{stage:?} does not end: {calls:?}");
    }
}
