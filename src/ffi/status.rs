//! Status codes: the numbers, their meanings, and how the crate's errors map onto them.

use std::ffi::CStr;
use std::fmt::Write;

use crate::error::Error;
use crate::memory::Text;

/// The answer of every function that can fail: `VF_OK` or one of the negative `VF_E_` numbers of
/// `vf_status_code`. Numbers are never reused; treat an unknown negative number as a failure.
pub type vf_status = i32;

/// The names of the status numbers.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum vf_status_code {
    /// Success.
    VF_OK = 0,
    /// A value is outside its documented range, a handle is of another type or already destroyed,
    /// or the call came from inside a callback.
    VF_E_INVALID_ARGUMENT = -1,
    /// A pointer that must not be NULL is NULL.
    VF_E_NULL = -2,
    /// The buffer is too small: nothing was written to it, and `*n` is the capacity it needs.
    VF_E_BUFFER_TOO_SMALL = -3,
    /// A file does not exist.
    VF_E_NOT_FOUND = -4,
    /// The system refuses to read or write a file.
    VF_E_IO = -5,
    /// The input is no audio that can be decoded, or holds NaN or infinity.
    VF_E_AUDIO = -6,
    /// The model is not valid ONNX, or breaks the model contract.
    VF_E_MODEL = -7,
    /// No ONNX Runtime was found; the error text lists the places searched.
    VF_E_RUNTIME_NOT_FOUND = -8,
    /// The ONNX Runtime found is older than this library can use.
    VF_E_RUNTIME_VERSION = -9,
    /// ONNX Runtime failed.
    VF_E_RUNTIME = -10,
    /// A required execution provider is not available.
    VF_E_PROVIDER = -11,
    /// The switch of the call was set.
    VF_E_CANCELLED = -12,
    /// The deadline passed before the work was done.
    VF_E_DEADLINE = -13,
    /// The input exceeds a hard limit of the library, or there is no memory for what it asks for.
    VF_E_LIMIT = -14,
    /// A fault inside the library. The handles of this call are poisoned: destroy them.
    VF_E_PANIC = -15,
    /// The handle was in use during an earlier `VF_E_PANIC`. Destroy it.
    VF_E_POISONED = -16,
    /// An annotation file (RTTM, UEM) cannot be read.
    VF_E_ANNOTATION = -17,
    /// This process was forked after the model was loaded. Load it again in the child.
    VF_E_FORKED = -18,
    /// A file is no gallery or is damaged, or a gallery belongs to another model.
    VF_E_GALLERY = -19,
    /// The calling thread or the process is ending, and thread-local or static data that networks
    /// need is gone: the call came from a destructor of a thread-local or static object, from an
    /// atexit handler or the like. Every function that can return VF_E_FORKED can return it.
    VF_E_ENDING = -20,
}

/// Success, as the type that functions return.
pub(crate) const OK: vf_status = vf_status_code::VF_OK as vf_status;

/// Why a call fails: the number for the program and the text for its user.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The number returned.
    pub status: vf_status_code,
    /// The text for `vf_last_error`.
    pub text: String,
}

impl Failure {
    /// A value outside its range.
    pub fn invalid(text: impl Into<String>) -> Self {
        Self { status: vf_status_code::VF_E_INVALID_ARGUMENT, text: text.into() }
    }

    /// The parameter `name` is NULL and must not be.
    pub fn null(name: &str) -> Self {
        Self { status: vf_status_code::VF_E_NULL, text: format!("{name}: must not be NULL") }
    }

    /// More than a hard limit allows.
    pub fn limit(text: impl Into<String>) -> Self {
        Self { status: vf_status_code::VF_E_LIMIT, text: text.into() }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        use vf_status_code::*;
        let status = match &error {
            Error::InvalidArgument(_) => VF_E_INVALID_ARGUMENT,
            Error::NotFound(_) => VF_E_NOT_FOUND,
            Error::Io { .. } => VF_E_IO,
            Error::Audio(_) => VF_E_AUDIO,
            Error::Model(_) => VF_E_MODEL,
            Error::RuntimeNotFound { .. } => VF_E_RUNTIME_NOT_FOUND,
            Error::RuntimeVersion { .. } => VF_E_RUNTIME_VERSION,
            Error::Runtime(_) => VF_E_RUNTIME,
            Error::Provider(_) => VF_E_PROVIDER,
            Error::Cancelled { .. } => VF_E_CANCELLED,
            Error::Deadline { .. } => VF_E_DEADLINE,
            Error::Limit(_) | Error::Memory { .. } => VF_E_LIMIT,
            Error::Annotation(_) => VF_E_ANNOTATION,
            Error::Forked(_) => VF_E_FORKED,
            Error::Gallery(_) => VF_E_GALLERY,
            Error::Ending(_) => VF_E_ENDING,
        };
        // Without memory for the text, the status is all there is.
        let mut text = Text::new("error text");
        let _ = write!(text, "{error}");
        Self { status, text: text.finish().unwrap_or_default() }
    }
}

/// The meaning of each number, in the order of the enum.
const MEANINGS: [(vf_status_code, &CStr); 21] = {
    use vf_status_code::*;
    [
        (VF_OK, c"success"),
        (VF_E_INVALID_ARGUMENT, c"invalid argument"),
        (VF_E_NULL, c"a required pointer is NULL"),
        (VF_E_BUFFER_TOO_SMALL, c"the buffer is too small"),
        (VF_E_NOT_FOUND, c"file not found"),
        (VF_E_IO, c"a file cannot be read or written"),
        (VF_E_AUDIO, c"the audio cannot be used"),
        (VF_E_MODEL, c"the model cannot be used"),
        (VF_E_RUNTIME_NOT_FOUND, c"ONNX Runtime was not found"),
        (VF_E_RUNTIME_VERSION, c"ONNX Runtime is too old"),
        (VF_E_RUNTIME, c"ONNX Runtime failed"),
        (VF_E_PROVIDER, c"the execution provider is not available"),
        (VF_E_CANCELLED, c"cancelled by the caller"),
        (VF_E_DEADLINE, c"the deadline passed"),
        (VF_E_LIMIT, c"a hard limit of the library is exceeded, or memory is short"),
        (VF_E_PANIC, c"a fault inside the library"),
        (VF_E_POISONED, c"the handle was in use during a fault"),
        (VF_E_ANNOTATION, c"the annotation cannot be read"),
        (VF_E_FORKED, c"the process was forked after the model was loaded"),
        (VF_E_GALLERY, c"the gallery cannot be used"),
        (VF_E_ENDING, c"the thread or the process is ending"),
    ]
};

/// The meaning of a status number.
pub(crate) fn meaning(status: vf_status) -> &'static CStr {
    let found = MEANINGS.iter().find(|(code, _)| *code as vf_status == status);
    found.map_or(c"unknown status", |(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_no_gap_and_the_next_one_is_unknown() {
        let numbers = MEANINGS.map(|(code, _)| code as vf_status);
        assert!(numbers.iter().copied().eq((0..MEANINGS.len()).map(|place| -(place as vf_status))));
        assert_eq!(meaning(-(MEANINGS.len() as vf_status)), c"unknown status");
    }
}
