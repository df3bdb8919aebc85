//! Progress, cancellation and deadlines of a whole diarization.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;
use std::time::Duration;

use voiceflow::audio::{AudioSource, BufferSource, SAMPLE_RATE};
use voiceflow::config::MAX_BATCH;
use voiceflow::{Call, Cancel, Diarization, Diarizer, Error, Stage};

use super::diarizer;
use crate::invariants::diarize;
use crate::sound::{conversation, piece};

/// The stages of a diarization in their order.
const STAGES: [Stage; 3] = [Stage::Analysis, Stage::Clustering, Stage::Reconstruction];

fn run(diarizer: &Diarizer, samples: &[f32], call: &Call<'_>) -> voiceflow::Result<Diarization> {
    diarizer.process(&mut BufferSource::from_f32(samples, SAMPLE_RATE, 1)?, call)
}

#[test]
fn every_stage_can_be_cancelled_and_is_named() {
    let diarizer = diarizer(|_| {});
    let before = diarize(&diarizer, conversation());
    for stage in STAGES {
        // At the first call of the stage, and at one in the middle or at the end.
        for from in [0.0, 0.5] {
            let stop = |now: Stage, fraction: f32| now != stage || fraction < from;
            let call = Call::none().with_progress(&stop);
            let error = run(&diarizer, conversation(), &call).unwrap_err();
            assert!(matches!(error, Error::Cancelled { stage: named } if named == stage), "{error:?}");
            assert_eq!(error.to_string(), format!("cancelled while {stage}"));
        }
    }
    assert_eq!(diarize(&diarizer, conversation()), before);
}

/// Tells when it has ended.
struct Ending<'a> {
    source: BufferSource<'a>,
    ended: &'a AtomicBool,
}

impl AudioSource for Ending<'_> {
    fn read(&mut self, out: &mut Vec<f32>) -> voiceflow::Result<usize> {
        let count = self.source.read(out)?;
        self.ended.fetch_or(count == 0, Ordering::Relaxed);
        Ok(count)
    }

    fn len_hint(&self) -> Option<u64> {
        self.source.len_hint()
    }
}

#[test]
fn cancelling_is_heard_once_all_audio_is_read() {
    let diarizer = diarizer(|config| config.set_batch(MAX_BATCH).unwrap());
    let ended = AtomicBool::new(false);
    let source = BufferSource::from_f32(conversation(), SAMPLE_RATE, 1).unwrap();
    let stop = |_: Stage, _: f32| !ended.load(Ordering::Relaxed);
    let call = Call::none().with_progress(&stop);
    let error = diarizer.process(&mut Ending { source, ended: &ended }, &call).unwrap_err();
    assert!(matches!(error, Error::Cancelled { stage: Stage::Analysis }), "{error:?}");
    assert!(!diarize(&diarizer, piece(0.0, 4.0)).segments.is_empty());
}

#[test]
fn a_switch_ends_the_call_that_has_it_from_another_thread() {
    let diarizer = diarizer(|_| {});
    let (cancel, long) = (Cancel::new(), conversation().repeat(60));
    let error = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            cancel.set();
        });
        run(&diarizer, &long, &Call::none().with_cancel(&cancel)).unwrap_err()
    });
    assert!(matches!(error, Error::Cancelled { stage: Stage::Analysis }), "{error:?}");
    // It stays set; a call without it goes on.
    assert!(run(&diarizer, piece(0.0, 4.0), &Call::none().with_cancel(&cancel)).is_err());
    assert!(run(&diarizer, piece(0.0, 4.0), &Call::none()).is_ok());
}

#[test]
fn a_deadline_names_what_the_call_is_at_and_not_what_goes_on_within() {
    // Somewhere among them, the second of two run slots is being made.
    for milliseconds in 1..30 {
        let diarizer = diarizer(|config| config.set_threads(2).unwrap());
        let call = Call::none().with_deadline(Some(Duration::from_millis(milliseconds)));
        if let Err(error) = run(&diarizer, conversation(), &call) {
            assert!(matches!(error, Error::Deadline { stage, .. } if STAGES.contains(&stage)), "{error}");
        }
    }
}

#[test]
fn a_second_analysis_can_be_cancelled() {
    let diarizer = diarizer(|config| config.set_num_speakers(6).unwrap());
    let done = Mutex::new(0);
    let stop = |_: Stage, fraction: f32| {
        let mut done = done.lock().unwrap();
        *done += usize::from(fraction == 1.0);
        *done < 2
    };
    let call = Call::none().with_progress(&stop);
    let error = run(&diarizer, piece(0.0, 4.0), &call).unwrap_err();
    assert!(matches!(error, Error::Cancelled { stage: Stage::Analysis }), "{error:?}");
}

#[test]
fn deadlines_pass_with_their_length_and_the_stage() {
    let diarizer = diarizer(|_| {});
    for deadline_ms in [0, 1] {
        let call = Call::none().with_deadline(Some(Duration::from_millis(deadline_ms)));
        let error = run(&diarizer, conversation(), &call).unwrap_err();
        let expected = format!("deadline of {deadline_ms} ms passed while analysing the audio");
        assert_eq!(error.to_string(), expected);
        assert!(!diarize(&diarizer, piece(0.0, 4.0)).segments.is_empty());
    }
}

#[test]
fn the_deadline_of_the_options_holds_for_each_call() {
    let diarizer = diarizer(|config| config.set_deadline(Some(Duration::ZERO)));
    for _ in 0..2 {
        let error = run(&diarizer, &[], &Call::none()).unwrap_err();
        assert!(matches!(error, Error::Deadline { deadline_ms: 0, .. }), "{error:?}");
    }
    // That of the call comes before that of the options.
    let call = Call::none().with_deadline(Some(Duration::from_secs(600)));
    assert!(run(&diarizer, piece(0.0, 4.0), &call).is_ok());
}

#[test]
fn progress_goes_forward_on_the_calling_thread() {
    let usual = diarizer(|_| {});
    // So short a piece with so many speakers is analysed a second time.
    let six = diarizer(|config| config.set_num_speakers(6).unwrap());
    for (diarizer, samples) in [(&usual, conversation()), (&usual, &[][..]), (&six, piece(0.0, 4.0))] {
        let calls: Mutex<Vec<(ThreadId, Stage, f32)>> = Mutex::default();
        let note = |stage: Stage, fraction: f32| {
            calls.lock().unwrap().push((std::thread::current().id(), stage, fraction));
            true
        };
        run(diarizer, samples, &Call::none().with_progress(&note)).unwrap();
        let calls = calls.into_inner().unwrap();
        assert!(calls.iter().all(|(thread, ..)| *thread == std::thread::current().id()));
        let at: Vec<(usize, f32)> = calls
            .iter()
            .map(|(_, stage, fraction)| (STAGES.iter().position(|s| s == stage).unwrap(), *fraction))
            .collect();
        assert!(at.is_sorted(), "{at:?}");
        assert!(at.iter().all(|(_, fraction)| (0.0..=1.0).contains(fraction)), "{at:?}");
        for (place, stage) in STAGES.iter().enumerate() {
            assert!(at.contains(&(place, 1.0)), "{stage:?} does not end: {at:?}");
        }
    }
}
