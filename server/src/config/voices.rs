//! The section of known voices.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use voiceflow::gallery::MAX_VOICES;

use super::sections::within;

/// Galleries of known voices.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Voices {
    /// Folder in which they are kept; no galleries without it.
    pub folder: Option<PathBuf>,
    /// Most galleries of a tenant.
    pub galleries: usize,
    /// Most voices of a gallery.
    pub voices: usize,
}

impl Default for Voices {
    fn default() -> Self {
        Self { folder: None, galleries: 100, voices: 1000 }
    }
}

impl Voices {
    pub(super) fn check(&self) -> Result<(), String> {
        within("voices.galleries", self.galleries as f64, 1.0..=1e6)?;
        within("voices.voices", self.voices as f64, 1.0..=MAX_VOICES as f64)
    }
}
