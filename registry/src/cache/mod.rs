//! Versions that were fetched: a folder for each digest, written as a whole or not at all, hashed
//! again before each use, and removed when there are too many and nobody uses it.
//!
//! ```text
//! <cache>/<sha256>/            a version with its checksum.sha256
//! <cache>/names/<name>         a link to the version that was fetched last
//! <cache>/seen/<registry>/…    what each reference stood for, the sequence of its channel, and what
//!                              was fetched before, where that alone is here
//! <cache>/locks/, <cache>/partial/
//! ```

mod bundle;
mod evict;
mod fetch;
mod seen;

use std::path::{Path, PathBuf};

pub use bundle::Bundle;

use crate::error::{Error, Result};
use crate::names::{Reference, Resolved};
use crate::registry::Registry;
use crate::store::blocking;

/// A cache in a folder, which any number of processes may share.
#[derive(Clone, Debug)]
pub struct Cache {
    root: PathBuf,
    most_bytes: u64,
}

/// What a reference stands for, and whether that is known from the registry or from before.
#[derive(Debug)]
pub struct Found {
    /// The version.
    pub resolved: Resolved,
    /// Why the registry did not say: then this is what it said last, or what it said before where
    /// that alone was ever fetched.
    pub stale: Option<Error>,
}

impl Cache {
    /// How large a cache usually gets in bytes.
    pub const USUAL_BYTES: u64 = 4 << 30;

    /// Opens the cache in `folder`, which is made where it is not there. Versions beyond
    /// `most_bytes` are removed, those used longest ago first; versions in use stay.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(folder: impl AsRef<Path>, most_bytes: u64) -> Result<Self> {
        let folder = folder.as_ref();
        let root = std::path::absolute(folder).map_err(|error| Error::io(folder, error))?;
        let cache = Self { root, most_bytes };
        for folder in ["locks", "partial", "seen", "names"].map(|name| cache.root.join(name)) {
            std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, error))?;
        }
        Ok(cache)
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder with a link for each model to the version that was fetched last, which the
    /// variable `VOICEFLOW_MODELS` may name.
    pub fn names(&self) -> PathBuf {
        self.root.join("names")
    }

    /// What the reference stands for: as the registry says, or as it said last where it cannot be
    /// reached; where what it said last is not in the cache, as it said before, if that is. The
    /// channel's sequence is remembered, whether or not its version is fetched then.
    ///
    /// # Errors
    /// Those of [`Registry::resolve`]; [`Error::Untrusted`] for a channel whose sequence is lower
    /// than before, unless it says that it was moved back and is newer; and for a version whose
    /// contents are others than before.
    pub async fn resolve(&self, registry: &Registry, reference: &Reference) -> Result<Found> {
        match registry.resolve(reference).await {
            Ok(resolved) => {
                let (cache, url) = (self.clone(), registry.url().to_owned());
                let (reference, found) = (reference.clone(), resolved.clone());
                let patience = registry.patience().answer;
                blocking(move || cache.remember(&url, &reference, &found, patience)).await?;
                Ok(Found { resolved, stale: None })
            }
            Err(error) if error.is_unavailable() => match self.last(registry.url(), reference)? {
                Some(resolved) => Ok(Found { resolved, stale: Some(error) }),
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// What the reference stood for when it was resolved last.
    ///
    /// # Errors
    /// [`Error::Untrusted`] for a file of the cache that is damaged, [`Error::Io`].
    pub fn seen(&self, registry: &Registry, reference: &Reference) -> Result<Option<Resolved>> {
        Ok(self.recall(registry.url(), reference)?.map(|seen| seen.said))
    }
}
