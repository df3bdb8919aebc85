//! The switch by which any thread ends calls of another.

use super::guard::{guard, guard_anywhere};
use super::handle::{self, Object, borrow};
use super::status::{OK, vf_status};
use crate::call::Cancel;

/// A switch by which any thread ends the calls that were given it.
pub struct vf_cancel {
    _opaque: (),
}

impl Object for Cancel {
    type C = vf_cancel;
    const NAME: &'static str = "vf_cancel";
    const TAG: u64 = u64::from_be_bytes(*b"vf_cancl");
}

/// Makes a switch that is not set.
///
/// - `out`: receives the switch, or NULL on failure. Destroy it with `vf_cancel_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_cancel_create(out: *mut *mut vf_cancel) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, by contract.
        unsafe {
            handle::clear(out)?;
            handle::give(Cancel::new(), out);
        }
        Ok(OK)
    })
}

/// Makes a switch that is set with another one, and can be set alone: for one call of several that
/// another switch ends together.
///
/// - `parent`: the other switch; it may be destroyed before this one, which is then set alone.
/// - `out`: receives the switch, or NULL on failure. Destroy it with `vf_cancel_destroy`.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_cancel_create_child(
    parent: *const vf_cancel,
    out: *mut *mut vf_cancel,
) -> vf_status {
    guard(|| {
        // SAFETY: NULL or valid for a write, and a live handle, by contract.
        unsafe {
            handle::clear(out)?;
            let child = borrow::<Cancel>(parent)?.child();
            handle::give(child, out);
        }
        Ok(OK)
    })
}

/// Destroys a switch.
///
/// - `cancel`: the switch, not in use by any call; NULL does nothing.
///
/// One thread at a time per handle. Cannot fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_cancel_destroy(cancel: *mut vf_cancel) {
    guard(|| {
        // SAFETY: NULL or from `vf_cancel_create`, and not in use, by contract.
        unsafe { handle::destroy::<Cancel>(cancel) }
    });
}

/// Sets a switch: calls with it end soon with VF_E_CANCELLED, later ones at once. It stays set.
///
/// - `cancel`: the switch.
///
/// Any thread, concurrently, also from inside a callback.
/// Returns VF_OK, VF_E_NULL, VF_E_INVALID_ARGUMENT, VF_E_PANIC, VF_E_POISONED.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_cancel_set(cancel: *const vf_cancel) -> vf_status {
    guard_anywhere(|| {
        // SAFETY: a live handle, by contract.
        unsafe { borrow::<Cancel>(cancel) }?.set();
        Ok(OK)
    })
}
