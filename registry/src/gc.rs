//! What a registry need not keep: old versions that no channel names, and what killed publishers
//! left.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use semver::Version;
use serde::Serialize;

use crate::digest::Digest;
use crate::error::Result;
use crate::layout::{self, CHECKSUMS, METADATA, limits};
use crate::names::{CHANNELS, ModelName};
use crate::registry::Registry;

/// What is kept.
#[derive(Clone, Copy, Debug)]
pub struct Keep {
    /// So many of the highest versions of each model.
    pub newest: usize,
    /// Versions written since.
    pub younger_than: Duration,
    /// Half-written versions and signatures written since: their publishers may be at work.
    pub unfinished_younger_than: Duration,
}

impl Default for Keep {
    /// Three versions, those of a month, and what was begun in the last day.
    fn default() -> Self {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        Self { newest: 3, younger_than: days(30), unfinished_younger_than: days(1) }
    }
}

/// Something that need not be kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Removal {
    /// The model.
    pub name: ModelName,
    /// The version; none for a signature that is no channel's any more.
    pub version: Option<Version>,
    /// Why.
    pub reason: &'static str,
    /// Bytes of it.
    pub bytes: u64,
    /// Its objects, in the order in which they go.
    pub keys: Vec<String>,
}

impl Registry {
    /// What of a model need not be kept. Nothing is removed.
    ///
    /// # Errors
    /// Those of [`Registry::versions`] and [`Registry::channel`]: while it cannot be read which
    /// version a channel names, nothing can go.
    pub async fn removals(&self, name: &ModelName, keep: &Keep) -> Result<Vec<Removal>> {
        let (versions, _) = self.versions(name).await?;
        let named = self.named(name).await?;
        let old = |written: DateTime<Utc>, age: Duration| {
            (Utc::now() - written).to_std().is_ok_and(|past| past > age)
        };
        let highest = versions.iter().rev().filter(|info| info.complete).take(keep.newest);
        let highest: BTreeSet<&Version> = highest.map(|info| &info.version).collect();
        let listed = self.store.list(name.as_str()).await?;
        let mut removals = Vec::new();
        for info in &versions {
            let reason = match info.complete {
                true if named.versions.contains(&info.version) || highest.contains(&info.version) => continue,
                true if !old(info.written, keep.younger_than) => continue,
                true => "named by no channel",
                false if !old(info.written, keep.unfinished_younger_than) => continue,
                false => "half-written",
            };
            let folder = layout::version_file(name, &info.version, "");
            let mut keys: Vec<String> = listed
                .iter()
                .filter(|object| object.key.starts_with(&folder))
                .map(|object| object.key.clone())
                .collect();
            // Without metadata.json there is no version any more, and without checksum.sha256
            // another one can be begun.
            let turn = |key: &String| match key.strip_prefix(&folder) {
                Some(METADATA) => 0,
                Some(CHECKSUMS) => 2,
                _ => 1,
            };
            keys.sort_by_key(turn);
            let version = Some(info.version.clone());
            removals.push(Removal { name: name.clone(), version, reason, bytes: info.bytes, keys });
        }
        let channels = format!("{name}/{CHANNELS}/");
        for object in &listed {
            let file = object.key.strip_prefix(&channels).and_then(|file| file.strip_suffix(".minisig"));
            let contents = file.and_then(|file| file.split_once('.')).map(|(_, contents)| contents);
            let Some(Ok(contents)) = contents.map(str::parse::<Digest>) else { continue };
            if !named.contents.contains(&contents) && old(object.modified, keep.unfinished_younger_than) {
                removals.push(Removal {
                    name: name.clone(),
                    version: None,
                    reason: "signature of a former move",
                    bytes: object.bytes,
                    keys: vec![object.key.clone()],
                });
            }
        }
        Ok(removals)
    }

    /// Removes it; tells whether it did. A version that a channel was moved to meanwhile stays.
    ///
    /// # Errors
    /// [`Error::Unavailable`](crate::Error::Unavailable),
    /// [`Error::Untrusted`](crate::Error::Untrusted).
    pub async fn remove(&self, removal: &Removal) -> Result<bool> {
        let named = self.named(&removal.name).await?;
        if removal.version.as_ref().is_some_and(|version| named.versions.contains(version)) {
            return Ok(false);
        }
        for key in &removal.keys {
            self.store.delete(key).await?;
        }
        if let Some(version) = &removal.version {
            self.store.sweep(&format!("{}/{version}", removal.name)).await?;
        }
        Ok(true)
    }

    /// What the channels of a model name.
    async fn named(&self, name: &ModelName) -> Result<Named> {
        let mut named = Named::default();
        for channel in self.versions(name).await?.1 {
            let key = layout::channel_file(name, &channel);
            let Some(object) = self.store.get(&key, limits::CHANNEL_BYTES).await? else { continue };
            named.contents.insert(Digest::of(&object.bytes));
            let found = self.channel(name, &channel).await?;
            named.versions.insert(found.version);
            // What a rollback goes back to.
            named.versions.extend(found.previous);
        }
        Ok(named)
    }
}

/// What channels name.
#[derive(Default)]
struct Named {
    versions: BTreeSet<Version>,
    /// The digests of their files.
    contents: BTreeSet<Digest>,
}
