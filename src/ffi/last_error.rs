//! What went wrong: the text of the last failure of a thread, and the meaning of a status.

use std::ffi::c_char;

use super::error_text;
use super::guard::guard;
use super::status::{meaning, vf_status};

/// Copies out what went wrong in the last call of this thread that returned a status; the text is
/// empty after `VF_OK`.
///
/// - `buf`: receives UTF-8 text, cut at a character to fit, always ended by a zero byte; NULL to
///   ask for the length.
/// - `cap`: size of `buf` in bytes; nothing is written when it is 0.
///
/// Returns the length of the whole text in bytes without the ending zero byte. Functions that
/// return no status leave the text as it is.
///
/// Any thread, concurrently: each thread has its own text. Cannot fail; may be called from a
/// callback.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_last_error(buf: *mut c_char, cap: usize) -> usize {
    guard(|| {
        // SAFETY: `buf` is NULL or has `cap` bytes, by contract.
        Ok(error_text::with(|text| unsafe { copy_out(text, buf, cap) }))
    })
}

/// Gives the meaning of a status number in a few words of English.
///
/// - `status`: any number; "unknown status" for one that this version does not know.
///
/// The text is static: never free it. `vf_last_error` says more about the failure at hand.
///
/// Any thread, concurrently. Cannot fail; may be called from a callback.
#[unsafe(no_mangle)]
pub extern "C" fn vf_status_str(status: vf_status) -> *const c_char {
    guard(|| Ok(meaning(status).as_ptr()))
}

/// Copies as much of `text` as `buf` takes, with an ending zero byte, and gives its whole length.
///
/// # Safety
/// `buf` is NULL or valid for writes of `cap` bytes.
unsafe fn copy_out(text: &str, buf: *mut c_char, cap: usize) -> usize {
    if !buf.is_null() && cap > 0 {
        let cut = text.floor_char_boundary(cap - 1);
        // SAFETY: `buf` has `cap` bytes, as promised, and `cut` is less than `cap`. The text is the
        // library's own memory, so the two do not overlap.
        unsafe {
            buf.copy_from_nonoverlapping(text.as_ptr().cast(), cut);
            buf.add(cut).write(0);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::ffi::error_text::{clear, set_text};

    fn read(cap: usize) -> (usize, String) {
        let mut buffer = vec![0x55_u8; cap + 1];
        // SAFETY: the buffer has `cap` bytes and one more.
        let length = unsafe { vf_last_error(buffer.as_mut_ptr().cast(), cap) };
        assert_eq!(buffer[cap], 0x55, "wrote past the end");
        if cap == 0 {
            return (length, String::new());
        }
        (length, CStr::from_bytes_until_nul(&buffer).unwrap().to_str().unwrap().to_owned())
    }

    #[test]
    fn texts_are_cut_at_characters_and_zero_bytes_replaced() {
        assert!(set_text("añ\0b"));
        assert_eq!(read(16), (7, "añ\u{fffd}b".to_owned()));
        assert_eq!(read(3), (7, "a".to_owned()));
        assert_eq!(read(1), (7, String::new()));
        assert_eq!(read(0), (7, String::new()));
        // SAFETY: NULL asks for the length.
        assert_eq!(unsafe { vf_last_error(std::ptr::null_mut(), 9) }, 7);
        clear();
        assert_eq!(read(4), (0, String::new()));
    }
}
