//! The text of the last failure on each thread, where it is kept.

use std::cell::{Cell, RefCell};

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
pub(super) fn set_text(new: &str) -> bool {
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

/// Hands this thread's text to `take`.
pub(super) fn with<T>(take: impl Fn(&str) -> T) -> T {
    TEXT.try_with(|text| take(&text.borrow())).unwrap_or_else(|_| take(LAST_WORD.get()))
}
