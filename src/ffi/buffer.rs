//! Memory that crosses the boundary: slices and texts of the caller's, and buffers the caller wants
//! filled. Every size is checked before it is used.

use std::ffi::c_char;
use std::path::Path;
use std::slice;
use std::sync::Arc;

use super::status::{Failure, OK, vf_status, vf_status_code};
use crate::audio::first_not_finite;
use crate::config::ModelSource;
use crate::memory;

/// Longest text taken from C, in bytes: a path or a recording's name. Linux allows paths of 4,096.
const MAX_TEXT_BYTES: usize = 65_536;

/// Refuses NULL, and a pointer at which no `T` can be read or written.
pub(super) fn check_pointer<T>(name: &str, pointer: *const T) -> Result<(), Failure> {
    if pointer.is_null() {
        return Err(Failure::null(name));
    }
    if !pointer.is_aligned() {
        let align = align_of::<T>();
        return Err(Failure::invalid(format!("{name}: expected a pointer aligned to {align} bytes")));
    }
    Ok(())
}

/// The `len` elements at `pointer`; NULL is allowed where `len` is 0.
///
/// # Safety
/// `pointer` leads to `len` elements that nobody changes while the slice lives, or `len` is 0.
pub(crate) unsafe fn slice<'a, T: Copy>(
    name: &str,
    pointer: *const T,
    len: usize,
) -> Result<&'a [T], Failure> {
    if len == 0 {
        return Ok(&[]);
    }
    check_array(name, pointer, len)?;
    // SAFETY: as promised; not NULL, aligned, and no larger than an object can be.
    Ok(unsafe { slice::from_raw_parts(pointer, len) })
}

/// Checks what can be checked of `len` elements at `pointer` without reading them; NULL is allowed
/// where `len` is 0.
pub(super) fn check_array<T>(name: &str, pointer: *const T, len: usize) -> Result<(), Failure> {
    if len > 0 {
        check_pointer(name, pointer)?;
    }
    // No object has more bytes.
    match len.checked_mul(size_of::<T>()) {
        Some(bytes) if bytes <= isize::MAX as usize => Ok(()),
        _ => Err(Failure::limit(format!("{name}: {len} elements do not fit in memory"))),
    }
}

/// A model from the `size` bytes of an ONNX file at `data`, copied.
///
/// # Safety
/// As [`slice`].
pub(crate) unsafe fn model(data: *const u8, size: usize) -> Result<ModelSource, Failure> {
    // The largest file that protobuf, and so ONNX, allows.
    if size > i32::MAX as usize {
        return Err(Failure::limit(format!("size: expected at most {} bytes, got {size}", i32::MAX)));
    }
    // SAFETY: as promised.
    match unsafe { slice("data", data, size) }? {
        [] => Err(Failure::invalid("size: expected the bytes of an ONNX file, got 0 bytes")),
        bytes => Ok(ModelSource::Memory(Arc::new(memory::copied("model", bytes)?))),
    }
}

/// The zero-ended UTF-8 text at `pointer`.
///
/// # Safety
/// As [`bytes_of`].
pub(crate) unsafe fn text<'a>(name: &str, pointer: *const c_char) -> Result<&'a str, Failure> {
    // SAFETY: as promised.
    utf8(name, unsafe { bytes_of(name, pointer) }?)
}

fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, Failure> {
    std::str::from_utf8(bytes)
        .map_err(|error| Failure::invalid(format!("{name}: not UTF-8 after byte {}", error.valid_up_to())))
}

/// The zero-ended path at `pointer`: the bytes of the system where its paths are bytes, else UTF-8.
///
/// # Safety
/// As [`bytes_of`].
pub(crate) unsafe fn path<'a>(name: &str, pointer: *const c_char) -> Result<&'a Path, Failure> {
    // SAFETY: as promised.
    let bytes = unsafe { bytes_of(name, pointer) }?;
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        Ok(Path::new(std::ffi::OsStr::from_bytes(bytes)))
    }
    #[cfg(not(unix))]
    Ok(Path::new(utf8(name, bytes)?))
}

