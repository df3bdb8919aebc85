//! Log records of ONNX Runtime, given to the host's logger with no lock held: those that are written while this
//! thread holds one wait until it has let go.

use std::cell::RefCell;
use std::panic::catch_unwind;

use log::Level;

/// Target of the records.
const TARGET: &str = "onnxruntime";

thread_local! {
    /// Records that wait; `None` while nothing is held.
    static WAITING: RefCell<Option<Vec<(Level, String)>>> = const { RefCell::new(None) };
}

/// Runs `work`, which takes locks; what is logged on this thread meanwhile reaches the logger afterwards.
pub(super) fn hold<T>(work: impl FnOnce() -> T) -> T {
    /// Gives out what waits, also when `work` panics.
    struct Release;
    impl Drop for Release {
        fn drop(&mut self) {
            let records = WAITING.with(RefCell::take).unwrap_or_default();
            for (level, text) in records {
                write(level, &text);
            }
        }
    }
    let outermost = WAITING.with_borrow_mut(|waiting| {
        let outermost = waiting.is_none();
        waiting.get_or_insert_default();
        outermost
    });
    let _release = outermost.then_some(Release);
    work()
}

/// Logs `text`, now or once nothing is held.
pub(super) fn record(level: Level, text: String) {
    let now = WAITING.with_borrow_mut(|waiting| match waiting {
        Some(records) => {
            records.push((level, text));
            None
        }
        None => Some(text),
    });
    if let Some(text) = now {
        write(level, &text);
    }
}

fn write(level: Level, text: &str) {
    // The host's logger may be called from C++: a panic must not pass through there.
    _ = catch_unwind(|| log::log!(target: TARGET, level, "{text}"));
}
