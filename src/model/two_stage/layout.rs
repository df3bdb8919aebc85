//! What a speaker embedding file wants: its family, tensors and features. Facts of the families are
//! those of the WeSpeaker, 3D-Speaker and NeMo toolkits and of the metadata that sherpa-onnx's
//! exports carry.

use super::metadata::check_sample_rate;
use crate::config::{Config, EmbeddingFamily, Frontend, MAX_BATCH};
use crate::error::Result;
use crate::features::{FeatureSettings, Normalization};
use crate::onnx::{Description, Elements, Tensor};

/// Mel bins of a file that does not say.
const USUAL_BINS: usize = 80;
/// Most mel bins of a file: more have no bin of the spectrum to themselves.
const MAX_BINS: usize = 256;
/// Step from one frame of the features to the next, of all families, in milliseconds.
const STEP_MS: usize = 10;

/// How an embedding network is given its input and where its output is.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) family: EmbeddingFamily,
    /// The recipe of the features.
    pub(super) frontend: Frontend,
    /// The features.
    pub(super) features: FeatureSettings,
    /// Mel bins.
    pub(super) bins: usize,
    /// Name of the input of features.
    pub(super) input: String,
    /// Whether bins come before frames: [batch, bins, frames].
    pub(super) bins_first: bool,
    /// Whether the numbers of frames are a second input.
    pub(super) has_lengths: bool,
    /// Name of the output that is the embedding: [batch, dim].
    pub(super) output: String,
    /// Rows of every run, where the file fixes them.
    pub(super) fixed_batch: Option<usize>,
}

impl Layout {
    /// Finds out what the file wants.
    ///
    /// # Errors
    /// [`crate::Error::Model`] names the tensor or metadata key, and the option that supplies what
    /// is missing.
    pub(super) fn of(described: &Description, config: &Config) -> Result<Self> {
        check_sample_rate(described)?;
        let family = family(described, config)?;
        let nemo = family == EmbeddingFamily::Nemo;
        let expected = if nemo {
            "inputs float32 [batch, bins, frames] and int64 [batch] and as second output an embedding [batch, dim]"
        } else {
            "one input float32 [batch, frames, bins] and an output float32 [batch, dim]"
        };
        let (inputs, place) = if nemo { (2, 1) } else { (1, 0) };
        let input = described.inputs.first().filter(|tensor| tensor.is_float(3));
        let output = described.outputs.get(place).filter(|tensor| tensor.is_float(2) || tensor.is_float(3));
        let lengths = !nemo || described.inputs.get(1).is_some_and(is_lengths);
        let (Some(input), Some(output)) = (input, output) else {
            return Err(described.wrong_tensors(&kind(family), expected));
        };
        let (frames_axis, bins_axis) = if nemo { (2, 1) } else { (1, 2) };
        if described.inputs.len() != inputs || !lengths || input.sizes[frames_axis].is_some() {
            return Err(described.wrong_tensors(&kind(family), expected));
        }
        let (bins, place) = match input.sizes[bins_axis] {
            Some(bins) => (bins, format!("input `{}`", input.name)),
            None => (described.number("feat_dim")?.unwrap_or(USUAL_BINS), "metadata `feat_dim`".to_owned()),
        };
        if !(1..=MAX_BINS).contains(&bins) {
            return Err(
                described.broken(&format!("{place}: expected 1 to {MAX_BINS} mel bins, found {bins}"))
            );
        }
        described.check_batch(input.sizes[0], MAX_BATCH)?;
        // A file may have been made for what sherpa-onnx computes.
        let frontend = match described.text("voiceflow.frontend") {
            None | Some("trained") => config.frontend(),
            Some("sherpa") => Frontend::Sherpa,
            Some(other) => {
                return Err(described.broken(&format!(
                    "metadata `voiceflow.frontend`: expected trained or sherpa, found {other:?}"
                )));
            }
        };
        Ok(Layout {
            family,
            frontend,
            features: features(described, family, frontend)?,
            bins,
            input: input.name.clone(),
            bins_first: nemo,
            has_lengths: nemo,
            output: output.name.clone(),
            fixed_batch: input.sizes[0],
        })
    }
}

/// The features that a file wants, of `audio`, row by row.
#[cfg(fuzzing)]
pub(in crate::model) fn features_of(
    described: &Description,
    config: &Config,
    audio: &[f32],
) -> Result<Vec<f32>> {
    let layout = Layout::of(described, config)?;
    let extractor = crate::features::FeatureExtractor::new(&layout.features, layout.bins);
    let mut features = extractor.compute(audio)?;
    extractor.normalize(&mut features.view_mut());
    Ok(features.into_iter().collect())
}

