//! Environment variables of the process: those that may be heeded, and one that is put in for a
//! while.
//!
//! The environment belongs to the host, whose other threads read it at any moment. On Unix `setenv`
//! moves the table of variables under a thread that reads it, so it is not used there.

#![allow(unsafe_code)]

#[cfg_attr(unix, path = "environment/unix.rs")]
#[cfg_attr(windows, path = "environment/windows.rs")]
mod system;

use std::ffi::{CStr, OsString};

/// The value of a variable that is set and not empty; none where the process has more rights than
/// whoever started it.
pub(crate) fn var(name: &str) -> Option<OsString> {
    if elevated() {
        return None;
    }
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Whether this process has more rights than whoever started it, and so chose its environment.
pub(crate) fn elevated() -> bool {
    system::elevated()
}

/// Runs `work` while the environment has `text`, `NAME=value`, in place of any other value of that
/// variable, and then puts it as it was. Threads that read the environment meanwhile are not
/// disturbed. A thread that changes it at the very moment when this begins or ends can lose its
/// change; what it changes in between stays.
pub(crate) fn with<T>(text: &'static CStr, work: impl FnOnce() -> T) -> T {
    system::with(text, work)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;
    use crate::sync::Mutex;

    /// These tests change the environment, one at a time.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

    fn value(name: &CStr) -> Option<Vec<u8>> {
        // SAFETY: a text that ends with a zero byte; no test changes this variable meanwhile.
        let value = unsafe { libc::getenv(name.as_ptr()) };
        // SAFETY: a text of the environment.
        (!value.is_null()).then(|| unsafe { CStr::from_ptr(value) }.to_bytes().to_owned())
    }

    #[test]
    fn a_variable_is_there_meanwhile_and_all_others_stay() {
        let _alone = ONE_AT_A_TIME.lock();
        let before: Vec<_> = std::env::vars_os().collect();
        for _ in 0..3 {
            with(c"VF_TEST_MEANWHILE=1", || {
                assert_eq!(value(c"VF_TEST_MEANWHILE").unwrap(), b"1");
                assert_eq!(value(c"PATH").is_some(), std::env::var_os("PATH").is_some());
            });
            assert_eq!(value(c"VF_TEST_MEANWHILE"), None);
        }
        assert_eq!(std::env::vars_os().collect::<Vec<_>>(), before);
    }

    #[test]
    fn the_value_of_the_host_comes_back() {
        let _alone = ONE_AT_A_TIME.lock();
        with(c"VF_TEST_VALUE=host", || {
            with(c"VF_TEST_VALUE=ours", || assert_eq!(value(c"VF_TEST_VALUE").unwrap(), b"ours"));
            assert_eq!(value(c"VF_TEST_VALUE").unwrap(), b"host");
        });
    }

    #[test]
    fn what_others_set_meanwhile_stays() {
        let _alone = ONE_AT_A_TIME.lock();
        let thrown = std::panic::catch_unwind(|| {
            with(c"VF_TEST_PANIC=1", || {
                // SAFETY: texts that end with a zero byte.
                unsafe { libc::setenv(c"VF_TEST_SET".as_ptr(), c"7".as_ptr(), 1) };
                panic!("out");
            })
        });
        assert!(thrown.is_err());
        assert_eq!((value(c"VF_TEST_PANIC"), value(c"VF_TEST_SET").unwrap()), (None, b"7".to_vec()));
    }

    /// Eight threads read while the table changes thousands of times; what they look for is always
    /// there.
    #[test]
    fn threads_that_read_are_not_disturbed() {
        let _alone = ONE_AT_A_TIME.lock();
        let done = AtomicBool::new(false);
        with(c"VF_TEST_READ=there", || {
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        while !done.load(Ordering::Relaxed) {
                            assert_eq!(value(c"VF_TEST_READ").unwrap(), b"there");
                            assert!(matches!(value(c"VF_TEST_SWITCH").as_deref(), None | Some(b"1")));
                        }
                    });
                }
                for _ in 0..5_000 {
                    with(c"VF_TEST_SWITCH=1", || ());
                }
                done.store(true, Ordering::Relaxed);
            });
        });
    }

    #[test]
    fn the_tests_have_no_more_rights_than_who_runs_them() {
        assert!(!elevated());
        assert_eq!(var("VF_TEST_NOT_SET"), None);
        assert_eq!(var("PATH"), std::env::var_os("PATH"));
    }
}
