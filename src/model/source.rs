//! The bytes of a model file, of its golden vector, and its fingerprint. Reads files; does not look into them.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use sha2::{Digest, Sha256};

use super::embedded;
use crate::config::ModelSource;
use crate::error::{Error, Result};
use crate::files;

/// Largest model file in bytes: what one ONNX protobuf message can hold.
pub(super) const MAX_MODEL_BYTES: u64 = i32::MAX as u64;
/// Largest golden vector file in bytes; two seconds of frames and a few embeddings need some 50 KB.
const MAX_GOLDEN_BYTES: u64 = 16 << 20;

/// A model file in memory, cheap to clone.
#[derive(Clone)]
pub(super) struct ModelBytes {
    bytes: Bytes,
    /// Computed when it is first asked for, once for all clones.
    sha256: Arc<OnceLock<String>>,
}

#[derive(Clone)]
pub(super) enum Bytes {
    /// Compiled into the library.
    Static(&'static [u8]),
    /// Read or given.
    Shared(Arc<Vec<u8>>),
}

impl ModelBytes {
    pub(super) fn new(bytes: impl Into<Arc<Vec<u8>>>) -> Self {
        Bytes::Shared(bytes.into()).into()
    }

    /// Their SHA-256 in lower-case hexadecimal.
    pub(super) fn sha256(&self) -> &str {
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

/// How messages name a model source: its path where it has one.
pub(super) struct Label<'a>(pub &'a ModelSource);

impl fmt::Display for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ModelSource::Embedded => f.write_str("embedded model"),
            ModelSource::File(path) => write!(f, "{}", path.display()),
            ModelSource::Memory(_) => f.write_str("model in memory"),
        }
    }
}

/// A model that was read, and how messages name it.
#[derive(Clone, Debug)]
pub(super) struct ModelFile {
    pub(super) label: String,
    pub(super) bytes: ModelBytes,
}

impl ModelFile {
    /// Reads the model of `source`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`], [`Error::Limit`]; [`Error::Model`] for an empty one; [`Error::InvalidArgument`]
    /// where none is embedded.
    pub(super) fn read(source: &ModelSource) -> Result<Self> {
        Ok(Self { label: Label(source).to_string(), bytes: read_model(source)? })
    }
}

/// Reads the model once, so that every slot runs what the fingerprint was taken of, even if the file is
/// replaced meanwhile.
pub(super) fn read_model(source: &ModelSource) -> Result<ModelBytes> {
    let bytes: ModelBytes = match source {
        ModelSource::Embedded => Bytes::Static(embedded::model().ok_or_else(|| {
            let text = "this library was built without an embedded model (feature `embedded-model`): \
                        expected a model file";
            Error::InvalidArgument(text.to_owned())
        })?)
        .into(),
        ModelSource::File(path) => ModelBytes::new(read_file(path, MAX_MODEL_BYTES)?),
        ModelSource::Memory(bytes) => ModelBytes::new(Arc::clone(bytes)),
    };
    if bytes.is_empty() {
        return Err(Error::Model(format!("{}: expected an ONNX model, got 0 bytes", Label(source))));
    }
    check_size(&Label(source), bytes.len() as u64, MAX_MODEL_BYTES)?;
    Ok(bytes)
}

/// The golden vector that belongs to `source`: beside the file `<stem>.golden.json`, else `golden.json`, which is that of
/// the folder's main model. `None` where there is none.
pub(super) fn read_golden(source: &ModelSource) -> Result<Option<Cow<'static, [u8]>>> {
    match source {
        ModelSource::Embedded => Ok(embedded::golden().map(Cow::Borrowed)),
        ModelSource::File(path) => {
            for place in [path.with_extension("golden.json"), path.with_file_name("golden.json")] {
                match read_file(&place, MAX_GOLDEN_BYTES) {
                    Err(Error::NotFound(_)) => {}
                    read => return read.map(|bytes| Some(bytes.into())),
                }
            }
            Ok(None)
        }
        ModelSource::Memory(_) => Ok(None),
    }
}

/// The SHA-256 of `bytes` in lower-case hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a regular file of at most `limit` bytes.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Io`], [`Error::Limit`].
pub(super) fn read_file(path: &Path, limit: u64) -> Result<Vec<u8>> {
    files::read(path, limit, |reason| Error::Io { path: path.to_owned(), reason, source: None })
}

fn check_size(name: &dyn fmt::Display, size: u64, limit: u64) -> Result<()> {
    if size > limit {
        return Err(Error::Limit(format!("{name}: expected at most {limit} bytes, got {size}")));
    }
    Ok(())
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
    fn what_is_no_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = read_model(&ModelSource::File(folder.path().to_owned())).err().unwrap();
        assert!(error.to_string().ends_with("expected a regular file, found a folder"), "{error}");
        let error = read_model(&ModelSource::File("/dev/zero".into())).err().unwrap();
        assert_eq!(error.to_string(), "/dev/zero: expected a regular file, found a device");
        let error = read_model(&ModelSource::File(folder.path().join("none"))).err().unwrap();
        assert!(matches!(error, Error::NotFound(_)));
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
