//! Streams with the embedded model on a real conversation. Nothing here depends on how good the
//! model is, beyond that it hears speech where people talk.

mod call;
mod ending;
mod finals;
mod options;
mod reuse;
mod soon;
mod splits;
mod threads;

use std::sync::OnceLock;

use crate::support;
use voiceflow::audio::SAMPLE_RATE;
use voiceflow::{Call, Config, Diarizer, LiveSegment, Provider, ProviderPolicy, Segment, Stream};

/// Samples from one live window to the next.
const STEP: usize = 6_400;

/// Options with the embedded model on the processor, and what `set` changes.
fn config(set: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    config.set_runtime_library(support::runtime_library());
    config.set_provider(Provider::Cpu, ProviderPolicy::Required);
    config.set_threads(2).unwrap();
    set(&mut config);
    config
}

/// One diarizer for all tests.
fn diarizer() -> &'static Diarizer {
    static DIARIZER: OnceLock<Diarizer> = OnceLock::new();
    DIARIZER.get_or_init(|| Diarizer::new(&config(|_| {})).unwrap())
}

/// A stream of 16 kHz mono with the options that `set` changes.
fn stream(set: impl FnOnce(&mut Config)) -> Stream {
    Stream::new(diarizer(), &config(set), SAMPLE_RATE, 1).unwrap()
}

/// Pushes samples in one go.
fn push(stream: &Stream, samples: &[f32]) {
    stream.push_f32(samples, &Call::none()).unwrap();
}

/// All that waits.
fn read(stream: &Stream) -> Vec<LiveSegment> {
    let told = stream.read(usize::MAX);
    assert_eq!(stream.waiting(), 0);
    told
}

/// The segments that are final.
fn finals(told: &[LiveSegment]) -> Vec<Segment> {
    told.iter().filter(|live| live.is_final).map(|live| live.segment).collect()
}

/// Ends a stream; its final segments that were not read yet.
fn finish(stream: &Stream) -> Vec<Segment> {
    stream.finish(&Call::none()).unwrap();
    let told = read(stream);
    assert!(told.iter().all(|live| live.is_final));
    finals(&told)
}

/// The final segments of samples that are pushed in one go.
fn finals_of(stream: &Stream, samples: &[f32]) -> Vec<Segment> {
    push(stream, samples);
    [finals(&read(stream)), finish(stream)].concat()
}
