//! Environment variables of the process: those that may be heeded, and one that is put in for a
//! while.
//!
//! The environment belongs to the host, whose other threads read it at any moment. `setenv` moves
//! the table of variables under a thread that reads it, so it is not used: what is written here is
//! a pointer, which others see as it was or as it is, and no table that anybody may still read is
//! freed.

#![allow(unsafe_code)]

use std::ffi::{CStr, OsString, c_char};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::sync::Mutex;

/// The value of a variable that is set and not empty; none where the process has more rights than
/// whoever started it.
pub(crate) fn var(name: &str) -> Option<OsString> {
    if elevated() {
        return None;
    }
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// Whether this process has more rights than whoever started it, and so chose its environment: by a
/// set-user-ID or set-group-ID bit, or by capabilities of its file.
pub(crate) fn elevated() -> bool {
    #[cfg(target_os = "linux")]
    // SAFETY: reads a number that the kernel gave the process when it started.
    return unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    #[cfg(not(target_os = "linux"))]
    // SAFETY: these calls only tell numbers of the process.
    return unsafe { libc::getuid() != libc::geteuid() || libc::getgid() != libc::getegid() };
}

/// A place of the table of variables: a text `NAME=value`, or NULL at the end.
type Place = AtomicPtr<c_char>;

/// The table that this file has made last, which is never freed.
static OWN: Mutex<&'static [Place]> = Mutex::new(&[]);

/// Runs `work` while the environment has `text`, `NAME=value`, in place of any other value of that
/// variable, and then puts it as it was. Threads that read the environment meanwhile are not
/// disturbed. A thread that changes it at the very moment when this begins or ends can lose its
/// change; what it changes in between stays.
pub(crate) fn with<T>(text: &'static CStr, work: impl FnOnce() -> T) -> T {
    /// Takes the text out again, also when `work` panics.
    struct Restore(&'static CStr, *mut c_char);
    impl Drop for Restore {
        fn drop(&mut self) {
            let _one_at_a_time = OWN.lock();
            take_out(self.0, self.1);
        }
    }
    let _restore = {
        let mut own = OWN.lock();
        Restore(text, put_in(text, &mut own))
    };
    work()
}

/// The pointer to the table of the process.
fn environ() -> &'static AtomicPtr<Place> {
    unsafe extern "C" {
        #[cfg(not(target_vendor = "apple"))]
        static mut environ: *mut *mut c_char;
        #[cfg(target_vendor = "apple")]
        fn _NSGetEnviron() -> *mut *mut *mut c_char;
    }
    // SAFETY: the variable lives as long as the process, and an atomic pointer has the layout of a
    // pointer. The C library reads and writes it as one word, without a lock for those who read.
    unsafe {
        #[cfg(not(target_vendor = "apple"))]
        let address = &raw mut environ;
        #[cfg(target_vendor = "apple")]
        let address = _NSGetEnviron();
        AtomicPtr::from_ptr(address.cast())
    }
}

/// The places of the table of the process, without its end.
fn places() -> &'static [Place] {
    let start = environ().load(Ordering::Acquire);
    if start.is_null() {
        return &[];
    }
    // SAFETY: the table has a NULL at its end, and its places are pointers. The C library frees no
    // table that it did not make itself, and one of its own only in a call that changes the
    // environment (see `with`).
    unsafe {
        let mut count = 0;
        while !(*start.add(count)).load(Ordering::Acquire).is_null() {
            count += 1;
        }
        std::slice::from_raw_parts(start, count)
    }
}

/// Whether `text` is of the variable that `other` is of.
fn same_name(text: &CStr, other: *const c_char) -> bool {
    let name = text.to_bytes().split_inclusive(|byte| *byte == b'=').next().unwrap_or_default();
    // SAFETY: a text of the table, which ends with a zero byte: the comparison ends there at the
    // latest.
    !name.is_empty() && unsafe { libc::strncmp(text.as_ptr(), other, name.len()) } == 0
}

/// Puts `text` into the table and returns what it took the place of, or NULL.
fn put_in(text: &'static CStr, own: &mut &'static [Place]) -> *mut c_char {
    let places = places();
    let entry = text.as_ptr().cast_mut();
    if let Some(place) = places.iter().find(|place| same_name(text, place.load(Ordering::Acquire))) {
        return place.swap(entry, Ordering::AcqRel);
    }
    // The table of an earlier call has room after its end, where the host has not put another one
    // in place of it.
    if ptr::eq(places.as_ptr(), own.as_ptr())
        && let Some([end, after, ..]) = own.get(places.len()..)
    {
        after.store(ptr::null_mut(), Ordering::Release);
        end.store(entry, Ordering::Release);
        return ptr::null_mut();
    }
    let mut table: Vec<Place> =
        places.iter().map(|place| Place::new(place.load(Ordering::Acquire))).collect();
    table.extend([Place::new(entry), Place::new(ptr::null_mut())]);
    *own = table.leak();
    environ().store(own.as_ptr().cast_mut(), Ordering::Release);
    ptr::null_mut()
}

/// Takes `text` out of the table: `before` gets its place, or where that is NULL the last of the
/// table.
fn take_out(text: &'static CStr, before: *mut c_char) {
    let places = places();
    let is_entry = |place: &&Place| ptr::eq(place.load(Ordering::Acquire), text.as_ptr());
    let (Some(place), Some(last)) = (places.iter().find(is_entry), places.last()) else { return };
    if !before.is_null() {
        return place.store(before, Ordering::Release);
    }
    place.store(last.load(Ordering::Acquire), Ordering::Release);
    last.store(ptr::null_mut(), Ordering::Release);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

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
    fn names_are_compared_whole() {
        assert!(same_name(c"NAME=1", c"NAME=0".as_ptr()));
        assert!(!same_name(c"NAME=1", c"NAMES=0".as_ptr()));
        assert!(!same_name(c"NAME=1", c"NAM".as_ptr()));
    }

    #[test]
    fn the_tests_have_no_more_rights_than_who_runs_them() {
        assert!(!elevated());
        assert_eq!(var("VF_TEST_NOT_SET"), None);
        assert_eq!(var("PATH"), std::env::var_os("PATH"));
    }
}
