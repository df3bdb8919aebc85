//! metadata.json of a bundle: its name, its version, and what its models are tuned to.

use std::fmt::Display;

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::model::contract::check_voice_space;
use crate::model::tuning::{Kind, Stated};

/// What a bundle says of itself. Other keys are for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) version: String,
    /// Empty where it does not say.
    pub(super) voice_space: String,
    pub(super) tuning: Stated,
}

/// The file.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct File {
    name: String,
    version: String,
    voice_space: Option<String>,
    tuning: Map<String, Value>,
}

impl Metadata {
    /// Reads a metadata.json, which messages call `label`, of a bundle with models of this kind.
    ///
    /// # Errors
    /// [`Error::Model`] for one that is none.
    pub(super) fn parse(text: &[u8], kind: Kind, label: &dyn Display) -> Result<Self> {
        let broken = |reason: String| Error::Model(format!("{label}: {reason}"));
        let File { name, version, voice_space, tuning } = serde_json::from_slice(text)
            .map_err(|error| broken(format!("expected the metadata of a bundle, found another ({error})")))?;
        let tuning = Stated::new(tuning, kind).map_err(|reason| broken(format!("tuning: {reason}")))?;
        if let Some(name) = &voice_space {
            check_voice_space(name).map_err(|reason| broken(format!("voice_space: {reason}")))?;
        }
        Ok(Metadata { name, version, voice_space: voice_space.unwrap_or_default(), tuning })
    }
}
