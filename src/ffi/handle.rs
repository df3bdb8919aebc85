//! Handles: what C holds a pointer to. A handle owns its value, carries a tag of its type, and is
//! poisoned when a panic passes through a call that used it.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::buffer::store;
use super::status::{Failure, vf_status_code};

/// A value that C holds by a handle.
pub(crate) trait Object: Sized + Send + Sync {
    /// The opaque type in the header.
    type C;
    /// Its name, for error texts.
    const NAME: &'static str;
    /// Tells live handles of this type from anything else: eight letters, different for each type.
    const TAG: u64;
}

/// Written over the tag when a handle is destroyed.
const DEAD: u64 = 0;

/// What a handle points to. `repr(C)` puts the tag first, where it can be read whatever the type
/// is.
#[repr(C)]
pub(crate) struct Handle<T> {
    tag: AtomicU64,
    poisoned: AtomicBool,
    value: T,
}

/// Makes `value` a handle and stores it in `out`.
///
/// # Safety
/// `out` is valid for a write.
pub(crate) unsafe fn give<T: Object>(value: T, out: *mut *mut T::C) {
    let handle = Handle { tag: AtomicU64::new(T::TAG), poisoned: AtomicBool::new(false), value };
    // SAFETY: valid by contract.
    unsafe { out.write(Box::into_raw(Box::new(handle)).cast()) };
}

/// Checks that `out`, where a new handle is wanted, is not NULL, and stores NULL there.
///
/// # Safety
/// `out` is NULL or valid for a write.
pub(crate) unsafe fn clear<C>(out: *mut *mut C) -> Result<(), Failure> {
    // SAFETY: as promised.
    unsafe { store("out", out, std::ptr::null_mut()) }
}

/// Borrows the value of a handle for the length of a call.
///
/// The tag catches handles of another type, and most handles already destroyed: their memory may be
/// in use again for something else, so that this is help for finding mistakes, no licence to make
/// them.
///
/// # Safety
/// `pointer` is NULL or came from [`give`], and the handle is not destroyed while the borrow lives.
pub(crate) unsafe fn borrow<'a, T: Object>(pointer: *const T::C) -> Result<Borrow<'a, T>, Failure> {
    // SAFETY: as promised.
    let handle = unsafe { look::<T>(pointer) }?;
    if handle.poisoned.load(Ordering::Acquire) {
        let text = format!("{}: was in use during an internal fault; destroy it", T::NAME);
        return Err(Failure { status: vf_status_code::VF_E_POISONED, text });
    }
    Ok(Borrow { handle, panicking_before: std::thread::panicking() })
}

/// As [`borrow`], with `None` for NULL.
///
/// # Safety
/// As [`borrow`].
pub(crate) unsafe fn borrow_nullable<'a, T: Object>(
    pointer: *const T::C,
) -> Result<Option<Borrow<'a, T>>, Failure> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: as promised.
    unsafe { borrow(pointer) }.map(Some)
}

/// Destroys a handle. NULL, and what is no live handle of this type, is left alone.
///
/// # Safety
/// `pointer` is NULL or came from [`give`], and no borrow of it lives.
pub(crate) unsafe fn destroy<T: Object>(pointer: *mut T::C) -> Result<(), Failure> {
    if pointer.is_null() {
        return Ok(());
    }
    // SAFETY: as promised.
    let handle = unsafe { look::<T>(pointer) }?;
    // Of two threads that destroy one handle, only one frees it.
    if handle.tag.compare_exchange(T::TAG, DEAD, Ordering::AcqRel, Ordering::Acquire).is_ok() {
        // SAFETY: `give` made it from a box, the tag was alive, and nobody else can pass the
        // exchange.
        drop(unsafe { Box::from_raw(pointer.cast::<Handle<T>>()) });
    }
    Ok(())
}

/// Checks that a pointer leads to a live handle of this type.
///
/// # Safety
/// As [`borrow`].
unsafe fn look<'a, T: Object>(pointer: *const T::C) -> Result<&'a Handle<T>, Failure> {
    if pointer.is_null() {
        return Err(Failure::null(T::NAME));
    }
    let pointer = pointer.cast::<Handle<T>>();
    // SAFETY: a pointer from `give`, of whatever type, leads to a tag.
    if !pointer.is_aligned() || unsafe { &(*pointer).tag }.load(Ordering::Acquire) != T::TAG {
        return Err(Failure::invalid(format!("{0}: not a live {0} handle", T::NAME)));
    }
    // SAFETY: the tag says that a `Handle<T>` lives here; it is only ever shared.
    Ok(unsafe { &*pointer })
}

