//! The table of variables of a Unix process, which is changed by pointers that others see as they
//! were or as they are: no table that anybody may still read is freed.

use std::ffi::{CStr, c_char};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use crate::sync::Mutex;

/// Whether a set-user-ID or set-group-ID bit, or capabilities of the program's file, gave this
/// process rights.
pub(super) fn elevated() -> bool {
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

/// See [`with`](super::with).
pub(super) fn with<T>(text: &'static CStr, work: impl FnOnce() -> T) -> T {
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
    use super::*;

    #[test]
    fn names_are_compared_whole() {
        assert!(same_name(c"NAME=1", c"NAME=0".as_ptr()));
        assert!(!same_name(c"NAME=1", c"NAMES=0".as_ptr()));
        assert!(!same_name(c"NAME=1", c"NAM".as_ptr()));
    }
}
