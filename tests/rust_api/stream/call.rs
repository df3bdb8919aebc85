//! Cancellation and deadlines: soon, and nothing is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use voiceflow::{Call, Error, Stage};

use super::{config, diarizer, finals, finals_of, finish, push, read, stream};
use crate::sound::{conversation, piece};

/// Within which a call ends, on a busy machine.
const SOON: Duration = Duration::from_secs(5);

#[test]
fn a_push_of_minutes_is_cancelled_from_another_thread_and_goes_on() {
    let long = conversation().repeat(2);
    let expected = finals_of(&stream(|_| {}), &long);
    let stream = stream(|_| {});
    let (told_some, cancelled) = (AtomicBool::new(false), AtomicBool::new(false));
    // From the first segment on it goes no further before it is cancelled.
    let hold = |_: Stage, _: f32| {
        if stream.waiting() > 0 {
            told_some.store(true, Ordering::SeqCst);
            while !cancelled.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        true
    };
    let asked = std::thread::scope(|scope| {
        let pusher = scope.spawn(|| {
            let error = stream.push_f32(&long, &Call::none().with_progress(&hold)).unwrap_err();
            (error, Instant::now())
        });
        while !told_some.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        let asked = Instant::now();
        stream.cancel();
        cancelled.store(true, Ordering::SeqCst);
        let (error, ended) = pusher.join().unwrap();
        assert!(matches!(error, Error::Cancelled { .. }), "{error:?}");
        ended - asked
    });
    assert!(asked < SOON, "{asked:?}");
    assert_eq!(stream.heard_s(), long.len() as f64 / 16_000.0);
    let mut told = finals(&read(&stream));
    assert!(told.len() < expected.len());
    push(&stream, &[]);
    told.extend(finals(&read(&stream)));
    told.extend(finish(&stream));
    assert_eq!(told, expected);
}

#[test]
fn a_call_made_later_is_not_cancelled() {
    let stream = stream(|_| {});
    stream.cancel();
    push(&stream, piece(10.0, 12.0));
    stream.cancel();
    stream.cancel();
    assert!(!finish(&stream).is_empty());
}

#[test]
fn every_call_under_way_is_cancelled() {
    let stream = stream(|_| {});
    let (held, started) = (AtomicBool::new(true), AtomicBool::new(false));
    let hold = |_: Stage, _: f32| {
        started.store(true, Ordering::SeqCst);
        while held.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    };
    let wait_for = |flag: &AtomicBool| {
        while !flag.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let second_started = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let call = Call::none().with_progress(&hold);
        let (stream, second_started) = (&stream, &second_started);
        let first = scope.spawn(move || stream.push_f32(piece(0.0, 10.0), &call));
        wait_for(&started);
        let second = scope.spawn(move || {
            second_started.store(true, Ordering::SeqCst);
            stream.push_f32(piece(10.0, 20.0), &Call::none())
        });
        wait_for(second_started);
        // Until it waits for the first.
        std::thread::sleep(Duration::from_secs(2));
        stream.cancel();
        held.store(false, Ordering::SeqCst);
        for call in [first, second] {
            let error = call.join().unwrap().unwrap_err();
            assert!(matches!(error, Error::Cancelled { .. }), "{error:?}");
        }
    });
    assert_eq!(stream.heard_s(), 20.0);
    let expected = finals_of(&super::stream(|_| {}), piece(0.0, 20.0));
    assert_eq!([finals(&read(&stream)), finish(&stream)].concat(), expected);
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
        // By the callback, and by another call as from another thread.
        let stop = |now: Stage, _: f32| now != stage;
        let cancel = |now: Stage, _: f32| {
            if now == stage {
                stream.cancel();
            }
            true
        };
        for call in [Call::none().with_progress(&stop), Call::none().with_progress(&cancel)] {
            let error = stream.finish(&call).unwrap_err();
            assert!(matches!(error, Error::Cancelled { .. }), "{stage:?}: {error:?}");
        }
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
fn the_deadline_of_the_options_holds_for_each_call() {
    let config = config(|config| config.set_deadline(Some(Duration::ZERO)));
    let stream = voiceflow::Stream::new(diarizer(), &config, 16_000, 1).unwrap();
    for _ in 0..2 {
        let error = stream.push_f32(piece(0.0, 1.0), &Call::none()).unwrap_err();
        assert!(matches!(error, Error::Deadline { deadline_ms: 0, .. }), "{error:?}");
        let patient = Call::none().with_deadline(Some(Duration::from_secs(600)));
        stream.push_f32(&[], &patient).unwrap();
    }
    let error = stream.finish(&Call::none()).unwrap_err();
    assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
}

#[test]
fn audio_that_no_call_gets_to_analyse_has_an_end() {
    let stream = stream(|config| config.set_deadline(Some(Duration::ZERO)));
    let minute = vec![0.0; 60 * 16_000];
    for _ in 0..61 {
        let error = stream.push_f32(&minute, &Call::none()).unwrap_err();
        assert!(matches!(error, Error::Deadline { .. }), "{error:?}");
    }
    let error = stream.push_f32(&minute, &Call::none()).unwrap_err();
    assert!(matches!(error, Error::Limit(_)), "{error:?}");
    let text = "stream: expected at most 3600 s of audio that earlier calls failed to analyse, got more";
    assert!(error.to_string().starts_with(text), "{error}");
    assert_eq!(stream.heard_s(), 61.0 * 60.0);
    stream.reset().unwrap();
    assert!(matches!(stream.push_f32(&minute, &Call::none()), Err(Error::Deadline { .. })));
}