/// A handle's value in use. When the call panics, dropping this poisons the handle.
pub(crate) struct Borrow<'a, T> {
    handle: &'a Handle<T>,
    panicking_before: bool,
}

impl<T> Deref for Borrow<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.handle.value
    }
}

impl<T> Drop for Borrow<'_, T> {
    fn drop(&mut self) {
        if !self.panicking_before && std::thread::panicking() {
            self.handle.poisoned.store(true, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;
    use std::sync::Arc;

    use super::*;
    use crate::ffi::guard::guard;
    use crate::ffi::status::{OK, vf_status};

    #[allow(dead_code, reason = "a stand-in for an opaque type of the header")]
    struct vf_thing;
    struct Thing {
        _alive: Arc<()>,
    }
    impl Object for Thing {
        type C = vf_thing;
        const NAME: &'static str = "vf_thing";
        const TAG: u64 = u64::from_be_bytes(*b"vf_thing");
    }

    #[allow(dead_code, reason = "a stand-in for an opaque type of the header")]
    struct vf_other;
    struct Other;
    impl Object for Other {
        type C = vf_other;
        const NAME: &'static str = "vf_other";
        const TAG: u64 = u64::from_be_bytes(*b"vf_other");
    }

    fn thing(alive: &Arc<()>) -> *mut vf_thing {
        let mut out = ptr::null_mut();
        // SAFETY: a local variable.
        unsafe { give(Thing { _alive: alive.clone() }, &mut out) };
        out
    }

    #[test]
    fn destroy_frees_once_and_null_is_nothing() {
        let alive = Arc::new(());
        let pointer = thing(&alive);
        assert_eq!(Arc::strong_count(&alive), 2);
        // SAFETY: a live handle, then NULL.
        unsafe { destroy::<Thing>(pointer).unwrap() };
        assert_eq!(Arc::strong_count(&alive), 1);
        // SAFETY: NULL is allowed.
        unsafe { destroy::<Thing>(ptr::null_mut()).unwrap() };
    }

    #[test]
    fn another_type_is_refused_and_left_alone() {
        let alive = Arc::new(());
        let pointer = thing(&alive);
        // SAFETY: the pointer came from `give`.
        let failure = unsafe { borrow::<Other>(pointer.cast()) }.err().unwrap();
        assert_eq!(failure.status, vf_status_code::VF_E_INVALID_ARGUMENT);
        assert_eq!(failure.text, "vf_other: not a live vf_other handle");
        // SAFETY: as above.
        unsafe { destroy::<Other>(pointer.cast()).unwrap_err() };
        assert_eq!(Arc::strong_count(&alive), 2);
        // SAFETY: as above.
        unsafe { destroy::<Thing>(pointer).unwrap() };
        // SAFETY: NULL is allowed.
        let failure = unsafe { borrow::<Thing>(ptr::null()) }.err().unwrap();
        assert_eq!(failure.status, vf_status_code::VF_E_NULL);
    }

    #[test]
    fn a_panic_poisons_the_handles_in_use_and_destroy_still_frees() {
        let alive = Arc::new(());
        let (used, unused) = (thing(&alive), thing(&alive));
        let work = |pointer: *mut vf_thing, fails: bool| -> vf_status {
            guard(|| {
                // SAFETY: a live handle.
                let _thing = unsafe { borrow::<Thing>(pointer) }?;
                assert!(!fails, "broken");
                Ok(OK)
            })
        };
        assert_eq!(work(used, false), OK);
        assert_eq!(work(used, true), vf_status_code::VF_E_PANIC as vf_status);
        assert_eq!(work(used, false), vf_status_code::VF_E_POISONED as vf_status);
        assert_eq!(work(unused, false), OK);
        // SAFETY: live handles.
        unsafe {
            destroy::<Thing>(used).unwrap();
            destroy::<Thing>(unused).unwrap();
        }
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}
