//! How a version comes into a registry: as a whole or not at all, and once.
//!
//! checksum.sha256 is written first: it names all contents, so that of two publishers of one
//! version the second sees at once whether it has the same. metadata.json is written last: before
//! it there is no version. A publisher that was killed is resumed by publishing the same once more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use semver::Version;

use crate::checksums::Checksums;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::files;
use crate::layout::{self, CHECKSUMS, CHECKSUMS_SIGNATURE, METADATA, limits};
use crate::names::{ModelName, Resolved, identity};
use crate::registry::{Registry, same};
use crate::store::blocking;
use crate::trust::Sign;

/// The files of a version that is to be published.
#[derive(Clone, Debug)]
pub struct Staged {
    name: ModelName,
    version: Version,
    folder: PathBuf,
    checksums: Checksums,
    bytes: u64,
}

/// What was published.
#[derive(Clone, Debug)]
pub struct Published {
    /// The version.
    pub resolved: Resolved,
    /// Whether it was not there before.
    pub new: bool,
}

impl Staged {
    /// Reads `names` of `folder`, which metadata.json has to be among; its name and version are the
    /// version's.
    ///
    /// # Errors
    /// [`Error::Untrusted`] for names and files that no version may have, [`Error::Limit`],
    /// [`Error::Argument`] for a name or version that is none, [`Error::Io`].
    pub fn read<N: AsRef<str>>(folder: &Path, names: &[N]) -> Result<Self> {
        let mut digests = BTreeMap::new();
        let mut bytes = 0;
        for name in names {
            let path = folder.join(name.as_ref());
            let (length, digest) = files::digest(&path, limits::FILE_BYTES)?;
            bytes += length;
            digests.insert(name.as_ref().to_owned(), digest);
        }
        let place = folder.display().to_string();
        if bytes > limits::VERSION_BYTES {
            return Err(Error::Limit { place, limit: limits::VERSION_BYTES, unit: "bytes" });
        }
        let checksums = Checksums::new(digests, &place)?;
        let metadata = folder.join(METADATA);
        let text = files::read(&metadata, limits::JSON_BYTES)?;
        let (name, version) = identity(&text, &metadata.display().to_string())?;
        Ok(Self { name, version, folder: folder.to_owned(), checksums, bytes })
    }

    /// The model.
    pub fn name(&self) -> &ModelName {
        &self.name
    }

    /// The version.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The files and their digests.
    pub fn checksums(&self) -> &Checksums {
        &self.checksums
    }

    /// Bytes of all files.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// What it will be resolved to.
    pub fn resolved(&self) -> Resolved {
        Resolved {
            name: self.name.clone(),
            version: self.version.clone(),
            sha256: Digest::of(self.checksums.text().as_bytes()),
            sequence: None,
            updated: None,
            rollback: false,
        }
    }
}

impl Registry {
    /// Publishes a version. What an interrupted call has left is gone on with; a version that is
    /// there with the same contents is left as it is.
    ///
    /// # Errors
    /// [`Error::Conflict`] for a version that is there with other contents, whole or half-written;
    /// [`Error::Argument`] without `sign` where signatures count; [`Error::Unavailable`],
    /// [`Error::Untrusted`], [`Error::Io`].
    pub async fn publish(&self, staged: &Staged, sign: Option<&dyn Sign>) -> Result<Published> {
        let Staged { name, version, checksums, .. } = staged;
        let key = |file: &str| layout::version_file(name, version, file);
        let text = checksums.text().into_bytes();
        let signature = self.signed(&text, &key(CHECKSUMS), sign)?;
        if !self.store.create(&key(CHECKSUMS), text.clone()).await? {
            let there = self.store.get(&key(CHECKSUMS), limits::CHECKSUM_BYTES).await?;
            if there.is_none_or(|there| there.bytes != text) {
                return Err(self.other_contents(name, version).await?);
            }
        }
        if let Some(signature) = signature {
            self.create_signature(&key(CHECKSUMS_SIGNATURE), &text, signature).await?;
        }
        for (file, digest) in checksums.files().filter(|(file, _)| *file != METADATA) {
            self.create_file(staged, file, digest).await?;
        }
        let digest = checksums.of(METADATA);
        let new = match digest {
            Some(digest) => self.create_file(staged, METADATA, digest).await?,
            None => false,
        };
        Ok(Published { resolved: staged.resolved(), new })
    }

    /// The signature of a file, which has to verify by our own keys.
    pub(crate) fn signed(&self, bytes: &[u8], key: &str, sign: Option<&dyn Sign>) -> Result<Option<Vec<u8>>> {
        let Some(sign) = sign else {
            if self.trust.is_empty() {
                return Ok(None);
            }
            let expected = format!("one whose public key is trusted, as {} has signatures", self.url());
            return Err(Error::argument("secret key", expected, "none"));
        };
        let place = self.store.place(key);
        let signature = sign
            .sign(bytes, key)
            .map_err(|reason| Error::Argument {
                what: "secret key",
                expected: "one that signs".into(),
                found: reason,
            })?
            .into_bytes();
        self.trust.verify(bytes, Some(&signature), &place)?;
        Ok(Some(signature))
    }

    /// Writes a signature where there is none; one that is there has to be good.
    async fn create_signature(&self, key: &str, signed: &[u8], signature: Vec<u8>) -> Result<()> {
        if self.store.create(key, signature).await? {
            return Ok(());
        }
        let there = self.store.get(key, limits::SIGNATURE_BYTES).await?;
        self.trust.verify(signed, there.as_ref().map(|there| there.bytes.as_slice()), &self.store.place(key))
    }

    /// Writes a file where there is none; one that is there has to be the same. Tells whether there
    /// was none.
    async fn create_file(&self, staged: &Staged, file: &str, digest: &Digest) -> Result<bool> {
        let path = staged.folder.join(file);
        let (expected, place) = (digest.clone(), path.display().to_string());
        let bytes = blocking(move || {
            let bytes = files::read(&path, limits::FILE_BYTES)?;
            // Somebody may have written to it since it was checked.
            same(&place, &expected, &Digest::of(&bytes))?;
            Ok(bytes)
        })
        .await?;
        let key = layout::version_file(&staged.name, &staged.version, file);
        if self.store.create(&key, bytes).await? {
            return Ok(true);
        }
        let (_, found) = self.store.download(&key, limits::FILE_BYTES, &mut tokio::io::sink()).await?;
        same(&self.store.place(&key), digest, &found)?;
        Ok(false)
    }

    async fn other_contents(&self, name: &ModelName, version: &Version) -> Result<Error> {
        let key = layout::version_file(name, version, METADATA);
        let complete = self.store.get(&key, limits::JSON_BYTES).await?.is_some();
        let reason = if complete {
            "version is there with other contents, and versions never change: publish a higher one"
        } else {
            "another publisher has begun this version with other contents: publish a higher one, or remove \
             what a dead one left by `gc`"
        };
        let place = self.store.place(&format!("{name}/{version}"));
        Ok(Error::Conflict { place, reason: reason.to_owned() })
    }
}
