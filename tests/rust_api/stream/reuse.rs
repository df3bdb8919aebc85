//! Using a stream wrongly, and anew.

use voiceflow::{Call, Error};

use super::{finals_of, finish, push, read, stream};
use crate::sound::piece;

#[test]
fn a_reset_stream_is_as_new() {
    let samples = piece(5.0, 20.0);
    let stream = stream(|_| {});
    let first = finals_of(&stream, samples);
    let speakers = stream.speakers();
    assert!(!first.is_empty() && !speakers.is_empty());
    // After the end, and in the middle with segments that were not read.
    for left in [&[][..], piece(20.0, 31.7)] {
        stream.reset(&Call::none()).unwrap();
        push(&stream, left);
        stream.reset(&Call::none()).unwrap();
        assert_eq!((stream.received_s(), stream.speaker_count(), stream.waiting()), (0.0, 0, 0));
        assert_eq!(finals_of(&stream, samples), first);
        assert_eq!(stream.speakers(), speakers);
    }
}

#[test]
fn after_the_end_nothing_is_taken() {
    let stream = stream(|_| {});
    push(&stream, piece(10.0, 12.0));
    finish(&stream);
    let received_s = stream.received_s();
    for samples in [&[0.5; 10][..], &[]] {
        let error = stream.push_f32(samples, &Call::none()).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
        assert_eq!(error.to_string(), "stream: expected no audio after finish; reset it first");
    }
    let error = stream.push_i16(&[1], &Call::none()).unwrap_err();
    assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
    let error = stream.finish(&Call::none()).unwrap_err();
    assert!(matches!(error, Error::InvalidArgument(_)), "{error:?}");
    assert_eq!(error.to_string(), "stream: expected to be finished once; reset it first");
    assert_eq!((stream.received_s(), stream.waiting()), (received_s, 0));
    stream.reset(&Call::none()).unwrap();
    push(&stream, piece(10.0, 12.0));
}

#[test]
fn samples_that_are_no_numbers_are_refused_as_a_whole() {
    let samples = piece(8.0, 18.0);
    let expected = finals_of(&stream(|_| {}), samples);
    let stream = stream(|_| {});
    let (first, second) = samples.split_at(70_000);
    push(&stream, first);
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut spoilt = second.to_vec();
        spoilt[70_001] = bad;
        let error = stream.push_f32(&spoilt, &Call::none()).unwrap_err();
        assert!(matches!(error, Error::Audio(_)), "{error:?}");
        assert_eq!(error.to_string(), format!("samples: expected finite values, got {bad} at index 70001"));
        assert_eq!(stream.received_s(), 70_000.0 / 16_000.0);
    }
    push(&stream, second);
    let mut found: Vec<_> = super::finals(&read(&stream));
    found.extend(finish(&stream));
    assert_eq!(found, expected);
}

#[test]
fn loud_samples_are_taken() {
    let loud: Vec<f32> = piece(10.0, 14.0).iter().map(|sample| sample * 1e30).collect();
    finals_of(&stream(|_| {}), &loud);
}
