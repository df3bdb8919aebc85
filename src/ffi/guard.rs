//! The one panic boundary. Every exported body runs in [`guard`]: a panic ends here, becomes a
//! status and a text, and is never printed.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::c_char;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use super::status::{Failure, vf_status, vf_status_code};
use super::{callback, error_text, stack};

/// A type that an exported function returns.
pub(crate) trait Answer: Sized {
    /// Whether the function reports failures: it clears the error text on entry and sets it when it
    /// fails.
    const REPORTS: bool = false;
    /// Whether the function may be called from inside a callback.
    const IN_CALLBACKS: bool = true;
    /// What the function returns when it fails.
    fn failed(status: vf_status_code) -> Self;
}

impl Answer for vf_status {
    const REPORTS: bool = true;
    const IN_CALLBACKS: bool = false;
    fn failed(status: vf_status_code) -> Self {
        status as vf_status
    }
}

/// The destroy functions.
impl Answer for () {
    const IN_CALLBACKS: bool = false;
    fn failed(_: vf_status_code) -> Self {}
}

impl Answer for usize {
    fn failed(_: vf_status_code) -> Self {
        0
    }
}

impl Answer for u32 {
    fn failed(_: vf_status_code) -> Self {
        0
    }
}

impl Answer for *const c_char {
    fn failed(_: vf_status_code) -> Self {
        c"".as_ptr()
    }
}

/// How the names of the threads that the library starts begin.
const OWN_THREADS: &str = "voiceflow";

thread_local! {
    /// How many guards are on this thread's stack. More than one only where a callback calls back.
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    /// Where the panic now under way began.
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs the body of an exported function. Whatever happens in it, this returns.
pub(crate) fn guard<T: Answer>(body: impl FnOnce() -> Result<T, Failure>) -> T {
    if callback::active() && !T::IN_CALLBACKS {
        return report(Err(Failure::invalid("called from inside a callback, which must not call back")));
    }
    guard_anywhere(body)
}

/// As [`guard`], for a function that waits for nothing and may be called from inside a callback.
pub(crate) fn guard_anywhere<T: Answer>(body: impl FnOnce() -> Result<T, Failure>) -> T {
    static HOOK: Once = Once::new();
    HOOK.call_once(silence_panics);
    if T::REPORTS {
        error_text::clear();
    }
    let _depth = Depth::enter();
    // The closure's captures are not seen after a panic: each handle in use is poisoned by its
    // borrow.
    let result = panic::catch_unwind(AssertUnwindSafe(|| stack::with_room(body)))
        .unwrap_or_else(|payload| Err(fault(payload)));
    report(result)
}

/// Turns the result into what C gets, and keeps the text of a failure.
fn report<T: Answer>(result: Result<T, Failure>) -> T {
    match result {
        Ok(answer) => {
            // A call refused in a callback may have left its text.
            if T::REPORTS {
                error_text::clear();
            }
            answer
        }
        Err(failure) => {
            if T::REPORTS {
                error_text::set(&failure);
            }
            T::failed(failure.status)
        }
    }
}

/// The failure for a caught panic.
fn fault(payload: Box<dyn Any + Send>) -> Failure {
    // The text is gone where the thread is ending, and asking for it then must not panic again.
    let place = PLACE.try_with(RefCell::take).unwrap_or_default();
    let said = if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        // A payload of unknown type might panic again when it is dropped.
        std::mem::forget(payload);
        "no message".to_owned()
    };
    let text = format!("internal fault: {said} ({place}); destroy the handles of this call");
    ::log::error!("{text}");
    Failure { status: vf_status_code::VF_E_PANIC, text }
}

/// The standard hook prints to the standard error stream, which belongs to the host. Panics under a
/// guard are reported by their status, those of the library's own threads by the log; all others go
/// where they went before.
fn silence_panics() {
    let others = panic::take_hook();
    panic::set_hook(Box::new(move |info: &PanicHookInfo<'_>| {
        let guarded = DEPTH.try_with(|depth| depth.get() > 0).unwrap_or(false);
        if !guarded {
            let thread = std::thread::current();
            match thread.name() {
                Some(name) if name.starts_with(OWN_THREADS) => {
                    ::log::error!("{name}: internal fault: {info}")
                }
                _ => others(info),
            }
            return;
        }
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let _ = PLACE.try_with(|cell| cell.replace(place));
    }));
}

/// Counts a guard while it lives.
struct Depth;

impl Depth {
    fn enter() -> Self {
        DEPTH.with(|depth| depth.set(depth.get() + 1));
        Depth
    }
}

impl Drop for Depth {
    fn drop(&mut self) {
        DEPTH.with(|depth| depth.set(depth.get() - 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;
    use crate::ffi::status::OK;

    #[test]
    fn a_panic_becomes_a_status_with_message_and_place() {
        let status: vf_status = guard(|| panic!("number {}", 7));
        assert_eq!(status, vf_status_code::VF_E_PANIC as vf_status);
        let text = error_text::with(str::to_owned);
        assert!(text.contains("number 7") && text.contains("guard.rs:"), "{text}");
    }

    #[test]
    fn any_payload_is_caught() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                panic!("dropped");
            }
        }
        let status: vf_status = guard(|| panic::panic_any(Bomb));
        assert_eq!(status, vf_status_code::VF_E_PANIC as vf_status);
    }

    #[test]
    fn only_functions_with_a_status_touch_the_error_text() {
        let _: vf_status = guard(|| Err(Error::Model("broken".into()).into()));
        assert_eq!(error_text::with(str::to_owned), "broken");
        guard(|| Ok(()));
        let zero: usize = guard(|| Err(Failure::null("x")));
        assert_eq!((zero, error_text::with(str::to_owned).as_str()), (0, "broken"));
        let ok: vf_status = guard(|| Ok(OK));
        assert_eq!((ok, error_text::with(str::to_owned).as_str()), (0, ""));
    }

    #[test]
    fn calls_from_callbacks_are_refused() {
        let inner = || -> vf_status { guard(|| Ok(OK)) };
        let status = callback::during(inner);
        assert_eq!(status, vf_status_code::VF_E_INVALID_ARGUMENT as vf_status);
        assert!(error_text::with(str::to_owned).contains("callback"));
        assert_eq!(inner(), OK);
    }
}
