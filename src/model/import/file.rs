//! A speaker embedding network as it was read: in two parts where an import has split it, else as
//! one.

use super::cache;
use super::split::Split;
use crate::config::ModelSource;
use crate::error::{Error, Result};
use crate::model::source::ModelFile;
use crate::onnx::ModelBytes;

/// A network that was read.
#[derive(Clone, Debug)]
pub(in crate::model) struct EmbeddingFile {
    /// How messages name it.
    pub(in crate::model) label: String,
    /// SHA-256 of the whole, in lower-case hexadecimal.
    pub(in crate::model) sha256: String,
    pub(in crate::model) network: EmbeddingNetwork,
}

/// The bytes of a network.
#[derive(Clone, Debug)]
pub(in crate::model) enum EmbeddingNetwork {
    /// In two parts.
    Split(Split),
    /// As one. Why it cannot be split, where an import has found that.
    Whole(ModelBytes, Option<String>),
}

impl EmbeddingFile {
    /// Reads the network of `source`, and what an import has left beside its file.
    ///
    /// # Errors
    /// Those of [`ModelFile::read`].
    pub(in crate::model) fn read(source: &ModelSource) -> Result<Self> {
        let ModelFile { label, bytes } = ModelFile::read(source)?;
        let sha256 = bytes.sha256().to_owned();
        let found = match source {
            ModelSource::File(path) => cache::read(path, &sha256),
            ModelSource::Embedded | ModelSource::Memory(_) => None,
        };
        let network = match found {
            Some(Ok(split)) => EmbeddingNetwork::Split(split),
            Some(Err(reason)) => EmbeddingNetwork::Whole(bytes, Some(reason)),
            None => EmbeddingNetwork::Whole(bytes, None),
        };
        Ok(Self { label, sha256, network })
    }

    /// The network of an embedded bundle: its two parts, frames first, and what the import has
    /// written of them.
    ///
    /// # Errors
    /// [`Error::Model`] where that is nothing which an import writes.
    pub(in crate::model) fn embedded(label: String, import: &[u8], parts: [ModelBytes; 2]) -> Result<Self> {
        match cache::known(import, parts) {
            Ok((split, sha256)) => Ok(Self { label, sha256, network: EmbeddingNetwork::Split(split) }),
            Err(reason) => Err(Error::Model(format!("{label}: {reason}"))),
        }
    }
}
