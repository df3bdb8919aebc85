//! The text of the last failure on each thread.

use std::cell::{Cell, RefCell};
use std::ffi::c_char;

use super::guard::guard;
use super::status::{Failure, meaning};

thread_local! {
    static TEXT: RefCell<String> = const { RefCell::new(String::new()) };
    /// What stands for the text where that is gone, as the thread is ending. Without a destructor,
    /// so that it can be read to the last.
    static LAST_WORD: Cell<&'static str> = const { Cell::new("") };
}

/// Forgets this thread's text. Keeps the memory, so that a later text of the same length allocates
/// nothing.
pub(crate) fn clear() {
    LAST_WORD.set("");
    let _ = TEXT.try_with(|text| text.borrow_mut().clear());
}

/// Keeps the text of `failure` as this thread's; where that is gone, what its status means.
pub(crate) fn set(failure: &Failure) {
    if !set_text(&failure.text) {
        LAST_WORD.set(meaning(failure.status as i32).to_str().unwrap_or_default());
    }
}

/// Keeps `new` as this thread's text. A zero byte, which would end the text in C, becomes U+FFFD.
/// `false` where the thread-local is gone.
fn set_text(new: &str) -> bool {
    let kept = TEXT.try_with(|text| {
        let mut text = text.borrow_mut();
        text.clear();
        // Without memory for the text, the status is all there is.
        if text.try_reserve(new.len()).is_err() {
            return;
        }
        text.extend(new.chars().map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c }));
    });
    kept.is_ok()
}

/// This thread's text.
#[cfg(test)]
pub(crate) fn get() -> String {
    TEXT.with_borrow(Clone::clone)
}

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
        let copied = TEXT.try_with(|text| unsafe { copy_out(&text.borrow(), buf, cap) });
        // SAFETY: as above.
        Ok(copied.unwrap_or_else(|_| unsafe { copy_out(LAST_WORD.get(), buf, cap) }))
    })
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
