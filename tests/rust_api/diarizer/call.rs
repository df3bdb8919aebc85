//! Progress, cancellation and deadlines of a whole diarization.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ThreadId;
use std::time::Duration;

use voiceflow::audio::{AudioSource, BufferSource, SAMPLE_RATE};
use voiceflow::config::MAX_BATCH;
use voiceflow::{Call, Cancel, Config, Diarization, Diarizer, Error, Stage};

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
            let cancel = Cancel::new();
            let stop = |now: Stage, fraction: f32| {
                if now == stage && fraction >= from {
                    cancel.set();
                }
            };
            let call = Call::none().with_progress(&stop).with_cancel(&cancel);
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
    let cancel = Cancel::new();
    let stop = |_: Stage, _: f32| {
        if ended.load(Ordering::Relaxed) {
            cancel.set();
        }
    };
    let call = Call::none().with_progress(&stop).with_cancel(&cancel);
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
    let (done, cancel) = (AtomicUsize::new(0), Cancel::new());
    let stop = |_: Stage, fraction: f32| {
        if fraction == 1.0 && done.fetch_add(1, Ordering::Relaxed) == 1 {
            cancel.set();
        }
    };
    let call = Call::none().with_progress(&stop).with_cancel(&cancel);
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
fn a_call_asks_for_speakers_of_its_own() {
    let diarizer = diarizer(|config| config.set_speaker_range(0, 2).unwrap());
    let speakers = |call: Call<'_>| run(&diarizer, conversation(), &call).map(|found| found.speakers.len());
    assert_eq!(speakers(Call::none()).unwrap(), 2);
    assert_eq!(speakers(Call::none().with_num_speakers(1)).unwrap(), 1);
    assert_eq!(speakers(Call::none().with_max_speakers(9)).unwrap(), 3);
    assert_eq!(speakers(Call::none().with_min_speakers(4).with_max_speakers(4)).unwrap(), 4);
    let refused = speakers(Call::none().with_min_speakers(3)).unwrap_err();
    assert_eq!(refused.to_string(), "call: min_speakers: expected at most max_speakers (2), got 3");
    assert_eq!(speakers(Call::none()).unwrap(), 2);
}

#[test]
fn an_exclusive_result_has_one_speaker_at_a_time_and_all_of_the_speech() {
    for min_silence_s in [0.0, 2.0] {
        // Dropped turns are others where no two overlap.
        let diarizer = diarizer(|config| {
            config.set_min_silence(min_silence_s).unwrap();
            config.set_min_speech(0.0).unwrap();
        });
        let usual = run(&diarizer, conversation(), &Call::none()).unwrap();
        let exclusive = run(&diarizer, conversation(), &Call::none().exclusive()).unwrap();
        assert!(usual.segments.windows(2).any(|pair| pair[1].start_s < pair[0].end_s));
        assert!(exclusive.segments.windows(2).all(|pair| pair[0].end_s <= pair[1].start_s));
        assert!(exclusive.segments.iter().all(|segment| !segment.overlap));
        assert_eq!(usual.speakers.len(), exclusive.speakers.len());
        let speech_s = |found: &Diarization| {
            let mut end_s = 0.0;
            let added = found.segments.iter().map(|segment| {
                let more = segment.end_s - segment.start_s.max(end_s);
                end_s = segment.end_s.max(end_s);
                more.max(0.0)
            });
            added.sum::<f64>()
        };
        let difference = (speech_s(&usual) - speech_s(&exclusive)).abs();
        assert!(difference < 1e-6, "{min_silence_s}: {difference}");
    }
}

#[test]
fn what_an_enrolment_or_a_load_has_no_use_for_is_refused() {
    let call = Call::none().with_num_speakers(1);
    let refused = Diarizer::load(&Config::default(), &call).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "call: num_speakers: expected none, as loading a model has no use for it"
    );
    let mut source = BufferSource::from_f32(conversation(), SAMPLE_RATE, 1).unwrap();
    let refused = diarizer(|_| {}).voice(&mut source, &Call::none().exclusive()).unwrap_err();
    assert_eq!(refused.to_string(), "call: exclusive: expected none, as an enrolment has no use for it");
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
