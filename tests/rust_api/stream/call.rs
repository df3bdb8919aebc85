//! Cancellation and deadlines: soon, and nothing is lost.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use voiceflow::{Call, Cancel, Error, Stage};

use super::{finals, finals_of, finish, push, read, stream};
use crate::sound::{conversation, piece};

#[test]
fn a_push_of_minutes_is_cancelled_from_another_thread_and_goes_on() {
    let long = conversation().repeat(2);
    let expected = finals_of(&stream(|_| {}), &long);
    let stream = stream(|_| {});
    let (told_some, cancelled) = (AtomicBool::new(false), AtomicBool::new(false));
    let looks_after = AtomicUsize::new(0);
    // From the first segment on it goes no further before it is cancelled.
    let hold = |_: Stage, _: f32| {
        looks_after.fetch_add(usize::from(cancelled.load(Ordering::SeqCst)), Ordering::SeqCst);
        if stream.waiting() > 0 {
            told_some.store(true, Ordering::SeqCst);
            while !cancelled.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    };
    let cancel = Cancel::new();
    std::thread::scope(|scope| {
        let pusher = scope.spawn(|| {
            stream.push_f32(&long, &Call::none().with_progress(&hold).with_cancel(&cancel)).unwrap_err()
        });
        while !told_some.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        cancel.set();
        cancelled.store(true, Ordering::SeqCst);
        let error = pusher.join().unwrap();
        assert!(matches!(error, Error::Cancelled { .. }), "{error:?}");
    });
    assert_eq!(looks_after.into_inner(), 0, "it ends at once");
    assert_eq!(stream.received_s(), long.len() as f64 / 16_000.0);
    let mut told = finals(&read(&stream));
    assert!(told.len() < expected.len());
    push(&stream, &[]);
    told.extend(finals(&read(&stream)));
    told.extend(finish(&stream));
    assert_eq!(told, expected);
}

/// Waits until `flag` is set.
fn wait_for(flag: &AtomicBool) {
    while !flag.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_push_that_waits_for_another_ends_and_its_samples_are_taken() {
    let stream = stream(|_| {});
    let (held, started, cancel) = (AtomicBool::new(true), AtomicBool::new(false), Cancel::new());
    let hold = |_: Stage, _: f32| {
        started.store(true, Ordering::SeqCst);
        while held.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    std::thread::scope(|scope| {
        let call = Call::none().with_progress(&hold);
        let first = scope.spawn({
            let stream = &stream;
            move || stream.push_f32(piece(0.0, 10.0), &call)
        });
        wait_for(&started);
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(50));
            cancel.set();
        });
        let call = Call::none().with_cancel(&cancel);
        let error = stream.push_f32(piece(10.0, 15.0), &call).unwrap_err();
        assert!(matches!(error, Error::Cancelled { stage: Stage::Waiting }), "{error:?}");
        let call = Call::none().with_deadline(Duration::from_millis(1));
        let samples: Vec<i16> = piece(15.0, 20.0).iter().map(|sample| (sample * 32_768.0) as i16).collect();
        let error = stream.push_i16(&samples, &call).unwrap_err();
        assert!(matches!(error, Error::Deadline { stage: Stage::Waiting, .. }), "{error:?}");
        // Of what waits for its turn, these two leave nothing behind.
        let error = stream.finish(&call).unwrap_err();
        assert!(matches!(error, Error::Deadline { stage: Stage::Waiting, .. }), "{error:?}");
        let error = stream.reset(&call).unwrap_err();
        assert!(matches!(error, Error::Deadline { stage: Stage::Waiting, .. }), "{error:?}");
        held.store(false, Ordering::SeqCst);
        first.join().unwrap().unwrap();
    });
    push(&stream, &[]);
    assert_eq!(stream.received_s(), 20.0);
    let expected = super::stream(|_| {});
    push(&expected, piece(0.0, 15.0));
    let samples: Vec<i16> = piece(15.0, 20.0).iter().map(|sample| (sample * 32_768.0) as i16).collect();
    expected.push_i16(&samples, &Call::none()).unwrap();
    let all = |stream: &voiceflow::Stream| [finals(&read(stream)), finish(stream)].concat();
    assert_eq!(all(&stream), all(&expected));
}

