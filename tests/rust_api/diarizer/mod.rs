//! The diarizer with its own model on real recordings. Nothing here depends on how good the model is, beyond
//! that it hears speech where people talk and none in silence.

mod concurrency;
mod control;
mod counts;
mod formats;
mod hop;
mod sameness;
mod silence;
mod smoothing;

use crate::{invariants, support};
use voiceflow::audio::{BufferSource, SAMPLE_RATE};
use voiceflow::{Config, Control, Diarization, Diarizer, Provider, ProviderPolicy};

/// The embedded model on the processor, two threads, with the options that `set` changes.
fn try_diarizer(set: impl FnOnce(&mut Config)) -> voiceflow::Result<Diarizer> {
    let mut config = Config::default();
    config.set_runtime_library(support::runtime_library());
    config.set_provider(Provider::Cpu, ProviderPolicy::Required);
    config.set_threads(2).unwrap();
    set(&mut config);
    Diarizer::new(&config)
}

fn diarizer(set: impl FnOnce(&mut Config)) -> Diarizer {
    try_diarizer(set).unwrap()
}

/// Diarizes 16 kHz mono samples; whatever comes out is looked over.
fn diarize(diarizer: &Diarizer, samples: &[f32]) -> Diarization {
    let mut source = BufferSource::from_f32(samples, SAMPLE_RATE, 1).unwrap();
    let result = diarizer.process(&mut source, &Control::none()).unwrap();
    assert_eq!(result.duration_s, samples.len() as f64 / f64::from(SAMPLE_RATE));
    invariants::check(&result, diarizer.model().embedding_dim);
    result
}
