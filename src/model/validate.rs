//! Tells what kind of model a file holds and whether it can be used as such.

use super::joint::check::{self, breach};
use super::source::{self, Label};
use super::two_stage;
use crate::call::Call;
use crate::config::{Config, ModelSource};
use crate::error::Result;
use crate::onnx::Network;

/// The kinds of models that a diarizer can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelKind {
    /// Activity and voices from one network that keeps the model contract.
    Joint,
    /// A pyannote-style segmentation network.
    Segmentation,
    /// A speaker embedding network.
    Embedding,
}

/// What was found of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What the file's tensors show it to be.
    pub kind: ModelKind,
    /// What it would be used with: name and value.
    pub facts: Vec<(&'static str, String)>,
    /// Why it cannot be used; each names the tensor or key, what was expected and what was found.
    /// None for a good model.
    pub breaches: Vec<String>,
}

/// Finds out what the file of `source` is, and loads and runs it as a diarizer would. The options
/// of `config` apply, but for its models.
///
/// # Errors
/// Those of [`Session::new`](super::Session::new) that keep the file from being opened at all.
pub fn validate(source: &ModelSource, config: &Config) -> Result<Report> {
    let mut config = config.clone();
    config.set_slots(1)?;
    let kind = kind(source, &config)?;
    let facts = match kind {
        ModelKind::Joint => {
            let (facts, breaches) = check::check(source, &config)?;
            return Ok(Report { kind, facts, breaches });
        }
        ModelKind::Segmentation => two_stage::segmentation_facts(source, &config),
        ModelKind::Embedding => two_stage::embedding_facts(source, &config),
    };
    match facts {
        Ok(facts) => Ok(Report { kind, facts, breaches: Vec::new() }),
        Err(error) => Ok(Report { kind, facts: Vec::new(), breaches: vec![breach(error)?] }),
    }
}

/// Joint models take samples alone, or give an activity; of the others, segmentation networks give
/// classes for each frame of one channel of samples.
fn kind(source: &ModelSource, config: &Config) -> Result<ModelKind> {
    let model = source::read_model(source)?;
    let label = Label(source).to_string();
    let (_, described) = Network::open(&model, &label, config, &Call::none(), |described, _| described)?;
    let input_axes = described.inputs.first().map(|tensor| tensor.sizes.clone()).unwrap_or_default();
    let joint = described.text("voiceflow.contract").is_some()
        || described.outputs.iter().any(|tensor| tensor.name == super::contract::ACTIVITY)
        || input_axes.len() != 3;
    let one_channel = input_axes.get(1).is_some_and(|size| matches!(size, Some(1)));
    let frames = described.outputs.first().is_some_and(|tensor| tensor.sizes.len() == 3);
    Ok(match (joint, one_channel || (frames && described.inputs.len() == 1)) {
        (true, _) => ModelKind::Joint,
        (false, true) => ModelKind::Segmentation,
        (false, false) => ModelKind::Embedding,
    })
}
