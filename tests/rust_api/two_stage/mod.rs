//! The pair of a segmentation and an embedding network as a caller meets it, on small files of each
//! family with random weights (tests/data/families): they hear something, but no one in particular.

mod call;
mod clustering;
mod embedding_files;
mod import;
mod proto;
mod results;
mod segmentation_files;
mod sound;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::invariants::diarize;
use crate::support;
use voiceflow::{Config, Diarizer, ModelSource, Provider, ProviderPolicy};

/// A file of tests/data/families.
fn family(name: &str) -> PathBuf {
    support::root().join("tests/data/families").join(format!("{name}.onnx"))
}

/// The bytes of such a file.
fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(family(name)).unwrap()
}

/// Options without models: the processor, one thread.
fn config() -> Config {
    let mut config = Config::default();
    config.set_runtime_library(support::runtime_library());
    config.set_provider(Provider::Cpu, ProviderPolicy::Required);
    config.set_threads(1).unwrap();
    config
}

/// Options with two files.
fn pair(segmentation: &Path, embedding: &Path) -> Config {
    let mut config = config();
    config.set_segmentation_model(ModelSource::File(segmentation.to_owned())).unwrap();
    config.set_embedding_model(ModelSource::File(embedding.to_owned())).unwrap();
    config
}

/// A diarizer of the usual segmentation network and the embedding network `embedding`.
fn diarizer(embedding: &str, set: impl FnOnce(&mut Config)) -> Diarizer {
    let mut config = pair(&family("segmentation"), &family(embedding));
    set(&mut config);
    Diarizer::new(&config).unwrap()
}

/// Why the pair of these two files, in memory, is not loaded.
fn refusal(segmentation: Vec<u8>, embedding: Vec<u8>, set: impl FnOnce(&mut Config)) -> String {
    let mut config = config();
    config.set_segmentation_model(ModelSource::Memory(Arc::from(segmentation))).unwrap();
    config.set_embedding_model(ModelSource::Memory(Arc::from(embedding))).unwrap();
    set(&mut config);
    Diarizer::new(&config).unwrap_err().to_string()
}