fn kind(family: EmbeddingFamily) -> String {
    format!("a speaker embedding network of the family {}", family.name())
}

fn is_lengths(tensor: &Tensor) -> bool {
    tensor.elements == Some(Elements::Int64) && tensor.sizes.len() == 1
}

/// Whether the first input can be features: three axes, and not samples [batch, 1, samples] as
/// segmentation networks take them.
fn takes_features(described: &Description) -> bool {
    described.inputs.first().is_some_and(|tensor| tensor.is_float(3) && tensor.sizes[1] != Some(1))
}

/// The family: the option, the metadata key `framework`, or what the tensors show.
fn family(described: &Description, config: &Config) -> Result<EmbeddingFamily> {
    const FAMILIES: [EmbeddingFamily; 3] =
        [EmbeddingFamily::WeSpeaker, EmbeddingFamily::ThreeDSpeaker, EmbeddingFamily::Nemo];
    if config.embedding_family() != EmbeddingFamily::Auto {
        return Ok(config.embedding_family());
    }
    if let Some(text) = described.text("framework") {
        return FAMILIES.into_iter().find(|family| family.name().eq_ignore_ascii_case(text)).ok_or_else(
            || {
                described.broken(&format!(
                "metadata `framework`: expected wespeaker, 3d-speaker or nemo, found {text:?}; the option \
                 embedding_family says which it is like"
            ))
            },
        );
    }
    let names = |tensors: &[Tensor]| tensors.iter().map(|tensor| tensor.name.clone()).collect::<Vec<_>>();
    let inputs = names(&described.inputs);
    let outputs = names(&described.outputs);
    if inputs.len() == 2 && described.inputs.get(1).is_some_and(is_lengths) {
        return Ok(EmbeddingFamily::Nemo);
    }
    // The names that the exporters of the toolkits give.
    match (inputs.first().map(String::as_str), outputs.first().map(String::as_str)) {
        (Some("feats"), Some("embs")) => Ok(EmbeddingFamily::WeSpeaker),
        (Some("x" | "feature"), Some("embedding")) => Ok(EmbeddingFamily::ThreeDSpeaker),
        _ if !takes_features(described) => Err(described.wrong_tensors(
            "a speaker embedding network",
            "features float32 [batch, frames, bins] or [batch, bins, frames] as its first input",
        )),
        _ => Err(described.broken(
            "metadata `framework`: expected wespeaker, 3d-speaker or nemo, found no such key, and its tensors are not \
             named as in one of them; the option embedding_family supplies it",
        )),
    }
}

/// The features: the family's, changed by what the file says of itself.
fn features(described: &Description, family: EmbeddingFamily, frontend: Frontend) -> Result<FeatureSettings> {
    let mut settings = match family {
        EmbeddingFamily::Nemo => FeatureSettings::nemo(frontend),
        EmbeddingFamily::ThreeDSpeaker => FeatureSettings::three_d_speaker(frontend),
        EmbeddingFamily::WeSpeaker | EmbeddingFamily::Auto => FeatureSettings::wespeaker(frontend),
    };
    if let Some(frame) = milliseconds(described, "window_size_ms")? {
        let refused = |error| described.broken(&format!("metadata {error}"));
        settings = settings.with_frame_ms(frame).map_err(refused)?;
    }
    match milliseconds(described, "window_stride_ms")? {
        Some(step) if step != STEP_MS => {
            let text = format!("metadata `window_stride_ms`: expected {STEP_MS}, found {step}");
            return Err(described.broken(&text));
        }
        _ => {}
    }
    match described.number::<u8>("normalize_samples")? {
        None => {}
        Some(unit @ (0 | 1)) => settings = settings.with_unit_samples(unit == 1),
        Some(other) => {
            return Err(
                described.broken(&format!("metadata `normalize_samples`: expected 0 or 1, found {other}"))
            );
        }
    }
    Ok(match described.text("feature_normalize_type") {
        None | Some("per_feature") => settings,
        Some("global-mean") => settings.with_normalization(Normalization::Mean),
        Some("none") => settings.with_normalization(Normalization::None),
        Some(other) => {
            return Err(described.broken(&format!(
                "metadata `feature_normalize_type`: expected global-mean, per_feature or none, found {other:?}"
            )));
        }
    })
}

/// A length of time in the metadata, which NeMo's exporters give in seconds whatever the key says.
fn milliseconds(described: &Description, key: &str) -> Result<Option<usize>> {
    let found = described.number::<f64>(key)?;
    Ok(found.map(|value| (if value < 1.0 { value * 1000.0 } else { value }).round() as usize))
}
