//! The conditions of one call, as C gives them. The first field is the caller's idea of the size, so that fields can
//! be added at the end without breaking programs already built.

use std::mem::offset_of;
use std::time::Duration;

use super::buffer;
use super::cancel::vf_cancel;
use super::handle::{self, Borrow};
use super::status::Failure;
use crate::call::{Call, Cancel};

/// The conditions of one call that may take long. A call that is given NULL for them has none.
///
/// Set it to zeros, and `size` to `sizeof(vf_call)`: `vf_call call = {sizeof call};`. Zeros ask for nothing, whatever fields
/// later releases add at the end. A program built with a later header may use an earlier library as long as the fields that the
/// library does not know are zeros; others are refused with VF_E_INVALID_ARGUMENT.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct vf_call {
    /// Size of this struct in bytes, set by the caller.
    pub size: usize,
    /// The switch that ends the call with VF_E_CANCELLED soon after it is set; NULL for none.
    pub cancel: *const vf_cancel,
    /// Which of the numbers below are asked for: numbers of `vf_call_flag`, added; 0 for none.
    pub flags: u64,
    /// With VF_CALL_DEADLINE: milliseconds from the start of the call, 0 or more, after which it ends with VF_E_DEADLINE.
    /// Without that flag it has to be 0.
    pub deadline_ms: u64,
}

/// The numbers of a `vf_call` that are asked for.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum vf_call_flag {
    /// The call has the deadline `deadline_ms`.
    VF_CALL_DEADLINE = 1,
}

/// All flags that this release knows.
const KNOWN_FLAGS: u64 = vf_call_flag::VF_CALL_DEADLINE as u64;
/// More than any release will have: such a size was never set.
const MAX_SIZE: usize = 4096;
/// Where the fields end. One that the caller's struct has in part only is none of its fields.
const FIELD_ENDS: [usize; 4] = [
    size_of::<usize>(),
    offset_of!(vf_call, cancel) + size_of::<*const vf_cancel>(),
    offset_of!(vf_call, flags) + size_of::<u64>(),
    size_of::<vf_call>(),
];

impl vf_call {
    /// Asks for nothing.
    const NONE: Self = Self { size: size_of::<Self>(), cancel: std::ptr::null(), flags: 0, deadline_ms: 0 };
}

/// The conditions of a call, checked.
pub(super) struct Conditions<'a> {
    cancel: Option<Borrow<'a, Cancel>>,
    deadline: Option<Duration>,
}

impl Conditions<'_> {
    /// Steers the call. The deadline counts from here.
    pub(super) fn call(&self) -> Call<'_> {
        let call = Call::none().with_deadline(self.deadline);
        match &self.cancel {
            Some(cancel) => call.with_cancel(cancel),
            None => call,
        }
    }
}

/// Reads the conditions of a call, of which there are none where the pointer is NULL.
///
/// # Safety
/// `call` is NULL or leads to a `vf_call` that has the bytes its field `size` says; its switch is NULL or a live handle.
pub(super) unsafe fn conditions<'a>(call: *const vf_call) -> Result<Conditions<'a>, Failure> {
    // SAFETY: as promised.
    let vf_call { cancel, flags, deadline_ms, .. } = unsafe { read(call) }?;
    if flags & !KNOWN_FLAGS != 0 {
        let text = format!("call: flags: expected those of vf_call_flag ({KNOWN_FLAGS:#x}), got {flags:#x}");
        return Err(Failure::invalid(text));
    }
    let has_deadline = flags & vf_call_flag::VF_CALL_DEADLINE as u64 != 0;
    if !has_deadline && deadline_ms != 0 {
        let text =
            format!("call: deadline_ms: expected 0 without the flag VF_CALL_DEADLINE, got {deadline_ms}");
        return Err(Failure::invalid(text));
    }
    let deadline = has_deadline.then(|| Duration::from_millis(deadline_ms));
    // SAFETY: NULL or a live handle, as promised.
    let cancel = unsafe { handle::borrow_nullable::<Cancel>(cancel) }?;
    Ok(Conditions { cancel, deadline })
}

