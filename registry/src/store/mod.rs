//! The objects of a registry in a folder, on S3 or on GCS: whole objects in and out within limits
//! of size and time, created where there is none, replaced where nobody else has.

pub(crate) mod folder;
mod open;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::{StreamExt, TryStreamExt};
use object_store::path::Path as Key;
use object_store::{GetResult, ObjectStore, ObjectStoreExt, PutMode, PutPayload, UpdateVersion};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};

use crate::digest::{Digest, Hash};
use crate::error::{Error, Result};
use crate::layout::limits;

/// How long calls wait.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For an answer of the registry, and for each further piece of a file.
    pub answer: Duration,
    /// For the whole of a file, in or out; for a lock of the cache.
    pub transfer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { answer: Duration::from_secs(15), transfer: Duration::from_secs(600) }
    }
}

/// An object as it was read.
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    version: UpdateVersion,
}

/// An object of a list.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    /// From the root of the registry.
    pub(crate) key: String,
    pub(crate) bytes: u64,
    pub(crate) modified: DateTime<Utc>,
}

/// Where the objects are.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    objects: Arc<dyn ObjectStore>,
    /// The root where it is a folder.
    folder: Option<Arc<std::path::Path>>,
    /// The key of the root.
    root: Key,
    /// As the user named it.
    url: String,
    patience: Patience,
}

