//! Which model a gallery's voices come from.

use std::fmt;

use crate::error::{Error, Result};
use crate::model::ModelInfo;
use crate::types::VoiceSpace;

/// What distinguishes one model from another.
#[derive(Clone, Debug, PartialEq)]
pub struct Fingerprint {
    /// Name of the model.
    pub name: String,
    /// Its version; empty for public models, which have none.
    pub version: String,
    /// SHA-256 of the model file, 64 lower-case hexadecimal digits; of two files, that of their two
    /// SHA-256.
    pub sha256: String,
    /// Name of its voice space; empty where the model does not say.
    pub voice_space: String,
    /// Values in one embedding.
    pub dimension: usize,
}

impl Fingerprint {
    /// That of a model.
    pub fn of(model: &ModelInfo) -> Self {
        Self {
            name: model.name.clone(),
            version: model.version.clone(),
            sha256: model.sha256.clone(),
            voice_space: model.voice_space.clone(),
            dimension: model.embedding_dim,
        }
    }

    /// What its embeddings can be compared with.
    pub fn voices(&self) -> VoiceSpace {
        VoiceSpace { name: self.voice_space.clone(), sha256: self.sha256.clone() }
    }

    /// Refuses embeddings of another voice space.
    ///
    /// # Errors
    /// [`Error::Gallery`], which names both.
    pub(super) fn check_voices(&self, found: &VoiceSpace) -> Result<()> {
        let own = self.voices();
        if own.shares_voices_with(found) {
            return Ok(());
        }
        Err(Error::Gallery(format!("voice space: expected that of the gallery, {own}, got {found}")))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Twelve digits distinguish models, and leave the line readable.
        let short: String = self.sha256.chars().take(12).collect();
        write!(f, "{:?}", self.name)?;
        if !self.version.is_empty() {
            write!(f, " {}", self.version.replace(char::is_control, "?"))?;
        }
        write!(f, " (sha256 {short}…, {} values)", self.dimension)
    }
}
