//! The model contract, version 1: what a file must say of itself and which tensors it must have.
//! Collects every breach, each naming the tensor or key, what was expected and what the file has.
//! Runs nothing.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

use super::quoted::quoted;
use super::tuning::USUAL_IDENTITY_THRESHOLD;
use crate::config::Provider;
use crate::onnx::{Description, Elements, Tensor};
use crate::types::VoiceSpace;

/// The contract version that this library understands.
pub const CONTRACT_VERSION: u32 = 1;
/// Samples for each second that a model must take, in hertz.
pub const SAMPLE_RATE: usize = crate::features::SAMPLE_RATE;
/// Longest window of a model in samples: 60 s.
const MAX_WINDOW_SAMPLES: usize = 60 * SAMPLE_RATE;
/// Most local speakers of a model.
const MAX_LOCAL_SPEAKERS: usize = 16;
/// Longest name of a voice space.
const MAX_VOICE_SPACE_BYTES: usize = 128;
/// The metadata property that names the voice space.
const VOICE_SPACE: &str = "voiceflow.voice_space";
/// Longest embedding of a model.
const MAX_EMBEDDING_DIM: usize = 4096;

pub(super) const AUDIO: &str = "audio";
pub(super) const ACTIVITY: &str = "activity";
pub(super) const EMBEDDING: &str = "embedding";

/// The thresholds that a model was tuned with.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Thresholds {
    /// Activity, 0 to 1, at which a silent speaker starts to speak.
    pub onset: f32,
    /// Activity, 0 to 1, under which a speaker stops.
    pub offset: f32,
    /// Distance, 0 to 2, under which two clusters of voices are one speaker, as the clustering
    /// measures it.
    pub clustering: f32,
    /// Cosine similarity, -1 to 1, from which a voice is taken for one that is enrolled in a
    /// gallery.
    pub identity: f32,
}

/// What a model says of itself, and where it runs.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelInfo {
    /// Name of the model.
    pub name: String,
    /// Version of the model, semantic; empty for public models, which have none.
    pub version: String,
    /// Samples for each second of its input, in hertz: [`SAMPLE_RATE`].
    pub sample_rate: usize,
    /// Samples in one window, up to 60 s.
    pub window_samples: usize,
    /// Samples from the start of one window to the next, by default; at most a window.
    pub hop_samples: usize,
    /// Samples from one frame of `activity` to the next. A row of audio has as many frames as whole
    /// steps.
    pub frame_step_samples: usize,
    /// Samples from the start of the window to the middle of the first frame.
    pub frame_offset_samples: usize,
    /// Local speakers in one window, 1 to 16.
    pub max_speakers: usize,
    /// Numbers in one embedding, 1 to 4096.
    pub embedding_dim: usize,
    /// The thresholds that it was tuned with.
    pub thresholds: Thresholds,
    /// SHA-256 of the model file, 64 lower-case hexadecimal digits; of two files, that of their two
    /// SHA-256.
    pub sha256: String,
    /// Name of the voice space: models of one family say the same, where their embeddings can be
    /// compared. Empty where the model does not say: its embeddings are then compared with each
    /// other alone.
    pub voice_space: String,
    /// The provider that runs it: never [`Provider::Auto`].
    pub provider: Provider,
}

impl ModelInfo {
    /// What its embeddings can be compared with.
    pub fn voices(&self) -> VoiceSpace {
        VoiceSpace { name: self.voice_space.clone(), sha256: self.sha256.clone() }
    }

    /// Frames of the `activity` of a row of `samples` samples, by the contract of joint models: its
    /// whole frame steps.
    pub(super) fn frames(&self, samples: usize) -> usize {
        samples / self.frame_step_samples.max(1)
    }
}

