//! Many threads on one session.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use voiceflow::model::{Inference, Session};
use voiceflow::{Call, Cancel, Error, Stage};

use crate::support::{config, noise};

#[test]
fn eight_threads_on_two_slots_get_what_one_alone_gets() {
    let mut config = config("good.onnx");
    config.set_slots(2).unwrap();
    let session = Session::new(&config).unwrap();
    let run = |seed: u32, out: &mut Inference| {
        session.infer(noise(2, 16_000, seed).view(), out, &Call::none()).unwrap();
    };
    let expected: Vec<Inference> = (0..8)
        .map(|seed| {
            let mut out = Inference::default();
            run(seed, &mut out);
            out
        })
        .collect();
    std::thread::scope(|scope| {
        for (seed, expected) in expected.iter().enumerate() {
            let run = &run;
            scope.spawn(move || {
                let mut out = Inference::default();
                for _ in 0..25 {
                    run(seed as u32, &mut out);
                    assert_eq!(out, *expected);
                }
            });
        }
    });
}

/// Runs `during` while the only slot of a session is busy.
fn while_busy(during: impl FnOnce(&Session)) {
    let session = Session::new(&config("slow.onnx")).unwrap();
    let done = Cancel::new();
    let (long, short) = (noise(64, 320_000, 1), noise(1, 1_600, 1));
    std::thread::scope(|scope| {
        // One run of many seconds.
        scope.spawn(|| {
            session.infer(long.view(), &mut Inference::default(), &Call::none().with_cancel(&done))
        });
        let taken = || {
            let call = Call::none().with_deadline(Some(Duration::from_millis(20)));
            session
                .infer(short.view(), &mut Inference::default(), &call)
                .is_err_and(|error| matches!(error, Error::Deadline { stage: Stage::Waiting, .. }))
        };
        while !taken() {
            std::thread::yield_now();
        }
        during(&session);
        done.set();
    });
}

#[test]
fn a_deadline_ends_the_waiting_for_a_slot() {
    while_busy(|session| {
        let call = Call::none().with_deadline(Some(Duration::from_millis(80)));
        let error = session.infer(noise(1, 1_600, 1).view(), &mut Inference::default(), &call).unwrap_err();
        assert_eq!(error.to_string(), "deadline of 80 ms passed while waiting for other calls");
    });
}

#[test]
fn the_callback_cancels_the_waiting_and_only_that() {
    while_busy(|session| {
        let (calls, cancel) = (AtomicUsize::new(0), Cancel::new());
        let progress = |stage: Stage, _: f32| {
            assert_eq!(stage, Stage::Waiting);
            if calls.fetch_add(1, Ordering::SeqCst) == 2 {
                cancel.set();
            }
        };
        let call = Call::none().with_progress(&progress).with_cancel(&cancel);
        let error = session.infer(noise(1, 1_600, 1).view(), &mut Inference::default(), &call).unwrap_err();
        assert!(matches!(error, Error::Cancelled { stage: Stage::Waiting }), "{error}");
        assert_eq!(calls.load(Ordering::SeqCst), 3);
    });
}

#[test]
fn a_session_may_be_dropped_on_another_thread() {
    let session = Session::new(&config("good.onnx")).unwrap();
    let mut out = Inference::default();
    let call = Call::none().with_deadline(Some(Duration::from_secs(600)));
    session.infer(noise(1, 1_600, 1).view(), &mut out, &call).unwrap();
    std::thread::spawn(move || drop(session)).join().unwrap();
}
