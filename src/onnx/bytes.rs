//! The bytes of a model file, and its fingerprint. Does not look into them.

use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::files;

/// Largest model file in bytes: what one ONNX protobuf message can hold.
pub(crate) const MAX_MODEL_BYTES: u64 = i32::MAX as u64;

/// A model file in memory, cheap to clone.
#[derive(Clone)]
pub(crate) struct ModelBytes {
    bytes: Bytes,
    /// Computed when it is first asked for, once for all clones.
    sha256: Arc<OnceLock<String>>,
}

#[derive(Clone)]
pub(crate) enum Bytes {
    /// Compiled into the library.
    Static(&'static [u8]),
    /// Read or given.
    Shared(Arc<Vec<u8>>),
}

impl ModelBytes {
    pub(crate) fn new(bytes: impl Into<Arc<Vec<u8>>>) -> Self {
        Bytes::Shared(bytes.into()).into()
    }

    /// Their SHA-256 in lower-case hexadecimal.
    pub(crate) fn sha256(&self) -> &str {
        self.sha256.get_or_init(|| sha256(self))
    }
}

impl fmt::Debug for ModelBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

impl From<Bytes> for ModelBytes {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, sha256: Arc::default() }
    }
}

impl Deref for ModelBytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Static(bytes) => bytes,
            Bytes::Shared(bytes) => bytes,
        }
    }
}

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Io`], [`Error::Limit`].
pub(crate) fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    files::read(path, limit, |reason| Error::Io { path: path.to_owned(), reason, source: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_is_the_known_one() {
        let known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), known);
    }

    #[test]
    fn size_limits_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [0u8; 9]).unwrap();
        assert_eq!(read_file(&path, 9).unwrap().len(), 9);
        let error = read_file(&path, 8).unwrap_err();
        assert!(error.to_string().ends_with("expected at most 8 bytes, got 9"), "{error}");
    }
}