/// Reads what a file says of itself, in its metadata and its tensors. The fields that a breach left
/// open hold zero.
pub(super) fn read(described: &Description, sha256: String, provider: Provider) -> (ModelInfo, Vec<String>) {
    let mut reader = Reader { properties: described.properties(), breaches: Vec::new() };
    let version = CONTRACT_VERSION as usize;
    reader.number("contract", version..=version);
    let name = reader.text("name", "a name", |name| !name.trim().is_empty());
    let model_version = reader.text("version", "a semantic version such as 1.0.0", is_semver);
    let sample_rate = reader.number("sample_rate", SAMPLE_RATE..=SAMPLE_RATE);
    let window_samples = reader.number("window_samples", 1..=MAX_WINDOW_SAMPLES);
    // Zero is a breach already told.
    let window = if window_samples == 0 { MAX_WINDOW_SAMPLES } else { window_samples };
    let info = ModelInfo {
        name,
        version: model_version,
        sample_rate,
        window_samples,
        hop_samples: reader.number("hop_samples", 1..=window),
        frame_step_samples: reader.number("frame_step_samples", 1..=window),
        frame_offset_samples: reader.number("frame_offset_samples", 0..=window),
        max_speakers: reader.number("max_speakers", 1..=MAX_LOCAL_SPEAKERS),
        embedding_dim: reader.number("embedding_dim", 1..=MAX_EMBEDDING_DIM),
        thresholds: reader.thresholds(),
        sha256,
        voice_space: reader.voice_space(),
        provider,
    };
    let mut breaches = reader.breaches;
    check_tensors(
        &described.inputs,
        "input",
        &[(AUDIO, &[Size::Dynamic, Size::Dynamic], "[batch, samples]")],
        &mut breaches,
    );
    let size = |size: usize| if size > 0 { Size::Exactly(size) } else { Size::Unknown };
    let (speakers, dim) = (size(info.max_speakers), size(info.embedding_dim));
    let outputs: [Declared; 2] = [
        (ACTIVITY, &[Size::Dynamic, Size::Dynamic, speakers], "[batch, frames, speakers]"),
        (EMBEDDING, &[Size::Dynamic, speakers, dim], "[batch, speakers, dim]"),
    ];
    check_tensors(&described.outputs, "output", &outputs, &mut breaches);
    (info, breaches)
}

/// Reads properties and collects what is wrong with them.
struct Reader<'a> {
    properties: &'a BTreeMap<String, String>,
    breaches: Vec<String>,
}

impl Reader<'_> {
    fn get(&mut self, key: &str, expected: &dyn Display) -> Option<String> {
        let found = self.properties.get(&format!("voiceflow.{key}")).cloned();
        if found.is_none() {
            self.breach(key, expected, "no such key");
        }
        found
    }

    fn breach(&mut self, key: &str, expected: &dyn Display, found: &str) {
        self.breaches.push(format!("metadata `voiceflow.{key}`: expected {expected}, found {found}"));
    }

    fn number(&mut self, key: &str, range: RangeInclusive<usize>) -> usize {
        let (low, high) = (range.start(), range.end());
        let expected = if low == high { low.to_string() } else { format!("a number from {low} to {high}") };
        let Some(text) = self.get(key, &expected) else { return 0 };
        match usize::from_str(&text) {
            Ok(number) if range.contains(&number) => number,
            _ => {
                self.breach(key, &expected, &quoted(&text));
                0
            }
        }
    }

    fn text(&mut self, key: &str, expected: &str, is_good: impl Fn(&str) -> bool) -> String {
        let Some(text) = self.get(key, &expected) else { return String::new() };
        if !is_good(&text) {
            self.breach(key, &expected, &quoted(&text));
        }
        text
    }

    /// A key that may be absent.
    fn voice_space(&mut self) -> String {
        let found = voice_space(self.properties);
        found.unwrap_or_else(|breach| {
            self.breaches.push(breach);
            String::new()
        })
    }

    fn thresholds(&mut self) -> Thresholds {
        const KEY: &str = "thresholds";
        let expected = "a JSON object with `onset`, `offset` and `clustering`";
        let Some(text) = self.get(KEY, &expected) else { return Thresholds::default() };
        let Ok(serde_json::Value::Object(object)) = serde_json::from_str(&text) else {
            self.breach(KEY, &expected, &quoted(&text));
            return Thresholds::default();
        };
        let mut number = |name: &str, high: f64, usual: Option<f32>| match object
            .get(name)
            .and_then(serde_json::Value::as_f64)
        {
            Some(value) if (0.0..=high).contains(&value) => value as f32,
            None if !object.contains_key(name) && usual.is_some() => usual.unwrap_or_default(),
            _ => {
                let found = object.get(name).map_or("no such key".to_owned(), ToString::to_string);
                let expected = format!("`{name}` to be a number from 0 to {high}");
                self.breach(KEY, &expected, &found);
                0.0
            }
        };
        Thresholds {
            onset: number("onset", 1.0, None),
            offset: number("offset", 1.0, None),
            clustering: number("clustering", 2.0, None),
            identity: number("identity", 1.0, Some(USUAL_IDENTITY_THRESHOLD)),
        }
    }
}

