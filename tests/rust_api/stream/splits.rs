//! What a stream tells depends on the audio alone, not on how it is cut into pushes.

use voiceflow::{Call, Diarizer, LiveSegment, Speaker, Stream};

use super::{STEP, config, diarizer, finish, push, read, stream};
use crate::sound::{at_rate, piece, spread};
use crate::support::root;

/// Everything told of some audio: before the end, the people by then, and after the end.
type Told = (Vec<LiveSegment>, Vec<Speaker>, Vec<voiceflow::Segment>);

/// Lengths of pushes.
enum Split {
    Equal(usize),
    /// As dice with this seed say, up to two seconds at 16 kHz.
    Random(u32),
}

impl Split {
    /// `values` in pushes of whole or broken frames.
    fn chunks<'a, T>(&self, mut values: &'a [T]) -> Vec<&'a [T]> {
        let mut chunks = Vec::new();
        let mut state = match self {
            Split::Equal(_) => 0,
            Split::Random(seed) => *seed,
        };
        while !values.is_empty() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let length = match self {
                Split::Equal(length) => *length,
                Split::Random(_) => (state >> 8) as usize % 32_000,
            };
            let (chunk, rest) = values.split_at(length.min(values.len()));
            chunks.push(chunk);
            values = rest;
        }
        chunks
    }
}

fn told_of<T>(stream: &Stream, values: &[T], split: &Split, push: impl Fn(&Stream, &[T])) -> Told {
    for chunk in split.chunks(values) {
        push(stream, chunk);
    }
    let (told, people) = (read(stream), stream.speakers());
    (told, people, finish(stream))
}

fn push_f32(stream: &Stream, samples: &[f32]) {
    stream.push_f32(samples, &Call::none()).unwrap();
}

fn push_i16(stream: &Stream, samples: &[i16]) {
    stream.push_i16(samples, &Call::none()).unwrap();
}

/// Pushes of 10 ms, 100 ms and 1 s of `rate` values a second, and of any length.
fn splits(rate: usize) -> Vec<Split> {
    let equal = [rate / 100, rate / 10, rate, 7].map(Split::Equal);
    equal.into_iter().chain([1, 2].map(Split::Random)).collect()
}

fn integers(samples: &[f32]) -> Vec<i16> {
    samples.iter().map(|&sample| (sample * 32_768.0) as i16).collect()
}

#[test]
fn any_split_of_16_khz_mono() {
    let samples = piece(8.0, 22.0);
    let whole = told_of(&stream(|_| {}), samples, &Split::Equal(samples.len()), push_f32);
    assert!(whole.0.iter().any(|live| live.is_final) && whole.0.iter().any(|live| !live.is_final));
    assert!(!whole.1.is_empty() && !whole.2.is_empty());
    for split in splits(16_000) {
        assert_eq!(told_of(&stream(|_| {}), samples, &split, push_f32), whole);
    }
    let integers = integers(samples);
    for split in [Split::Equal(160), Split::Equal(integers.len())] {
        assert_eq!(told_of(&stream(|_| {}), &integers, &split, push_i16), whole);
    }
}

#[test]
fn one_sample_at_a_time() {
    let samples = piece(10.0, 14.5);
    let whole = told_of(&stream(|_| {}), samples, &Split::Equal(samples.len()), push_f32);
    assert_eq!(told_of(&stream(|_| {}), samples, &Split::Equal(1), push_f32), whole);
}

#[test]
fn any_split_of_other_formats() {
    let samples = piece(8.0, 16.0);
    for (rate, channels) in [(8_000, 1), (44_100, 2)] {
        let values = spread(&at_rate(samples, rate), channels);
        let new = || Stream::new(diarizer(), &config(|_| {}), rate, channels).unwrap();
        let whole = told_of(&new(), &values, &Split::Equal(values.len()), push_f32);
        let many = [whole.0.len(), whole.1.len(), whole.2.len()];
        assert!(many.iter().all(|&count| count > 0), "{rate}: {many:?}");
        for split in splits(rate as usize * usize::from(channels)) {
            assert_eq!(told_of(&new(), &values, &split, push_f32), whole, "{rate} Hz");
        }
        let integers = integers(&values);
        let whole = told_of(&new(), &integers, &Split::Equal(integers.len()), push_i16);
        assert_eq!(told_of(&new(), &integers, &Split::Equal(882), push_i16), whole, "{rate} Hz");
    }
}

/// Two public models with random weights: windows of a fixed length, and frames that do not begin
/// with the window.
#[test]
fn any_split_with_two_public_models() {
    let family = |name: &str| root().join(format!("tests/data/families/{name}.onnx"));
    let config = config(|config| {
        config.set_segmentation_model(voiceflow::ModelSource::File(family("segmentation"))).unwrap();
        config.set_embedding_model(voiceflow::ModelSource::File(family("titanet"))).unwrap();
    });
    let pair = Diarizer::new(&config).unwrap();
    let samples = piece(10.0, 13.0);
    let told = |split| {
        let stream = Stream::new(&pair, &config, 16_000, 1).unwrap();
        told_of(&stream, samples, &split, push_f32)
    };
    let whole = told(Split::Equal(samples.len()));
    assert!(whole.0.iter().any(|live| !live.is_final), "{whole:?}");
    for split in [Split::Equal(160), Split::Equal(16_000)] {
        assert_eq!(told(split), whole);
    }
}

#[test]
fn a_push_brings_segments_once_the_audio_of_a_window_is_there() {
    let diarizer = diarizer();
    assert_eq!(diarizer.for_streams(&Call::none()).unwrap().live_hop_s(), STEP as f64 / 16_000.0);
    for rate in [16_000, 48_000] {
        let stream = Stream::new(diarizer, &config(|_| {}), rate, 1).unwrap();
        let chunk = vec![0.1; rate as usize / 10];
        let (mut windows, mut early) = (0, 0);
        for _ in 0..40 {
            let (needed_s, updates) = (stream.until_window_s(), stream.updates());
            assert!((0.0..0.4 + 1e-6).contains(&needed_s), "{needed_s}");
            push(&stream, &chunk);
            let brought = stream.updates() - updates;
            windows += brought;
            early += u64::from(needed_s <= 0.1 + 1e-6) - brought;
            // Whoever waits for it misses no window.
            assert!(brought == 0 || needed_s <= 0.1 + 1e-6, "{rate} Hz: {needed_s} s");
        }
        // A resampler holds a part of the last chunk back.
        assert!(if rate == 16_000 { windows == 10 && early == 0 } else { windows == 9 && early <= 10 });
    }
}
