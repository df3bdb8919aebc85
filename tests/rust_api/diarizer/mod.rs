//! The diarizer with its own model on real recordings. Nothing here depends on how good the model
//! is, beyond that it hears speech where people talk and none in silence.

mod call;
mod concurrency;
mod counts;
mod formats;
mod hop;
mod parts;
mod sameness;
mod silence;
mod smoothing;

use crate::invariants::diarize;
use crate::support;
use voiceflow::{Config, Diarizer, Provider, ProviderPolicy};

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