impl Store {
    /// What messages call an object.
    pub(crate) fn place(&self, key: &str) -> String {
        format!("{}/{key}", self.url)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn patience(&self) -> Patience {
        self.patience
    }

    /// Whether whoever can write to it is another than whoever reads it.
    pub(crate) fn is_remote(&self) -> bool {
        self.folder.is_none()
    }

    fn key(&self, key: &str) -> Key {
        key.split('/').fold(self.root.clone(), |path, part| path.join(part))
    }

    fn failed(&self, key: &str, error: object_store::Error) -> Error {
        use object_store::Error as Failure;
        let place = self.place(key);
        match error {
            Failure::NotFound { .. } => Error::NotFound { place, expected: "a file".to_owned() },
            Failure::PermissionDenied { .. } | Failure::Unauthenticated { .. } => {
                Error::Denied { place, reason: causes(&error) }
            }
            // Of a folder all else is the system's: a full disk, a missing right.
            _ if self.folder.is_some() => Error::Io { place, source: std::io::Error::other(causes(&error)) },
            error => Error::Unavailable { place, reason: causes(&error) },
        }
    }

    fn late(&self, key: &str, patience: Duration) -> Error {
        let reason = format!("expected an answer within {} s", patience.as_secs_f64());
        Error::Unavailable { place: self.place(key), reason }
    }

    async fn within<T>(
        &self,
        key: &str,
        patience: Duration,
        work: impl Future<Output = object_store::Result<T>>,
    ) -> Result<T> {
        let done = timeout(patience, work).await.map_err(|_| self.late(key, patience))?;
        done.map_err(|error| self.failed(key, error))
    }

    /// Reads an object of at most `limit` bytes; `None` where there is none.
    pub(crate) async fn get(&self, key: &str, limit: u64) -> Result<Option<Object>> {
        let mut bytes = Vec::new();
        let found = match self.ask(key).await {
            Err(Error::NotFound { .. }) => return Ok(None),
            found => found?,
        };
        let version = UpdateVersion { e_tag: found.meta.e_tag.clone(), version: found.meta.version.clone() };
        self.read(key, found, limit, &mut bytes).await?;
        Ok(Some(Object { bytes, version }))
    }

    /// Copies an object of at most `limit` bytes; tells how long it is, and its digest.
    ///
    /// # Errors
    /// [`Error::NotFound`] and those of `out`, as [`Error::Io`].
    pub(crate) async fn download(
        &self,
        key: &str,
        limit: u64,
        out: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(u64, Digest)> {
        let found = self.ask(key).await?;
        self.read(key, found, limit, out).await
    }

    async fn ask(&self, key: &str) -> Result<GetResult> {
        self.within(key, self.patience.answer, self.objects.get(&self.key(key))).await
    }

    async fn read(
        &self,
        key: &str,
        found: GetResult,
        limit: u64,
        out: &mut (impl AsyncWrite + Unpin),
    ) -> Result<(u64, Digest)> {
        let over = || Error::Limit { place: self.place(key), limit, unit: "bytes" };
        if found.meta.size > limit {
            return Err(over());
        }
        let end = Instant::now() + self.patience.transfer;
        let (mut length, mut hash) = (0, Hash::default());
        let mut pieces = found.into_stream();
        loop {
            let soon = end.min(Instant::now() + self.patience.answer);
            let piece = timeout_at(soon, pieces.try_next()).await;
            let piece = piece.map_err(|_| self.late(key, self.patience.answer))?;
            let Some(piece) = piece.map_err(|error| self.failed(key, error))? else { break };
            length += piece.len() as u64;
            if length > limit {
                return Err(over());
            }
            hash.update(&piece);
            let written = out.write_all(&piece).await;
            written.map_err(|source| Error::Io { place: self.place(key), source })?;
        }
        Ok((length, hash.finish()))
    }

    /// Writes an object where there is none. `false` where there is one, which stays.
    pub(crate) async fn create(&self, key: &str, bytes: Vec<u8>) -> Result<bool> {
        self.put(key, bytes, PutMode::Create).await
    }

    /// Replaces what was read as `current`, or creates. `false` where it is another meanwhile.
    pub(crate) async fn swap(&self, key: &str, bytes: Vec<u8>, current: Option<&Object>) -> Result<bool> {
        match (current, &self.folder) {
            (None, _) => self.create(key, bytes).await,
            (Some(current), None) => self.put(key, bytes, PutMode::Update(current.version.clone())).await,
            (Some(current), Some(folder)) => {
                let path = folder.join(key);
                let (expected, patience) = (current.bytes.clone(), self.patience.transfer);
                blocking(move || folder::swap(&path, &bytes, &expected, patience)).await
            }
        }
    }

    async fn put(&self, key: &str, bytes: Vec<u8>, mode: PutMode) -> Result<bool> {
        let (path, payload) = (self.key(key), PutPayload::from(bytes));
        let put = self.objects.put_opts(&path, payload, mode.into());
        let put = timeout(self.patience.transfer, put).await;
        match put.map_err(|_| self.late(key, self.patience.transfer))? {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => {
                Ok(false)
            }
            // What S3 answers to a replacement of what was removed.
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.failed(key, error)),
        }
    }

    /// Removes an object; one that is not there is removed too.
    pub(crate) async fn delete(&self, key: &str) -> Result<()> {
        match self.within(key, self.patience.answer, self.objects.delete(&self.key(key))).await {
            Err(Error::NotFound { .. }) => Ok(()),
            done => done,
        }
    }

    /// Everything below the folder `key`, sorted.
    pub(crate) async fn list(&self, key: &str) -> Result<Vec<Listed>> {
        let mut pieces = self.objects.list(Some(&self.key(key)));
        let mut found = Vec::new();
        loop {
            let piece = timeout(self.patience.answer, pieces.next()).await;
            let piece = piece.map_err(|_| self.late(key, self.patience.answer))?;
            let Some(object) = piece.transpose().map_err(|error| self.failed(key, error))? else { break };
            if found.len() == limits::OBJECTS {
                let limit = limits::OBJECTS as u64;
                return Err(Error::Limit { place: self.place(key), limit, unit: "objects" });
            }
            if let Some(key) = self.below_root(&object.location) {
                found.push(Listed { key, bytes: object.size, modified: object.last_modified });
            }
        }
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }

    /// The folders of the root.
    pub(crate) async fn folders(&self) -> Result<Vec<String>> {
        let listed = self.objects.list_with_delimiter(Some(&self.root));
        let listed = self.within("", self.patience.answer, listed).await?;
        Ok(listed.common_prefixes.iter().filter_map(|prefix| self.below_root(prefix)).collect())
    }

    fn below_root(&self, key: &Key) -> Option<String> {
        let parts: Vec<String> = key.prefix_match(&self.root)?.map(|part| part.as_ref().to_owned()).collect();
        Some(parts.join("/"))
    }

    /// Removes what is left of a folder where the registry is one: what writers that were killed
    /// have left, which no list shows.
    pub(crate) async fn sweep(&self, key: &str) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let path = folder.join(key);
        blocking(move || match std::fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(&path, error)),
            _ => Ok(()),
        })
        .await
    }
}

/// Runs what blocks on a thread that may.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        let source = std::io::Error::other(error.to_string());
        Err(Error::Io { place: "a thread of the registry".to_owned(), source })
    })
}

/// An error with its causes, each once: outer ones often repeat inner ones.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