/// The bytes in front of the zero byte that ends the text at `pointer`.
///
/// # Safety
/// `pointer` is NULL or leads to a zero-ended text that nobody changes while the result lives.
unsafe fn bytes_of<'a>(name: &str, pointer: *const c_char) -> Result<&'a [u8], Failure> {
    if pointer.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: reads no further than the ending zero byte.
    let is_end = |at: &usize| unsafe { pointer.add(*at).read() == 0 };
    let Some(len) = (0..=MAX_TEXT_BYTES).find(is_end) else {
        return Err(Failure::limit(format!("{name}: longer than {MAX_TEXT_BYTES} bytes")));
    };
    // SAFETY: `len` bytes stand in front of the zero byte.
    Ok(unsafe { slice::from_raw_parts(pointer.cast::<u8>(), len) })
}

/// What C says by 0 or 1.
pub(crate) fn switch(name: &str, value: i32) -> Result<bool, Failure> {
    match value {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(Failure::invalid(format!("{name}: expected 0 or 1, got {other}"))),
    }
}

/// Refuses NaN and infinity, which would spoil everything they are mixed with.
pub(crate) fn check_finite(name: &str, samples: &[f32]) -> Result<(), Failure> {
    match first_not_finite(samples) {
        None => Ok(()),
        Some(index) => {
            let text = format!("{name}: expected finite samples, got {} at index {index}", samples[index]);
            Err(Failure { status: vf_status_code::VF_E_AUDIO, text })
        }
    }
}

/// Stores `value` where the caller wants it.
///
/// # Safety
/// `out` is NULL or valid for a write.
pub(crate) unsafe fn store<T>(name: &str, out: *mut T, value: T) -> Result<(), Failure> {
    check_pointer(name, out)?;
    // SAFETY: neither NULL nor misaligned, so valid by contract.
    unsafe { out.write(value) };
    Ok(())
}

/// Where the caller wants elements: the pointer, its capacity, and where their number goes.
pub(crate) struct Buffer<'a, T> {
    name: &'a str,
    out: *mut T,
    cap: usize,
    n: *mut usize,
}

impl<'a, T: Copy> Buffer<'a, T> {
    /// Takes the caller's three values and stores 0 in `*n`.
    ///
    /// # Safety
    /// `out` is NULL or valid for writes of `cap` elements, and `n` is NULL or valid for a write,
    /// while this lives.
    pub unsafe fn new(name: &'a str, out: *mut T, cap: usize, n: *mut usize) -> Result<Self, Failure> {
        // SAFETY: as promised.
        unsafe { store("n", n, 0) }?;
        if cap > 0 {
            check_pointer(name, out)?;
        }
        Ok(Self { name, out, cap, n })
    }

    /// Stores `needed` in `*n` and fails where the capacity is less.
    pub fn need(&self, needed: usize) -> Result<(), Failure> {
        // SAFETY: `new` checked it.
        unsafe { self.n.write(needed) };
        if self.cap >= needed {
            return Ok(());
        }
        let (name, cap) = (self.name, self.cap);
        let text = format!("{name}: expected room for {needed} elements, got {cap}");
        Err(Failure { status: vf_status_code::VF_E_BUFFER_TOO_SMALL, text })
    }

    /// Stores 0 in `*n` again, for a call that fails after all.
    pub fn forget(&self) {
        // SAFETY: `new` checked it.
        unsafe { self.n.write(0) };
    }

    /// Hands over all of `items`, or nothing and how many there are. They need no memory of the
    /// library's own.
    pub fn fill_with(&self, items: impl ExactSizeIterator<Item = T>) -> Result<vf_status, Failure> {
        let count = items.len();
        self.need(count)?;
        for (index, item) in items.take(count).enumerate() {
            // SAFETY: `need` found room for `count` elements, so `out` is not NULL and `index` is
            // within it.
            unsafe { self.out.add(index).write(item) };
        }
        Ok(OK)
    }

