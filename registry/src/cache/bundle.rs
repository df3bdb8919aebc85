//! A version in the cache that is in use.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::checksums::Checksums;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::files;
use crate::layout::{CHECKSUMS, CHECKSUMS_SIGNATURE, METADATA, limits};
use crate::names::{Resolved, belongs_to};
use crate::registry::same;
use crate::trust::Trust;

/// A version in the cache. It stays there until this is dropped.
#[derive(Debug)]
pub struct Bundle {
    pub(super) folder: PathBuf,
    pub(super) resolved: Resolved,
    /// Whether it had to be fetched.
    pub(super) fetched: bool,
    /// Locked for as long as the version is in use.
    pub(super) _lock: File,
}

impl Bundle {
    /// The folder of its files, which is what the option `bundle` takes.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Which version it is.
    pub fn resolved(&self) -> &Resolved {
        &self.resolved
    }

    /// Whether it was not in the cache before.
    pub fn was_fetched(&self) -> bool {
        self.fetched
    }
}

/// Whether a folder holds the version, to the bit.
///
/// # Errors
/// [`Error::Untrusted`] with what differs, [`Error::Io`].
pub(super) fn check(folder: &Path, resolved: &Resolved, trust: &Trust) -> Result<()> {
    let path = folder.join(CHECKSUMS);
    let place = path.display().to_string();
    let text = files::read(&path, limits::CHECKSUM_BYTES)?;
    same(&place, &resolved.sha256, &Digest::of(&text))?;
    let signature = files::read_if_there(&folder.join(CHECKSUMS_SIGNATURE), limits::SIGNATURE_BYTES)?;
    trust.verify(&text, signature.as_deref(), &place)?;
    let list = Checksums::parse(&text, &place)?;
    for (file, expected) in list.files() {
        let path = folder.join(file);
        let (_, found) = files::digest(&path, limits::FILE_BYTES)?;
        same(&path.display().to_string(), expected, &found)?;
    }
    let known: BTreeSet<&str> =
        list.files().map(|(file, _)| file).chain([CHECKSUMS, CHECKSUMS_SIGNATURE]).collect();
    for entry in std::fs::read_dir(folder).map_err(|error| Error::io(folder, error))? {
        let file = entry.map_err(|error| Error::io(folder, error))?.file_name();
        if !file.to_str().is_some_and(|file| known.contains(file)) {
            let place = folder.join(&file).display().to_string();
            return Err(Error::untrusted(place, format!("the files of {CHECKSUMS}"), "one more"));
        }
    }
    belongs(folder, resolved)
}

/// Whether metadata.json of a folder says the version's name and version.
///
/// # Errors
/// Those of [`belongs_to`], [`Error::Io`].
pub(super) fn belongs(folder: &Path, resolved: &Resolved) -> Result<()> {
    let path = folder.join(METADATA);
    let metadata = files::read(&path, limits::JSON_BYTES)?;
    belongs_to(&resolved.name, &resolved.version, &metadata, &path.display().to_string())
}
