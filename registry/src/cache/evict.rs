//! What leaves the cache: versions used longest ago, and what killed processes left.

use std::fs::{File, FileTimes};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::Cache;
use super::fetch::remove;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::store::folder::{exclusive, lock_file};

/// A version in the cache.
struct Cached {
    sha256: String,
    bytes: u64,
    used: SystemTime,
}

impl Cache {
    /// Notes that a version was used just now.
    pub(super) fn touch(&self, folder: &Path) {
        let noted = File::open(folder)
            .and_then(|folder| folder.set_times(FileTimes::new().set_modified(SystemTime::now())));
        if let Err(error) = noted {
            log::debug!("{}: time of use: {error}", folder.display());
        }
    }

    /// Removes versions until the cache is no larger than it may be; those in use stay.
    pub(super) fn evict(&self) -> Result<()> {
        let mut versions = self.versions()?;
        versions.sort_by_key(|version| version.used);
        let mut bytes: u64 = versions.iter().map(|version| version.bytes).sum();
        for version in versions {
            if bytes <= self.most_bytes {
                break;
            }
            if self.remove_unused(&version.sha256)? {
                bytes -= version.bytes;
            }
        }
        self.sweep()
    }

    /// Removes a version unless it is in use.
    fn remove_unused(&self, sha256: &str) -> Result<bool> {
        let path = self.lock_path(sha256, "use");
        let lock = lock_file(&path)?;
        match exclusive(&lock, &path, Duration::ZERO) {
            Err(Error::Busy { .. }) => return Ok(false),
            locked => locked?,
        }
        let (folder, aside) =
            (self.root.join(sha256), self.root.join("partial").join(format!("{sha256}.evicted")));
        let removed = || {
            remove(&aside)?;
            // No reader sees a part of it.
            std::fs::rename(&folder, &aside)?;
            remove(&aside)
        };
        removed().map_err(|error| Error::io(&folder, error))?;
        self.unlink(sha256);
        Ok(true)
    }

    /// Removes the links to a version that is gone.
    fn unlink(&self, sha256: &str) {
        let target = Path::new("..").join(sha256);
        for entry in std::fs::read_dir(self.names()).into_iter().flatten().flatten() {
            if std::fs::read_link(entry.path()).is_ok_and(|found| found == target) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Removes what downloads that were killed have left.
    fn sweep(&self) -> Result<()> {
        let folder = self.root.join("partial");
        for entry in std::fs::read_dir(&folder).map_err(|error| Error::io(&folder, error))? {
            let path = entry.map_err(|error| Error::io(&folder, error))?.path();
            let Some(sha256) = path.file_stem().and_then(|stem| stem.to_str()) else { continue };
            let lock_path = self.lock_path(sha256, "fetch");
            let lock = lock_file(&lock_path)?;
            if exclusive(&lock, &lock_path, Duration::ZERO).is_ok() {
                remove(&path).map_err(|error| Error::io(&path, error))?;
            }
        }
        Ok(())
    }

    fn versions(&self) -> Result<Vec<Cached>> {
        let read = || {
            let mut versions = Vec::new();
            for entry in std::fs::read_dir(&self.root)? {
                let entry = entry?;
                let Some(sha256) = entry.file_name().to_str().map(str::to_owned) else { continue };
                if sha256.parse::<Digest>().is_err() {
                    continue;
                }
                let used = entry.metadata()?.modified()?;
                let mut bytes = 0;
                for file in std::fs::read_dir(entry.path())? {
                    bytes += file?.metadata()?.len();
                }
                versions.push(Cached { sha256, bytes, used });
            }
            Ok(versions)
        };
        read().map_err(|error| Error::io(&self.root, error))
    }
}