/// The voice space that a file states among its metadata; empty where it states none.
///
/// # Errors
/// What was expected and what was found.
pub(super) fn voice_space(properties: &BTreeMap<String, String>) -> Result<String, String> {
    let Some(name) = properties.get(VOICE_SPACE) else { return Ok(String::new()) };
    check_voice_space(name).map_err(|reason| format!("metadata `{VOICE_SPACE}`: {reason}"))?;
    Ok(name.clone())
}

/// Refuses a name that cannot be one of a voice space.
///
/// # Errors
/// What was expected and what was found.
pub(super) fn check_voice_space(name: &str) -> Result<(), String> {
    if !name.trim().is_empty() && name.len() <= MAX_VOICE_SPACE_BYTES && !name.contains(char::is_control) {
        return Ok(());
    }
    let found = quoted(name);
    Err(format!("expected a name of at most {MAX_VOICE_SPACE_BYTES} bytes, found {found}"))
}

/// `1.2.3`, with or without a pre-release or build part.
fn is_semver(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let number = |part: &str| !part.is_empty() && part.len() <= 9 && part.bytes().all(|b| b.is_ascii_digit());
    core.split('.').count() == 3 && core.split('.').all(number)
}

/// What one axis of a tensor must be.
#[derive(Clone, Copy)]
enum Size {
    /// Different from run to run.
    Dynamic,
    /// This many; a file may leave it open, then a run shows it.
    Exactly(usize),
    /// The metadata that should tell is broken itself.
    Unknown,
}

/// Name, sizes and the shape in words.
type Declared<'a> = (&'a str, &'a [Size], &'a str);

fn check_tensors(found: &[Tensor], kind: &str, expected: &[Declared], breaches: &mut Vec<String>) {
    for (name, sizes, words) in expected {
        match found.iter().find(|tensor| tensor.name == *name) {
            Some(tensor) => check_tensor(tensor, kind, sizes, words, breaches),
            None => {
                let names: Vec<String> = found.iter().map(|tensor| format!("`{}`", tensor.name)).collect();
                let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                breaches.push(format!("{kind} `{name}`: expected float32 {words}, found only {names}"));
            }
        }
    }
    let unknown = found.iter().filter(|tensor| expected.iter().all(|(name, ..)| tensor.name != *name));
    breaches.extend(unknown.map(|tensor| format!("{kind} `{}`: expected no such {kind}", tensor.name)));
}

fn check_tensor(tensor: &Tensor, kind: &str, sizes: &[Size], words: &str, breaches: &mut Vec<String>) {
    let (name, declared) = (&tensor.name, &tensor.declared);
    let Some(elements) = tensor.elements else {
        breaches.push(format!("{kind} `{name}`: expected float32 {words}, found {declared}"));
        return;
    };
    if elements != Elements::Float32 {
        breaches.push(format!("{kind} `{name}`: expected float32, found {elements}"));
    }
    if tensor.sizes.len() != sizes.len() {
        breaches.push(format!("{kind} `{name}`: expected {words}, found {declared}"));
        return;
    }
    for (axis, (found, expected)) in tensor.sizes.iter().zip(sizes).enumerate() {
        let breach = match (found, expected) {
            (None, _) | (_, Size::Unknown) => continue,
            (Some(found), Size::Exactly(size)) if found == size => continue,
            (Some(found), Size::Exactly(size)) => format!("expected {size}, found {found}"),
            (Some(found), Size::Dynamic) => format!("expected a dynamic size, found {found}"),
        };
        breaches.push(format!("{kind} `{name}`, axis {axis} of {words}: {breach}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semantic_versions_are_told_from_others() {
        assert!(is_semver("0.1.0") && is_semver("10.20.30-rc.1+build"));
        assert!(!is_semver("1.0") && !is_semver("1.0.x") && !is_semver("") && !is_semver("1.0.0.0"));
    }
}
