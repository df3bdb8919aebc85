//! A registry as it is read: what it has, what a reference stands for, and the files of a version.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use semver::Version;
use serde::Serialize;

use crate::channel::Channel;
use crate::checksums::Checksums;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::layout::{self, CHECKSUMS, CHECKSUMS_SIGNATURE, METADATA, limits};
use crate::names::{CHANNELS, ChannelName, ModelName, Reference, Resolved, Target, belongs_to};
use crate::store::{Object, Patience, Store};
use crate::trust::Trust;

/// A registry.
#[derive(Clone, Debug)]
pub struct Registry {
    pub(crate) store: Store,
    pub(crate) trust: Trust,
}

/// A version as a registry lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VersionInfo {
    /// The version.
    pub version: Version,
    /// Whether it was published as a whole.
    pub complete: bool,
    /// Bytes of all its files.
    pub bytes: u64,
    /// Files of it.
    pub files: usize,
    /// When its newest file was written.
    pub written: DateTime<Utc>,
}

impl Registry {
    /// Opens the registry of a URL: a folder, `file://`, `s3://BUCKET/PREFIX` or
    /// `gs://BUCKET/PREFIX`. Nothing is asked of it yet.
    ///
    /// # Errors
    /// [`Error::Argument`] for a URL that names none, and for one of a cloud without a trusted key.
    pub fn open(url: &str, trust: Trust, patience: Patience) -> Result<Self> {
        Self::open_with::<&str, &str>(url, trust, patience, &[])
    }

    /// The same with settings of the store, which count before the environment: those of the
    /// variables that object_store reads, such as `AWS_ENDPOINT_URL` or `GOOGLE_SERVICE_ACCOUNT`.
    ///
    /// # Errors
    /// Those of [`Registry::open`]; [`Error::Argument`] for a setting that the store has not.
    pub fn open_with<K: AsRef<str>, V: AsRef<str>>(
        url: &str,
        trust: Trust,
        patience: Patience,
        settings: &[(K, V)],
    ) -> Result<Self> {
        let settings: Vec<_> =
            settings.iter().map(|(key, value)| (key.as_ref().to_ascii_lowercase(), value.as_ref())).collect();
        let store = Store::open(url, patience, &settings)?;
        if store.is_remote() && trust.is_empty() {
            let expected = format!("at least one for {url}, where others could write");
            return Err(Error::argument("trusted keys", expected, "none"));
        }
        Ok(Self { store, trust })
    }

    /// The URL.
    pub fn url(&self) -> &str {
        self.store.url()
    }

    /// Whether signatures are checked: whether any key is trusted.
    pub fn checks_signatures(&self) -> bool {
        !self.trust.is_empty()
    }

    /// How long calls wait.
    pub fn patience(&self) -> Patience {
        self.store.patience()
    }

    /// What the reference stands for at the moment, by signed files.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unavailable`]; [`Error::Untrusted`], also for a version whose
    /// signed files are those of another.
    pub async fn resolve(&self, reference: &Reference) -> Result<Resolved> {
        match &reference.target {
            Target::Channel(channel) => {
                Ok(self.channel(&reference.name, channel).await?.resolved(&reference.name))
            }
            Target::Version(version) => {
                let name = &reference.name;
                let key = layout::version_file(name, version, METADATA);
                let Some(metadata) = self.store.get(&key, limits::JSON_BYTES).await? else {
                    return Err(self.no_version(name, version));
                };
                let (sha256, signed) = self.checksums(name, version, None).await?;
                // The list does not say of which version it is; the metadata.json in it does.
                let expected = signed.list.of(METADATA).ok_or_else(|| self.no_version(name, version))?;
                let place = self.store.place(&key);
                same(&place, expected, &Digest::of(&metadata.bytes))?;
                belongs_to(name, version, &metadata.bytes, &place)?;
                Ok(Resolved {
                    name: name.clone(),
                    version: version.clone(),
                    sha256,
                    sequence: None,
                    updated: None,
                    rollback: false,
                })
            }
        }
    }

    /// What a channel says.
    ///
    /// # Errors
    /// Those of [`Registry::resolve`].
    pub async fn channel(&self, name: &ModelName, channel: &ChannelName) -> Result<Channel> {
        match self.channel_object(name, channel).await? {
            Some((found, _)) => Ok(found),
            None => Err(Error::NotFound {
                place: self.store.place(&layout::channel_file(name, channel)),
                expected: format!("the file of a channel; `promote {name}@VERSION {channel}` makes it"),
            }),
        }
    }

    /// The same with the object, by which it can be replaced; `None` where there is no such
    /// channel.
    pub(crate) async fn channel_object(
        &self,
        name: &ModelName,
        channel: &ChannelName,
    ) -> Result<Option<(Channel, Object)>> {
        let key = layout::channel_file(name, channel);
        let Some(object) = self.store.get(&key, limits::CHANNEL_BYTES).await? else { return Ok(None) };
        let place = self.store.place(&key);
        if !self.trust.is_empty() {
            let beside = self.signature(&layout::channel_signature(name, channel)).await?;
            let verified = self.trust.verify(&object.bytes, beside.as_deref(), &place);
            if let Err(refused) = verified {
                // The one beside it is written after the file. In between, this one counts.
                let contents = Digest::of(&object.bytes);
                let key = layout::signature_of_contents(name, channel, &contents);
                match self.signature(&key).await? {
                    Some(signature) => self.trust.verify(&object.bytes, Some(&signature), &place)?,
                    None => return Err(refused),
                }
            }
        }
        let found = Channel::parse(&object.bytes, name, channel, &place)?;
        Ok(Some((found, object)))
    }

