//! How a version comes into the cache.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use tokio::io::AsyncWriteExt;

use super::Cache;
use super::bundle::{self, Bundle};
use crate::error::{Error, Result};
use crate::files;
use crate::layout::{self, CHECKSUMS, CHECKSUMS_SIGNATURE, limits};
use crate::names::Resolved;
use crate::registry::{Registry, same};
use crate::store::folder::{exclusive, lock_file, shared};
use crate::store::{Patience, blocking};

impl Cache {
    /// The version, out of the cache or out of the registry. What is in the cache is hashed again;
    /// a version that was damaged there is fetched anew.
    ///
    /// # Errors
    /// [`Error::Untrusted`] for files that differ from the signed list, [`Error::NotFound`],
    /// [`Error::Unavailable`], [`Error::Limit`], [`Error::Busy`], [`Error::Io`]. The cache is as it
    /// was.
    pub async fn fetch(&self, registry: &Registry, resolved: &Resolved) -> Result<Bundle> {
        let folder = self.root.join(resolved.sha256.as_str());
        let used = self.lock(resolved, "use", registry.patience(), shared).await?;
        let made =
            |fetched| Bundle { folder: folder.clone(), resolved: resolved.clone(), fetched, _lock: used };
        if self.is_good(registry, resolved).await? {
            self.touch(&folder);
            return Ok(made(false));
        }
        let _fetching = self.lock(resolved, "fetch", registry.patience(), exclusive).await?;
        // Another process may have fetched it in the meantime.
        if self.is_good(registry, resolved).await? {
            return Ok(made(false));
        }
        let partial = self.root.join("partial").join(resolved.sha256.as_str());
        clear(&partial)?;
        let fetched = async {
            self.download(registry, resolved, &partial).await?;
            let (cache, partial, place) = (self.clone(), partial.clone(), folder.clone());
            blocking(move || cache.install(&partial, &place)).await
        };
        if let Err(error) = fetched.await {
            // Nothing is left of what cannot be used; the error that counts is the first.
            let _ = clear(&partial);
            return Err(error);
        }
        let cache = self.clone();
        // The version is there, whatever becomes of others.
        if let Err(error) = blocking(move || cache.evict()).await {
            log::warn!("cache: {error}");
        }
        Ok(made(true))
    }

    /// Points `<cache>/names/<name>` at a bundle; gives the path of that link.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn link(&self, bundle: &Bundle) -> Result<PathBuf> {
        let link = self.names().join(bundle.resolved.name.as_str());
        let target = Path::new("..").join(bundle.resolved.sha256.as_str());
        let made = || {
            let folder = tempfile::Builder::new().prefix(".writing-").tempdir_in(self.names())?;
            let new = folder.path().join("link");
            std::os::unix::fs::symlink(&target, &new)?;
            std::fs::rename(&new, &link)
        };
        made().map_err(|error| Error::io(&link, error))?;
        Ok(link)
    }

    async fn lock(
        &self,
        resolved: &Resolved,
        kind: &str,
        patience: Patience,
        how: fn(&File, &Path, std::time::Duration) -> Result<()>,
    ) -> Result<File> {
        let path = self.lock_path(resolved.sha256.as_str(), kind);
        blocking(move || {
            let file = lock_file(&path)?;
            how(&file, &path, patience.transfer)?;
            Ok(file)
        })
        .await
    }

    pub(super) fn lock_path(&self, sha256: &str, kind: &str) -> PathBuf {
        self.root.join("locks").join(format!("{sha256}.{kind}"))
    }

    /// Whether the version is in the cache as it should be.
    async fn is_good(&self, registry: &Registry, resolved: &Resolved) -> Result<bool> {
        let folder = self.root.join(resolved.sha256.as_str());
        let (trust, resolved) = (registry.trust.clone(), resolved.clone());
        blocking(move || {
            if let Err(error) = std::fs::symlink_metadata(&folder) {
                return if error.kind() == ErrorKind::NotFound {
                    Ok(false)
                } else {
                    Err(Error::io(&folder, error))
                };
            }
            match bundle::check(&folder, &resolved, &trust) {
                Ok(()) => Ok(true),
                Err(error) => {
                    log::warn!("{error}: fetched anew");
                    Ok(false)
                }
            }
        })
        .await
    }

    async fn download(&self, registry: &Registry, resolved: &Resolved, folder: &Path) -> Result<()> {
        let Resolved { name, version, sha256, .. } = resolved;
        let (_, signed) = registry.checksums(name, version, Some(sha256)).await?;
        std::fs::create_dir_all(folder).map_err(|error| Error::io(folder, error))?;
        let mut left = limits::VERSION_BYTES;
        for (file, expected) in signed.list.files() {
            let key = layout::version_file(name, version, file);
            let path = folder.join(file);
            let created = File::create_new(&path).map_err(|error| Error::io(&path, error))?;
            let mut out = tokio::fs::File::from_std(created);
            let limit = left.min(limits::FILE_BYTES);
            let written = registry.store.download(&key, limit, &mut out).await;
            let (length, found) = written.map_err(|error| of_this_machine(error, &path))?;
            same(&registry.store.place(&key), expected, &found)?;
            left = left.saturating_sub(length);
            let kept = async {
                out.flush().await?;
                out.sync_all().await
            };
            kept.await.map_err(|error| Error::io(&path, error))?;
        }
        let mut own = vec![(CHECKSUMS, signed.text)];
        own.extend(signed.signature.map(|signature| (CHECKSUMS_SIGNATURE, signature)));
        let folder = folder.to_owned();
        let resolved = resolved.clone();
        blocking(move || {
            for (file, contents) in &own {
                files::replace(&folder.join(file), contents)?;
            }
            bundle::belongs(&folder, &resolved)
        })
        .await
    }

    /// Puts a folder that is complete into its place.
    fn install(&self, partial: &Path, place: &Path) -> Result<()> {
        let moved = || {
            files::sync_folder(partial)?;
            // One that was damaged goes away; whoever has read it has read it.
            let aside = partial.with_extension("damaged");
            remove(&aside)?;
            match std::fs::rename(place, &aside) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            std::fs::rename(partial, place)?;
            files::sync_folder(&self.root)?;
            remove(&aside)
        };
        moved().map_err(|error| Error::io(place, error))
    }
}

/// An error of writing names the file that was written, not the object that was read.
fn of_this_machine(error: Error, path: &Path) -> Error {
    match error {
        Error::Io { source, .. } => Error::io(path, source),
        error => error,
    }
}

/// Removes a folder or a file, if there is one.
pub(super) fn remove(path: &Path) -> std::io::Result<()> {
    let removed = match std::fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn clear(path: &Path) -> Result<()> {
    remove(path).map_err(|error| Error::io(path, error))
}
