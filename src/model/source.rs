//! The bytes of the model that an option names, and of its golden vector. Reads files; does not
//! look into them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use super::embedded;
use crate::config::ModelSource;
use crate::error::{Error, Result};
use crate::onnx::{Bytes, MAX_MODEL_BYTES, ModelBytes, read_file};

/// Largest golden vector file in bytes; two seconds of frames and a few embeddings need some 50 KB.
const MAX_GOLDEN_BYTES: u64 = 16 << 20;

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
    /// [`Error::NotFound`], [`Error::Io`], [`Error::Limit`]; [`Error::Model`] for an empty one;
    /// [`Error::InvalidArgument`] where none is embedded.
    pub(super) fn read(source: &ModelSource) -> Result<Self> {
        Ok(Self { label: Label(source).to_string(), bytes: read_model(source)? })
    }
}

/// Reads the model once, so that every slot runs what the fingerprint was taken of, even if the
/// file is replaced meanwhile.
pub(super) fn read_model(source: &ModelSource) -> Result<ModelBytes> {
    let bytes: ModelBytes = match source {
        ModelSource::Embedded => Bytes::Static(embedded::model().ok_or_else(|| {
            let reason = "expected a model file, as this library was built without an embedded model \
                          (feature `embedded-model`)";
            Error::invalid("model", reason)
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

/// The golden vector that belongs to `source`: beside the file `<stem>.golden.json`, else
/// `golden.json`, which is that of the folder's main model. `None` where there is none.
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
    fn what_is_no_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let error = read_model(&ModelSource::File(folder.path().to_owned())).err().unwrap();
        assert!(error.to_string().ends_with("expected a regular file, found a folder"), "{error}");
        let error = read_model(&ModelSource::File("/dev/zero".into())).err().unwrap();
        assert_eq!(error.to_string(), "/dev/zero: expected a regular file, found a device");
        let error = read_model(&ModelSource::File(folder.path().join("none"))).err().unwrap();
        assert!(matches!(error, Error::NotFound(_)));
    }
}