    async fn signature(&self, key: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.store.get(key, limits::SIGNATURE_BYTES).await?.map(|object| object.bytes))
    }

    /// The list of a version's files, and its digest; it has to be `expected` where that is given.
    pub(crate) async fn checksums(
        &self,
        name: &ModelName,
        version: &Version,
        expected: Option<&Digest>,
    ) -> Result<(Digest, SignedChecksums)> {
        let key = layout::version_file(name, version, CHECKSUMS);
        let place = self.store.place(&key);
        let Some(object) = self.store.get(&key, limits::CHECKSUM_BYTES).await? else {
            return Err(self.no_version(name, version));
        };
        let found = Digest::of(&object.bytes);
        if let Some(expected) = expected.filter(|expected| **expected != found) {
            return Err(Error::untrusted(place, format!("sha256 {expected}"), found.to_string()));
        }
        let signature = self.signature(&layout::version_file(name, version, CHECKSUMS_SIGNATURE)).await?;
        self.trust.verify(&object.bytes, signature.as_deref(), &place)?;
        let list = Checksums::parse(&object.bytes, &place)?;
        Ok((found, SignedChecksums { text: object.bytes, signature, list }))
    }

    fn no_version(&self, name: &ModelName, version: &Version) -> Error {
        Error::NotFound {
            place: self.store.place(&layout::version_file(name, version, METADATA)),
            expected: "a published version".to_owned(),
        }
    }

    /// A file of a version as its signed list has it, of at most [`limits::JSON_BYTES`].
    ///
    /// # Errors
    /// Those of [`Registry::resolve`].
    pub async fn file(&self, resolved: &Resolved, file: &str) -> Result<Vec<u8>> {
        let Resolved { name, version, sha256, .. } = resolved;
        let (_, SignedChecksums { list, .. }) = self.checksums(name, version, Some(sha256)).await?;
        let key = layout::version_file(name, version, file);
        let not_there = || Error::NotFound { place: self.store.place(&key), expected: "a file".to_owned() };
        let expected = list.of(file).ok_or_else(not_there)?;
        let object = self.store.get(&key, limits::JSON_BYTES).await?.ok_or_else(not_there)?;
        same(&self.store.place(&key), expected, &Digest::of(&object.bytes))?;
        Ok(object.bytes)
    }

    /// The signed list of a version's files.
    ///
    /// # Errors
    /// Those of [`Registry::resolve`].
    pub async fn files(&self, resolved: &Resolved) -> Result<Checksums> {
        let Resolved { name, version, sha256, .. } = resolved;
        Ok(self.checksums(name, version, Some(sha256)).await?.1.list)
    }

    /// Reads every file of a version and compares it with the signed list; tells how many bytes
    /// there are.
    ///
    /// # Errors
    /// Those of [`Registry::resolve`]; [`Error::Untrusted`] for the first file that differs.
    pub async fn verify(&self, resolved: &Resolved) -> Result<u64> {
        let mut bytes = 0;
        for (file, expected) in self.files(resolved).await?.files() {
            let key = layout::version_file(&resolved.name, &resolved.version, file);
            let out = &mut tokio::io::sink();
            let (length, found) = self.store.download(&key, limits::FILE_BYTES, out).await?;
            same(&self.store.place(&key), expected, &found)?;
            bytes += length;
        }
        Ok(bytes)
    }

    /// The models of the registry. Folders that no model can be called are left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub async fn models(&self) -> Result<Vec<ModelName>> {
        Ok(self.store.folders().await?.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// The versions of a model from the lowest to the highest, half-written ones too, and the names
    /// of its channels.
    ///
    /// # Errors
    /// [`Error::Unavailable`], [`Error::Limit`].
    pub async fn versions(&self, name: &ModelName) -> Result<(Vec<VersionInfo>, Vec<ChannelName>)> {
        let mut versions = BTreeMap::<Version, VersionInfo>::new();
        let mut channels = Vec::new();
        for object in self.store.list(name.as_str()).await? {
            let mut parts = object.key.split('/').skip(1);
            let (Some(folder), Some(file)) = (parts.next(), parts.next()) else { continue };
            if folder == CHANNELS {
                channels.extend(file.strip_suffix(".json").and_then(|channel| channel.parse().ok()));
            } else if let Ok(version) = crate::names::version(folder) {
                let info = versions.entry(version.clone()).or_insert(VersionInfo {
                    version,
                    complete: false,
                    bytes: 0,
                    files: 0,
                    written: object.modified,
                });
                info.complete |= file == METADATA;
                info.bytes += object.bytes;
                info.files += 1;
                info.written = info.written.max(object.modified);
            }
        }
        Ok((versions.into_values().collect(), channels))
    }
}

/// A checksum.sha256 whose signature was verified, as far as keys are trusted.
pub(crate) struct SignedChecksums {
    pub(crate) text: Vec<u8>,
    pub(crate) signature: Option<Vec<u8>>,
    pub(crate) list: Checksums,
}

/// Refuses a file, which messages call `place`, that is not what its list says.
pub(crate) fn same(place: &str, expected: &Digest, found: &Digest) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    Err(Error::untrusted(place, format!("sha256 {expected}"), found.to_string()))
}
