//! Structs of the caller's that begin with their size, so that fields can be added at the end
//! without breaking programs already built.

use super::buffer;
use super::status::Failure;

/// More than any release will have: such a size was never set.
pub(super) const MAX_SIZE: usize = 4096;

/// The caller's struct `name`, with the fields of `none` in place of those that it does not have.
/// The fields end at `field_ends`; one that the caller's struct has in part only is none of its
/// fields.
///
/// # Safety
/// `given` leads to as many bytes as its first field, a `size_t`, says, if that is no more than
/// `MAX_SIZE`. Every whole number of fields of `T` may be copied from there.
pub(super) unsafe fn read<T: Copy>(
    name: &str,
    given: *const T,
    none: T,
    field_ends: &[usize],
) -> Result<T, Failure> {
    let mut known = none;
    buffer::check_pointer(name, given)?;
    // SAFETY: not NULL, aligned, and at least this field is there.
    let size = unsafe { given.cast::<usize>().read() };
    if !(size_of::<usize>()..=MAX_SIZE).contains(&size) {
        let expected = size_of::<T>();
        return Err(Failure::invalid(format!(
            "{name}: expected the field size to be {expected}, got {size}"
        )));
    }
    let shared = field_ends.iter().copied().filter(|end| *end <= size).max().unwrap_or(0);
    let bytes = given.cast::<u8>();
    // SAFETY: the caller's struct has `size` bytes; whole fields of it are copied, as promised.
    unsafe { bytes.copy_to_nonoverlapping((&raw mut known).cast::<u8>(), shared) };
    // SAFETY: as above; these bytes are read as bytes.
    let beyond = (shared..size).map(|at| unsafe { bytes.add(at).read() });
    if beyond.into_iter().any(|byte| byte != 0) {
        let text = format!(
            "{name}: expected zeros after the {shared} bytes that this library knows of the {size}, got other \
             values: the program asks for something of a later release"
        );
        return Err(Failure::invalid(text));
    }
    Ok(known)
}