/// The caller's struct, with zeros for the fields that it does not have.
///
/// # Safety
/// As [`conditions`].
unsafe fn read(call: *const vf_call) -> Result<vf_call, Failure> {
    let mut known = vf_call::NONE;
    if call.is_null() {
        return Ok(known);
    }
    buffer::check_pointer("call", call)?;
    // SAFETY: not NULL, aligned, and at least this field is there.
    let size = unsafe { (&raw const (*call).size).read() };
    if !(size_of::<usize>()..=MAX_SIZE).contains(&size) {
        let expected = size_of::<vf_call>();
        return Err(Failure::invalid(format!("call: expected the field size to be {expected}, got {size}")));
    }
    let shared = FIELD_ENDS.into_iter().filter(|end| *end <= size).max().unwrap_or(0);
    let bytes = call.cast::<u8>();
    // SAFETY: the caller's struct has `size` bytes; whole fields of it, each of which takes any value, are copied.
    unsafe { bytes.copy_to_nonoverlapping((&raw mut known).cast::<u8>(), shared) };
    // SAFETY: as above; these bytes are read as bytes.
    let beyond = (shared..size).map(|at| unsafe { bytes.add(at).read() });
    if beyond.into_iter().any(|byte| byte != 0) {
        let text = format!(
            "call: expected zeros after the {shared} bytes that this library knows of the {size}, got other values: \
             the program asks for something of a later release"
        );
        return Err(Failure::invalid(text));
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a later release may have.
    #[repr(C)]
    struct Newer {
        known: vf_call,
        added: [u64; 2],
        beyond: u64,
    }

    fn newer(size: usize) -> Newer {
        Newer { known: vf_call { size, ..vf_call::NONE }, added: [0; 2], beyond: 7 }
    }

    /// The deadline read of it, or why it is refused.
    fn deadline(call: &Newer) -> Result<Option<Duration>, String> {
        // SAFETY: the struct has the size it says and more, or a size that is refused before more is read.
        unsafe { conditions((&raw const *call).cast()) }
            .map(|found| found.deadline)
            .map_err(|failure| failure.text)
    }

    #[test]
    fn zeros_ask_for_nothing_and_a_deadline_of_zero_is_one() {
        let mut call = newer(size_of::<vf_call>());
        assert_eq!(deadline(&call), Ok(None));
        call.known.flags = vf_call_flag::VF_CALL_DEADLINE as u64;
        assert_eq!(deadline(&call), Ok(Some(Duration::ZERO)));
        call.known.deadline_ms = 250;
        assert_eq!(deadline(&call), Ok(Some(Duration::from_millis(250))));
        // SAFETY: NULL asks for nothing.
        assert!(unsafe { conditions(std::ptr::null()) }.unwrap().deadline.is_none());
    }

    #[test]
    fn what_would_be_ignored_is_refused() {
        let mut call = newer(size_of::<vf_call>());
        call.known.deadline_ms = 250;
        let text = deadline(&call).unwrap_err();
        assert_eq!(text, "call: deadline_ms: expected 0 without the flag VF_CALL_DEADLINE, got 250");
        call.known.flags = 6;
        assert_eq!(
            deadline(&call).unwrap_err(),
            "call: flags: expected those of vf_call_flag (0x1), got 0x6"
        );
    }

    #[test]
    fn a_larger_struct_must_end_in_zeros_and_a_smaller_one_counts_as_far_as_it_goes() {
        let mut call = newer(size_of::<vf_call>() + 16);
        call.known.flags = vf_call_flag::VF_CALL_DEADLINE as u64;
        call.known.deadline_ms = 9;
        assert_eq!(deadline(&call), Ok(Some(Duration::from_millis(9))));
        call.added[1] = 1;
        assert!(deadline(&call).unwrap_err().contains("of a later release"));
        // Without the last field there is a deadline of 0; without the last two there is none.
        call.known.size = FIELD_ENDS[2];
        assert_eq!(deadline(&call), Ok(Some(Duration::ZERO)));
        call.known.size = FIELD_ENDS[1];
        assert_eq!(deadline(&call), Ok(None));
        for size in [0, 1, FIELD_ENDS[0] - 1, MAX_SIZE + 1, usize::MAX] {
            call.known.size = size;
            assert!(deadline(&call).unwrap_err().contains("the field size to be 32, got"), "{size}");
        }
    }
}
