//! Ways for the fuzzers to what this room reads without ONNX Runtime and behind private functions.
//! Compiled for them alone, with `--cfg fuzzing`.

use std::collections::BTreeMap;

use super::contract::{ModelInfo, Thresholds};
use super::golden::Golden;
use super::joint::Inference;
use super::{bundle, import, plda_property, two_stage};
use crate::config::{Config, Provider};
use crate::onnx::Description;

/// Reads the golden vector of a model with this SHA-256 and compares it with outputs of zeros of
/// the shapes [1, `frames`, `speakers`] and [1, `speakers`, `dim`]. Gives whether it belongs to the
/// model.
///
/// # Errors
/// What is wrong with it.
pub fn golden(
    bytes: &[u8],
    sha256: &str,
    [frames, speakers, dim]: [usize; 3],
) -> std::result::Result<bool, String> {
    let info = ModelInfo {
        name: "fuzz".to_owned(),
        version: "1.0.0".to_owned(),
        sample_rate: 16_000,
        window_samples: 16_000,
        hop_samples: 16_000,
        frame_step_samples: 160,
        frame_offset_samples: 80,
        max_speakers: speakers,
        embedding_dim: dim,
        thresholds: Thresholds::default(),
        sha256: sha256.to_owned(),
        voice_space: String::new(),
        provider: Provider::Cpu,
    };
    let Some(golden) = Golden::parse(bytes, &info)? else { return Ok(false) };
    let zeros = ndarray::Array3::zeros;
    let found = Inference { activity: zeros((1, frames, speakers)), embedding: zeros((1, speakers, dim)) };
    golden.check(&found, Provider::Cpu).map(|()| true)
}

/// Reads the PLDA in the metadata of a joint model with embeddings of `dimension` numbers.
///
/// # Errors
/// What is wrong with it.
pub fn plda_property(text: &str, dimension: usize) -> std::result::Result<(), String> {
    let properties = BTreeMap::from([("voiceflow.plda".to_owned(), text.to_owned())]);
    plda_property::read(&properties, dimension).map(drop)
}

/// Reads the metadata.json of a bundle.
///
/// # Errors
/// [`crate::Error::Model`]: what is wrong with it; those of reading a file.
pub fn tuning(path: &std::path::Path) -> crate::Result<()> {
    bundle::check_metadata(path)
}

/// Reads an ONNX file as an embedding network's and cuts it at most `most` times between the
/// tensors `input` and `output`. Gives the number of places.
///
/// # Errors
/// Why it cannot be cut.
pub fn cut(bytes: &[u8], input: &str, output: &str, most: usize) -> std::result::Result<usize, String> {
    import::cut(bytes, input, output, most)
}

/// Computes the features that a speaker embedding file with these metadata wants, of `audio`. Input
/// and output have the shapes `input` and `output`, with 0 for what differs from run to run. Gives
/// the values, row by row.
///
/// # Errors
/// [`crate::Error::Model`]: what is wrong with the metadata or the tensors.
pub fn features(
    metadata: BTreeMap<String, String>,
    input: &[usize],
    output: &[usize],
    audio: &[f32],
) -> crate::Result<Vec<f32>> {
    let described = Description::declared(metadata, input, output);
    two_stage::features_of(&described, &Config::default(), audio)
}
