//! The section of the registry of models.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use voiceflow_registry::Cache;

use super::sections::{at_least_one, within};

/// Where models come from that are named `NAME@CHANNEL` or `NAME@VERSION`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Registry {
    /// A folder, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX; no registry without it.
    pub url: Option<String>,
    /// Public keys of minisign, of which one must have signed; needed with s3:// and gs://.
    pub keys: Vec<String>,
    /// Folder in which fetched models are kept.
    pub cache: Option<PathBuf>,
    /// Most bytes in it, beside what runs.
    pub cache_bytes: u64,
    /// Longest wait in seconds for an answer of the registry.
    pub timeout_s: f64,
}

impl Default for Registry {
    fn default() -> Self {
        Self { url: None, keys: Vec::new(), cache: None, cache_bytes: Cache::USUAL_BYTES, timeout_s: 15.0 }
    }
}

impl Registry {
    pub(super) fn check(&self) -> Result<(), String> {
        if self.url.is_some() && self.cache.is_none() {
            return Err("registry.cache: expected a folder with registry.url, got none".to_owned());
        }
        within("registry.timeout_s", self.timeout_s, 0.1..=600.0)?;
        at_least_one("registry.cache_bytes", self.cache_bytes)
    }
}
