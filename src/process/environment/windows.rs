//! The variables of a Windows process, which the system keeps behind a lock.

use std::ffi::{CStr, OsString};

/// Windows has no bits of a file that give a program rights.
pub(super) fn elevated() -> bool {
    false
}

/// See [`with`](super::with).
pub(super) fn with<T>(text: &'static CStr, work: impl FnOnce() -> T) -> T {
    /// Puts the variable back, also when `work` panics.
    struct Restore(String, Option<OsString>);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: on Windows any thread may change variables at any time.
            match &self.1 {
                Some(value) => unsafe { std::env::set_var(&self.0, value) },
                None => unsafe { std::env::remove_var(&self.0) },
            }
        }
    }
    let text = text.to_string_lossy();
    let (name, value) = text.split_once('=').unwrap_or((&text, ""));
    let _restore = Restore(name.to_owned(), std::env::var_os(name));
    // SAFETY: as above.
    unsafe { std::env::set_var(name, value) };
    work()
}
