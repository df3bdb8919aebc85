//! The wall between damaged files and the host: a panic of the decoding packages becomes an error
//! here. It owns nothing else; this crate's own code does not lean on it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::{Error, Result};

/// Runs `work`, which reads untrusted data by third-party code. What `work` changes must not be
/// used again after a panic, except to be dropped.
pub(super) fn shield<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied();
        let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Err(Error::Audio(format!("the data breaks the decoder: {}", text.unwrap_or("unknown panic"))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let error = shield::<()>(|| panic!("index out of bounds")).unwrap_err();
        assert_eq!(error.to_string(), "the data breaks the decoder: index out of bounds");
        assert_eq!(shield(|| Ok(1)).unwrap(), 1);
    }
}
