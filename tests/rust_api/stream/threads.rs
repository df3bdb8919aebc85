//! Many streams over one diarizer, and many threads at one stream.

use std::sync::atomic::{AtomicBool, Ordering};

use voiceflow::{Call, Diarizer, Segment, Stream};

use super::{config, diarizer, finals, finals_of, finish, push, read, stream};
use crate::sound::piece;

#[test]
fn each_of_many_streams_tells_what_it_tells_alone() {
    let pieces = [(0.0, 12.0), (7.0, 15.0), (20.0, 31.0), (10.0, 22.0)].map(|(from, to)| piece(from, to));
    let alone = pieces.map(|samples| finals_of(&stream(|_| {}), samples));
    std::thread::scope(|scope| {
        let of = |samples: &'static [f32], chunk: usize| {
            let stream = stream(|_| {});
            let mut told: Vec<Segment> = Vec::new();
            for samples in samples.chunks(chunk) {
                push(&stream, samples);
                told.extend(finals(&read(&stream)));
            }
            told.extend(finish(&stream));
            told
        };
        let threads: Vec<_> = pieces
            .into_iter()
            .zip([160, 1_600, 16_000, 100_000])
            .map(|(samples, chunk)| scope.spawn(move || of(samples, chunk)))
            .collect();
        for (thread, alone) in threads.into_iter().zip(&alone) {
            assert_eq!(thread.join().unwrap(), *alone);
        }
    });
}

#[test]
fn others_read_while_one_pushes() {
    let samples = piece(0.0, 20.0);
    let expected = finals_of(&stream(|_| {}), samples);
    let stream = stream(|_| {});
    let ended = AtomicBool::new(false);
    let mut told = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut told = Vec::new();
            while !ended.load(Ordering::SeqCst) {
                told.extend(finals(&stream.read(3)));
                assert!(stream.latency_s() > 0.0 && stream.received_s() <= 20.0);
                assert!(stream.speakers().len() <= stream.speaker_count());
                std::thread::yield_now();
            }
            told
        });
        for chunk in samples.chunks(160) {
            push(&stream, chunk);
        }
        ended.store(true, Ordering::SeqCst);
        reader.join().unwrap()
    });
    told.extend(finals(&read(&stream)));
    told.extend(finish(&stream));
    assert_eq!(told, expected);
}

#[test]
fn reading_does_not_wait_for_a_push() {
    let stream = stream(|_| {});
    let (held, started) = (AtomicBool::new(true), AtomicBool::new(false));
    let hold = |_: voiceflow::Stage, _: f32| {
        started.store(true, Ordering::SeqCst);
        while held.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| stream.push_f32(piece(0.0, 2.0), &Call::none().with_progress(&hold)).unwrap());
        while !started.load(Ordering::SeqCst) {
            std::thread::yield_now();
        }
        // The push is under way until this is done.
        assert_eq!((stream.read(9).len(), stream.waiting(), stream.speaker_count()), (0, 0, 0));
        assert!(stream.latency_s() > 0.0);
        assert_eq!((stream.received_s(), stream.format()), (2.0, (16_000, 1)));
        held.store(false, Ordering::SeqCst);
    });
    assert!(stream.waiting() > 0 || stream.speaker_count() == 0);
}

#[test]
fn a_stream_keeps_its_diarizer() {
    let samples = piece(10.0, 15.0);
    let expected = finals_of(&stream(|_| {}), samples);
    let own = Diarizer::new(&config(|_| {})).unwrap();
    let clone = own.clone();
    let [first, second] = [&own, &clone].map(|d| Stream::new(d, &config(|_| {}), 16_000, 1).unwrap());
    drop(own);
    push(&first, &samples[..40_000]);
    drop(clone);
    push(&first, &samples[40_000..]);
    drop(first);
    assert_eq!(finals_of(&second, samples), expected);
    assert!(!diarizer().model().name.is_empty());
}
