//! Models that are exchanged while they are in use.

mod failures;
mod streams;
mod under_way;
mod versions;

use voiceflow::audio::{BufferSource, SAMPLE_RATE};
use voiceflow::{Call, Config, Diarization, Diarizer, ModelSource, Provider, ProviderPolicy, Reloadable};

use crate::support;

/// Options on the processor, with what `set` changes.
fn config(set: impl FnOnce(&mut Config)) -> Config {
    let mut config = Config::default();
    config.set_runtime_library(support::runtime_library());
    config.set_provider(Provider::Cpu, ProviderPolicy::Required);
    config.set_threads(2).unwrap();
    set(&mut config);
    config
}

/// Options with a fixture of tests/data/models.
fn fixture(name: &str) -> Config {
    let path = support::root().join("tests/data/models").join(name);
    config(|config| config.set_model(ModelSource::File(path)))
}

/// A diarizer of a small model, which can be exchanged.
fn small() -> Reloadable<Diarizer> {
    Reloadable::new(Diarizer::new(&fixture("good.onnx")).unwrap())
}

/// What a diarizer finds in samples at 16 kHz.
fn diarize(diarizer: &Diarizer, samples: &[f32]) -> Diarization {
    let mut source = BufferSource::from_f32(samples, SAMPLE_RATE, 1).unwrap();
    diarizer.process(&mut source, &Call::none()).unwrap()
}
