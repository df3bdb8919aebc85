//! What a registry said last: what goes on where it is down, and what an old answer is known by.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Cache;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::files;
use crate::layout::limits;
use crate::names::{Reference, Resolved, Target};
use crate::store::folder::{exclusive, lock_file};

/// What is remembered of a reference.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// What it stood for last. What comes later must not be older.
    #[serde(flatten)]
    pub(super) said: Resolved,
    /// What it stood for before, as long as that alone is in the cache: not every fetch succeeds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fetched: Option<Resolved>,
}

impl Cache {
    /// Where it is kept what a reference stood for in a registry.
    fn memory(&self, url: &str, reference: &Reference) -> PathBuf {
        let kind = match reference.target {
            Target::Channel(_) => "channel",
            Target::Version(_) => "version",
        };
        let registry = Digest::of(url.as_bytes());
        self.root.join("seen").join(registry.as_str()).join(format!("{kind}-{reference}.json"))
    }

    /// What is remembered of a reference.
    pub(super) fn recall(&self, url: &str, reference: &Reference) -> Result<Option<Seen>> {
        let path = self.memory(url, reference);
        let Some(text) = files::read_if_there(&path, limits::CHANNEL_BYTES)? else { return Ok(None) };
        let damaged =
            |found: String| Error::untrusted(path.display().to_string(), "what was resolved", found);
        let found: Seen = serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
        let versions = [Some(&found.said), found.fetched.as_ref()];
        if let Some(other) = versions.into_iter().flatten().find(|it| it.name != reference.name) {
            return Err(damaged(format!("that of {}", other.name)));
        }
        Ok(Some(found))
    }

    /// What can go on without the registry: what the reference stood for last, or before, where
    /// that alone is in the cache.
    pub(super) fn last(&self, url: &str, reference: &Reference) -> Result<Option<Resolved>> {
        let last = |seen: Seen| match seen.fetched {
            Some(fetched) if !self.has(&seen.said) && self.has(&fetched) => fetched,
            _ => seen.said,
        };
        Ok(self.recall(url, reference)?.map(last))
    }

    /// Whether a version is in the cache.
    fn has(&self, version: &Resolved) -> bool {
        self.root.join(version.sha256.as_str()).is_dir()
    }

    /// What is to be remembered where a reference stands for `found` and stood for `seen` before.
    fn remembered(&self, found: &Resolved, seen: Option<&Seen>) -> Seen {
        let mut before =
            seen.into_iter().flat_map(|seen| [Some(&seen.said), seen.fetched.as_ref()]).flatten();
        let fetched = if self.has(found) { None } else { before.find(|old| self.has(old)).cloned() };
        Seen { said: found.clone(), fetched }
    }

    /// Accepts what a reference stands for now, and remembers it.
    pub(super) fn remember(
        &self,
        url: &str,
        reference: &Reference,
        found: &Resolved,
        patience: Duration,
    ) -> Result<()> {
        let path = self.memory(url, reference);
        let written = || {
            let folder = path.parent().unwrap_or(&self.root);
            std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
            let lock_path = path.with_extension("lock");
            let lock = lock_file(&lock_path)?;
            exclusive(&lock, &lock_path, patience)?;
            let seen = self.recall(url, reference)?;
            if let Some(seen) = &seen {
                accept(found, &seen.said, &format!("{url}: {reference}"))?;
            }
            let now = self.remembered(found, seen.as_ref());
            if seen.as_ref() == Some(&now) {
                return Ok(());
            }
            let text = serde_json::to_vec(&now).map_err(|error| Error::io(&path, error.into()))?;
            files::replace(&path, &text)
        };
        match written() {
            // A full disk must not keep anybody from what is there.
            Err(error @ Error::Io { .. }) => {
                log::warn!("{url}: {reference}: cannot be remembered: {error}");
                match self.recall(url, reference)? {
                    Some(seen) => accept(found, &seen.said, &format!("{url}: {reference}")),
                    None => Ok(()),
                }
            }
            done => done,
        }
    }
}

/// Whether `found` may come after `seen`.
fn accept(found: &Resolved, seen: &Resolved, place: &str) -> Result<()> {
    match (found.sequence, seen.sequence) {
        (Some(new), Some(old)) if new > old => Ok(()),
        (Some(_), Some(_)) if found.updated == seen.updated && found.sha256 == seen.sha256 => Ok(()),
        // An old file that says so too is older than what it would replace.
        (Some(_), Some(_)) if found.rollback && found.updated > seen.updated => Ok(()),
        (Some(new), Some(old)) => Err(Error::untrusted(
            place,
            format!("a sequence above {old}, which was seen, or a newer file that says \"rollback\": true"),
            format!("sequence {new} of version {}", found.version),
        )),
        _ if found.sha256 == seen.sha256 => Ok(()),
        _ => Err(Error::untrusted(
            place,
            format!("the contents seen before, sha256 {}", seen.sha256),
            found.sha256.to_string(),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(sequence: u64, minute: u32, rollback: bool) -> Resolved {
        Resolved {
            name: "m".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            sha256: Digest::of(&sequence.to_le_bytes()),
            sequence: Some(sequence),
            updated: Some(format!("2026-01-01T00:{minute:02}:00Z").parse().unwrap()),
            rollback,
        }
    }

    #[test]
    fn old_answers_are_refused_unless_they_are_newer_rollbacks() {
        let seen = resolved(5, 5, false);
        assert!(accept(&seen, &seen, "x").is_ok());
        assert!(accept(&resolved(6, 6, false), &seen, "x").is_ok());
        assert!(accept(&resolved(6, 4, false), &seen, "x").is_ok());
        let error = accept(&resolved(4, 6, false), &seen, "url").unwrap_err().to_string();
        assert!(
            error.contains("url") && error.contains("above 5") && error.contains("sequence 4"),
            "{error}"
        );
        assert!(accept(&resolved(4, 6, true), &seen, "x").is_ok());
        // A rollback of former times, played again.
        assert!(accept(&resolved(4, 4, true), &seen, "x").is_err());
        let mut twin = resolved(5, 6, false);
        twin.sha256 = Digest::of(b"other");
        assert!(accept(&twin, &seen, "x").is_err());
    }
}