    /// Hands over all of `items`, or nothing and how many there are.
    pub fn fill(&self, items: &[T]) -> Result<vf_status, Failure> {
        self.need(items.len())?;
        if !items.is_empty() {
            // SAFETY: `need` found the room, so `out` is not NULL; `items` is the library's own
            // memory.
            unsafe { self.out.copy_from_nonoverlapping(items.as_ptr(), items.len()) };
        }
        Ok(OK)
    }
}

impl Buffer<'_, c_char> {
    /// Hands over `text` with an ending zero byte, which counts, or nothing and how much room it
    /// takes.
    pub fn fill_text(&self, text: &str) -> Result<vf_status, Failure> {
        self.need(text.len().saturating_add(1))?;
        // SAFETY: `need` found the room for the text and its end; `text` is the library's own
        // memory.
        unsafe {
            self.out.copy_from_nonoverlapping(text.as_ptr().cast(), text.len());
            self.out.add(text.len()).write(0);
        }
        Ok(OK)
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use super::*;

    #[test]
    fn slices_are_checked() {
        // SAFETY: none of these is read: each is refused or empty.
        unsafe {
            assert!(slice::<f32>("x", ptr::null(), 0).unwrap().is_empty());
            assert_eq!(slice::<f32>("x", ptr::null(), 1).unwrap_err().status, vf_status_code::VF_E_NULL);
            let odd = ptr::without_provenance::<f32>(5);
            assert!(slice("x", odd, 1).unwrap_err().text.contains("aligned to 4 bytes"));
            let even = ptr::without_provenance::<f32>(8);
            assert_eq!(slice("x", even, usize::MAX / 4).unwrap_err().status, vf_status_code::VF_E_LIMIT);
            assert_eq!(slice("x", even, usize::MAX).unwrap_err().status, vf_status_code::VF_E_LIMIT);
        }
    }

    #[test]
    fn texts_are_checked() {
        let long = vec![b'a'; MAX_TEXT_BYTES + 2];
        // SAFETY: literals; the long text is left where the limit ends.
        unsafe {
            assert_eq!(text("path", c"añ".as_ptr()).unwrap(), "añ");
            assert_eq!(text("path", ptr::null()).unwrap_err().text, "path: must not be NULL");
            assert_eq!(text("name", c"a\xff".as_ptr()).unwrap_err().text, "name: not UTF-8 after byte 1");
            #[cfg(unix)]
            assert_eq!(path("path", c"a\xff".as_ptr()).unwrap().as_os_str().len(), 2);
            let failure = text("path", long.as_ptr().cast()).unwrap_err();
            assert_eq!(failure.status, vf_status_code::VF_E_LIMIT);
        }
    }

    #[test]
    fn too_small_writes_nothing_and_tells_the_size() {
        let (mut out, mut n) = ([7_i32; 3], 9);
        // SAFETY: local memory of the sizes given.
        unsafe {
            let buffer = Buffer::new("out", out.as_mut_ptr(), 1, &mut n).unwrap();
            let failure = buffer.fill(&[1, 2]).unwrap_err();
            assert_eq!(failure.status, vf_status_code::VF_E_BUFFER_TOO_SMALL);
            assert_eq!(failure.text, "out: expected room for 2 elements, got 1");
            assert_eq!((out, n), ([7; 3], 2));
            Buffer::new("out", out.as_mut_ptr(), 3, &mut n).unwrap().fill(&[1, 2]).unwrap();
            assert_eq!((out, n), ([1, 2, 7], 2));
            Buffer::new("out", ptr::null_mut::<i32>(), 0, &mut n).unwrap().fill(&[]).unwrap();
            assert_eq!(n, 0);
            assert!(Buffer::new("out", ptr::null_mut::<i32>(), 1, &mut n).is_err());
            assert!(Buffer::new("out", out.as_mut_ptr(), 1, ptr::null_mut()).is_err());
            let odd = ptr::without_provenance_mut::<i32>(5);
            let failure = Buffer::new("out", odd, 1, &mut n).err().unwrap();
            assert_eq!(failure.text, "out: expected a pointer aligned to 4 bytes");
            assert!(store("n", odd, 1).unwrap_err().text.contains("aligned to 4 bytes"));
        }
    }
}
