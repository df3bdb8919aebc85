//! validation_report.json: what was measured of a model before it is published.

use std::collections::BTreeMap;

use serde::Deserialize;
use voiceflow_registry::Digest;

use crate::exit::Failure;

/// Format of the evaluation that this program reads.
const FORMAT: &str = "voiceflow.evaluation";
/// Its version.
const VERSION: u32 = 1;

/// The file. Other keys are for people.
#[derive(Clone, Debug, Deserialize)]
pub struct Report {
    /// How much the exported model differs from what was trained.
    #[serde(default)]
    largest_difference_from_pytorch: Option<f64>,
    #[serde(default)]
    allowed: Option<f64>,
    evaluation: Evaluation,
}

#[derive(Clone, Debug, Deserialize)]
struct Evaluation {
    format: String,
    version: u32,
    model: Measured,
    #[serde(default)]
    diarization: BTreeMap<String, Set>,
}

/// Which files were measured.
#[derive(Clone, Debug, Deserialize)]
struct Measured {
    /// Of a joint model.
    #[serde(default)]
    sha256: Option<String>,
    /// Of a pair: the digest of each file.
    #[serde(default)]
    files: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Set {
    overall: Overall,
}

#[derive(Clone, Debug, Deserialize)]
struct Overall {
    /// A fraction; absent where the references have no speech.
    der: Option<f64>,
}

impl Report {
    /// Reads the file.
    pub fn parse(text: &[u8]) -> Result<Self, Failure> {
        let wrong = |reason: String| Failure::Failed(format!("validation_report.json: {reason}"));
        let report: Self = serde_json::from_slice(text)
            .map_err(|error| wrong(format!("expected a report with an evaluation: {error}")))?;
        let Evaluation { format, version, .. } = &report.evaluation;
        if (format.as_str(), *version) != (FORMAT, VERSION) {
            let expected = format!("expected an evaluation of format {FORMAT} {VERSION}");
            return Err(wrong(format!("{expected}, found {format} {version}")));
        }
        Ok(report)
    }

    /// The diarization error rate on each set of recordings.
    pub fn ders(&self) -> BTreeMap<String, f64> {
        let sets = self.evaluation.diarization.iter();
        sets.filter_map(|(name, set)| Some((name.clone(), set.overall.der?))).collect()
    }

    /// What keeps a bundle with these model files from being published.
    pub fn breaches(&self, models: &[(&str, Digest)]) -> Vec<String> {
        let mut breaches = Vec::new();
        let Measured { sha256, files } = &self.evaluation.model;
        for (file, digest) in models {
            let measured = files.get(*file).or(sha256.as_ref().filter(|_| models.len() == 1));
            match measured {
                Some(measured) if measured == digest.as_str() => {}
                Some(measured) => breaches.push(format!(
                    "evaluation: expected that of {file} with sha256 {digest}, found that of {measured}"
                )),
                None => breaches.push(format!("evaluation: expected that of {file}, found none")),
            }
        }
        if let (Some(difference), Some(allowed)) = (self.largest_difference_from_pytorch, self.allowed)
            && difference > allowed
        {
            breaches.push(format!(
                "largest_difference_from_pytorch: expected at most {allowed}, found {difference}"
            ));
        }
        if self.ders().is_empty() {
            breaches
                .push("evaluation: expected the DER of at least one set of recordings, found none".into());
        }
        breaches
    }
}
