//! The one error type of the crate. Each variant is a kind of failure that a caller can act on; the
//! text names the thing, what was expected and what was found.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

/// What went wrong, by the kind of action it asks of the caller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A value given by the caller is outside its documented range.
    #[error("{0}")]
    InvalidArgument(InvalidArgument),
    /// A file or folder does not exist.
    #[error("{}: no such file", .0.display())]
    NotFound(PathBuf),
    /// A file exists but the system refuses to read or write it.
    #[error("{}: {reason}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason, or what else is expected of the path.
        reason: String,
        /// What the system answered, where it was asked.
        source: Option<std::io::Error>,
    },
    /// The input is no audio that can be decoded, or its samples are unusable (NaN, infinity).
    #[error("{0}")]
    Audio(String),
    /// The model is not valid ONNX, or breaks the model contract.
    #[error("{0}")]
    Model(String),
    /// No ONNX Runtime library was found.
    #[error(
        "no usable ONNX Runtime library was found; the option runtime_library or the variable VOICEFLOW_ORT_LIBRARY names \
         one. Places tried:{}",
        lines(.tried)
    )]
    RuntimeNotFound {
        /// The places searched, in their order.
        tried: Vec<Tried>,
    },
    /// The ONNX Runtime found is older than this library can use.
    #[error("no usable ONNX Runtime was found:{}", lines(.tried))]
    RuntimeVersion {
        /// The places searched, in their order.
        tried: Vec<Tried>,
    },
    /// ONNX Runtime failed while it ran a model.
    #[error("{0}")]
    Runtime(String),
    /// A required execution provider is not available; the text says why.
    #[error("provider: {0}")]
    Provider(String),
    /// The caller asked to stop.
    #[error("cancelled while {stage}")]
    Cancelled {
        /// The stage that was under way.
        stage: Stage,
    },
    /// The deadline passed before the work was done.
    #[error("deadline of {deadline_ms} ms passed while {stage}")]
    Deadline {
        /// The deadline that was set, in milliseconds.
        deadline_ms: u64,
        /// The stage that was under way.
        stage: Stage,
    },
    /// The input exceeds a hard limit of the library.
    #[error("{0}")]
    Limit(String),
    /// There is no memory for what the input or the caller's numbers ask for. The text is made when
    /// it is asked for: the error itself takes none.
    #[error("{what}: no memory for {bytes} bytes")]
    Memory {
        /// What the memory was for.
        what: &'static str,
        /// How much of it was asked for.
        bytes: usize,
    },
    /// An annotation file (RTTM, UEM) cannot be read.
    #[error("{0}")]
    Annotation(String),
    /// This process was forked after the model was loaded: what serves the model stayed in the
    /// parent.
    #[error("{0}")]
    Forked(String),
    /// A file is no gallery, is damaged, or belongs to another model.
    #[error("{0}")]
    Gallery(String),
    /// The calling thread or the process is ending: thread-local or static data of ONNX Runtime is
    /// gone.
    #[error("{0}")]
    Ending(&'static str),
}

/// A place where ONNX Runtime was looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The option, the variable or the folder that names the place; empty for what is true of all.
    pub place: String,
    /// Why nothing there can be used.
    pub reason: String,
}

impl std::fmt::Display for Tried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.place.is_empty() {
            write!(f, "{}: ", self.place)?;
        }
        f.write_str(&self.reason)
    }
}

/// A line for each place.
fn lines(tried: &[Tried]) -> String {
    tried.iter().map(|place| format!("\n  {place}")).collect()
}

/// Which argument or option cannot be what it is, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidArgument {
    /// The option, parameter or object, as the library names it: `hop_s`.
    pub name: Cow<'static, str>,
    /// Its value, where it is named before the reason.
    pub value: Option<String>,
    /// What was expected and what was found.
    pub reason: String,
}

impl std::fmt::Display for InvalidArgument {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        if let Some(value) = &self.value {
            write!(f, " {value}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

/// The result of every fallible function of the crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A stage of the work, as progress callbacks get it and errors name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Stage {
    /// Waiting for a free run slot of a session, or for another call of a stream.
    Waiting = 0,
    /// Decoding, resampling and running the local diarizer over the windows.
    Analysis = 1,
    /// Clustering the speaker embeddings of all windows.
    Clustering = 2,
    /// Putting the windows together into segments.
    Reconstruction = 3,
    /// Loading a model.
    Loading = 4,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Stage::Waiting => "waiting for other calls",
            Stage::Analysis => "analysing the audio",
            Stage::Clustering => "clustering the speakers",
            Stage::Reconstruction => "reconstructing the segments",
            Stage::Loading => "loading a model",
        })
    }
}

impl Error {
    /// [`Error::InvalidArgument`] of the argument `name`.
    pub(crate) fn invalid(name: impl Into<Cow<'static, str>>, reason: impl Into<String>) -> Self {
        let (name, reason) = (name.into(), reason.into());
        Error::InvalidArgument(InvalidArgument { name, value: None, reason })
    }

    /// Sorts an I/O failure on `path` into [`Error::NotFound`] or [`Error::Io`].
    pub fn from_io(path: &Path, error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::NotFound {
            Error::NotFound(path.to_owned())
        } else {
            Error::Io { path: path.to_owned(), reason: error.to_string(), source: Some(error) }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;
    use std::io;

    use super::*;

    #[test]
    fn the_places_that_were_tried_are_lines() {
        let tried = [("VOICEFLOW_ORT_LIBRARY", "/a: no such file"), ("", "some are passed over")]
            .map(|(place, reason)| Tried { place: place.to_owned(), reason: reason.to_owned() });
        let error = Error::RuntimeVersion { tried: tried.to_vec() };
        let text = "no usable ONNX Runtime was found:\n  VOICEFLOW_ORT_LIBRARY: /a: no such file\n  some are passed over";
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn what_the_system_answered_is_the_source() {
        let refused = io::Error::from(io::ErrorKind::PermissionDenied);
        let error = Error::from_io(Path::new("a.wav"), refused);
        assert_eq!(error.to_string(), "a.wav: permission denied");
        let source = error.source().and_then(|source| source.downcast_ref::<io::Error>()).unwrap();
        assert_eq!(source.kind(), io::ErrorKind::PermissionDenied);
        assert!(Error::Audio("a.wav: no audio".to_owned()).source().is_none());
    }
}
