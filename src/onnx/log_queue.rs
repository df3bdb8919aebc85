//! Log records of ONNX Runtime, given to the host's logger with no lock held: those that are
//! written while this thread holds one wait until it has let go.

use std::cell::RefCell;
use std::panic::catch_unwind;

use log::Level;

/// Target of the records.
const TARGET: &str = "onnxruntime";

thread_local! {
    /// Records that wait; `None` while nothing is held.
    static WAITING: RefCell<Option<Vec<(Level, String)>>> = const { RefCell::new(None) };
}

/// Runs `work`, which takes locks; what is logged on this thread meanwhile reaches the logger
/// afterwards.
pub(crate) fn hold<T>(work: impl FnOnce() -> T) -> T {
    /// Gives out what waits, also when `work` panics.
    struct Release;
    impl Drop for Release {
        fn drop(&mut self) {
            let records = WAITING.try_with(RefCell::take).ok().flatten().unwrap_or_default();
            for (level, text) in records {
                write(level, &text);
            }
        }
    }
    // Where the thread-local is gone nothing waits.
    let outermost = WAITING.try_with(|waiting| {
        let mut waiting = waiting.borrow_mut();
        let outermost = waiting.is_none();
        waiting.get_or_insert_default();
        outermost
    });
    let outermost = outermost.unwrap_or(false);
    let _release = outermost.then_some(Release);
    work()
}

/// Logs `text`, now or once nothing is held.
pub(crate) fn record(level: Level, text: String) {
    let mut text = Some(text);
    // Called by ONNX Runtime, through which no panic may pass, also on a thread whose thread-locals
    // are gone.
    _ = WAITING.try_with(|waiting| {
        if let Ok(mut waiting) = waiting.try_borrow_mut()
            && let Some(records) = waiting.as_mut()
        {
            records.extend(text.take().map(|text| (level, text)));
        }
    });
    if let Some(text) = text {
        write(level, &text);
    }
}

fn write(level: Level, text: &str) {
    // The host's logger may be called from C++: a panic must not pass through there.
    _ = catch_unwind(|| log::log!(target: TARGET, level, "{text}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A panic in a destructor of a thread-local would end the process.
    #[test]
    fn records_are_taken_where_the_thread_local_is_gone() {
        struct Late;
        impl Drop for Late {
            fn drop(&mut self) {
                assert!(WAITING.try_with(|_| ()).is_err());
                hold(|| record(Level::Trace, "late".to_owned()));
            }
        }
        thread_local! {
            // Made before the queue, so that it goes after it.
            static LATE: RefCell<Option<Late>> = const { RefCell::new(None) };
        }
        std::thread::spawn(|| {
            LATE.with_borrow_mut(|late| *late = Some(Late));
            hold(|| record(Level::Trace, "now".to_owned()));
        })
        .join()
        .unwrap();
    }
}
