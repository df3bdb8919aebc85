//! Errors: each names the place, what was expected there and what was found.

use std::io;
use std::path::Path;

/// Why a call of this crate failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An argument makes no sense.
    #[error("{what}: expected {expected}, got {found}")]
    Argument {
        /// Which argument.
        what: &'static str,
        /// What it may be.
        expected: String,
        /// What it was.
        found: String,
    },
    /// The registry was reached and has no such thing.
    #[error("{place}: not there; expected {expected}")]
    NotFound {
        /// URL and key.
        place: String,
        /// What should be there.
        expected: String,
    },
    /// The registry was not reached, or did not answer in time.
    #[error("{place}: cannot be reached: {reason}")]
    Unavailable {
        /// URL and key.
        place: String,
        /// What the store said.
        reason: String,
    },
    /// The registry refused: no right, or no credentials.
    #[error("{place}: refused by the store: {reason}")]
    Denied {
        /// URL and key.
        place: String,
        /// What the store said.
        reason: String,
    },
    /// A file is not what it should be: its signature, its digest, its sequence or its form.
    #[error("{place}: not trusted: expected {expected}, found {found}")]
    Untrusted {
        /// URL and key, or the path in the cache.
        place: String,
        /// What would be accepted.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A file or a list is larger than this crate takes.
    #[error("{place}: expected at most {limit} {unit}, found more")]
    Limit {
        /// URL and key, or the path.
        place: String,
        /// The most that is taken.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// Somebody else was there first.
    #[error("{place}: {reason}")]
    Conflict {
        /// URL and key.
        place: String,
        /// What was found, and what to do.
        reason: String,
    },
    /// Another process holds a lock of the cache for longer than a call waits.
    #[error("{place}: expected the lock within {seconds} s, another process holds it")]
    Busy {
        /// The file that is locked.
        place: String,
        /// How long was waited.
        seconds: u64,
    },
    /// A file of this machine cannot be read or written.
    #[error("{place}: {source}")]
    Io {
        /// The path.
        place: String,
        /// What the system said.
        source: io::Error,
    },
}

/// What calls of this crate give back.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Error::Io { place: path.display().to_string(), source }
    }

    pub(crate) fn argument(
        what: &'static str,
        expected: impl Into<String>,
        found: impl std::fmt::Debug,
    ) -> Self {
        Error::Argument { what, expected: expected.into(), found: format!("{found:?}") }
    }

    pub(crate) fn untrusted(
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Error::Untrusted { place: place.into(), expected: expected.into(), found: found.into() }
    }

    /// Whether the registry did not answer, so that what was fetched before may do.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Error::Unavailable { .. } | Error::Denied { .. })
    }
}