#[test]
fn a_switch_that_is_set_ends_a_push_without_a_window_too() {
    let (stream, cancel) = (stream(|_| {}), Cancel::new());
    cancel.set();
    let error = stream.push_f32(piece(0.0, 0.1), &Call::none().with_cancel(&cancel)).unwrap_err();
    assert!(matches!(error, Error::Cancelled { .. }), "{error:?}");
    assert_eq!(stream.received_s(), 0.1);
}

#[test]
fn what_a_push_has_no_use_for_is_refused() {
    let stream = stream(|_| {});
    let error = stream.push_f32(&[0.0], &Call::none().with_num_speakers(2)).unwrap_err();
    assert_eq!(error.to_string(), "call: num_speakers: expected none, as a push has no use for it");
    assert_eq!(stream.received_s(), 0.0);
}

#[test]
fn a_finish_asks_for_speakers_of_its_own() {
    let speakers = |call: Call<'_>| {
        let stream = stream(|_| {});
        push(&stream, conversation());
        stream.finish(&call).unwrap().diarization.speakers.len()
    };
    assert_eq!(speakers(Call::none().with_num_speakers(2)), 2);
    assert_eq!(speakers(Call::none().with_num_speakers(4)), 4);
    assert!(speakers(Call::none().with_max_speakers(2).exclusive()) <= 2);
}

#[test]
fn every_stage_of_the_end_can_be_cancelled_and_repeated() {
    let expected = {
        let stream = stream(|_| {});
        push(&stream, piece(0.0, 20.1));
        stream.finish(&Call::none()).unwrap()
    };
    let stream = stream(|_| {});
    push(&stream, piece(0.0, 20.1));
    for stage in [Stage::Analysis, Stage::Clustering, Stage::Reconstruction] {
        let cancel = Cancel::new();
        let stop = |now: Stage, _: f32| {
            if now == stage {
                cancel.set();
            }
        };
        let error = stream.finish(&Call::none().with_progress(&stop).with_cancel(&cancel)).unwrap_err();
        assert!(matches!(error, Error::Cancelled { .. }), "{stage:?}: {error:?}");
        let error = stream.push_f32(&[0.0], &Call::none()).unwrap_err();
        assert_eq!(error.to_string(), "stream: expected no audio after finish; reset it first");
    }
    assert_eq!(stream.finish(&Call::none()).unwrap(), expected);
}

#[test]
fn deadlines_lose_nothing() {
    let samples = piece(0.0, 20.0);
    let expected = finals_of(&stream(|_| {}), samples);
    let stream = stream(|_| {});
    for deadline_ms in [0, 1] {
        let call = Call::none().with_deadline(Some(Duration::from_millis(deadline_ms)));
        let half = if deadline_ms == 0 { &samples[..160_000] } else { &samples[160_000..] };
        let error = stream.push_f32(half, &call).unwrap_err();
        let passed = format!("deadline of {deadline_ms} ms passed while ");
        assert!(error.to_string().starts_with(&passed), "{error}");
        let error = stream.push_f32(&[], &call).unwrap_err();
        assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    }
    push(&stream, &[]);
    assert_eq!([finals(&read(&stream)), finish(&stream)].concat(), expected);
}

#[test]
fn audio_that_no_call_gets_to_analyse_has_an_end() {
    let stream = stream(|_| {});
    let none = Call::none().with_deadline(Duration::ZERO);
    let minute = vec![0.0; 60 * 16_000];
    for _ in 0..61 {
        let error = stream.push_f32(&minute, &none).unwrap_err();
        assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    }
    let error = stream.push_f32(&minute, &none).unwrap_err();
    assert!(matches!(error, Error::Limit(_)), "{error:?}");
    let text = "stream: expected at most 3600 s of audio that earlier calls failed to analyse, got more";
    assert!(error.to_string().starts_with(text), "{error}");
    assert_eq!(stream.received_s(), 61.0 * 60.0);
    stream.reset(&Call::none()).unwrap();
    assert!(matches!(stream.push_f32(&minute, &none), Err(Error::Deadline { .. })));
}
