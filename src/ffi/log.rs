//! Log records to the host's callback, or nowhere. The library never prints.

use std::ffi::{CString, c_char, c_void};
use std::sync::Arc;

use log::{LevelFilter, Log, Metadata, Record};

use super::callback::{self, UserData};
use super::choice::choice;
use super::guard::guard;
use super::status::{Failure, OK, vf_status};
use crate::sync::{Mutex, RwLock};

/// Receives one log record.
///
/// - `user_data`: as given with the callback.
/// - `level`: a number of `vf_log_level`.
/// - `target`: the part of the library that speaks, such as "voiceflow::model" or "onnxruntime".
/// - `message`: one message without a line end. Both texts are UTF-8, and gone when the callback
///   returns.
///
/// Called on whatever thread has something to say, on several at once, with no lock of the library
/// held. It must not throw, and must not call functions of this library other than `vf_last_error`,
/// `vf_status_str` and the versions: others fail with `VF_E_INVALID_ARGUMENT`, and a destroy does
/// nothing.
pub type vf_log_fn = Option<
    unsafe extern "C" fn(user_data: *mut c_void, level: i32, target: *const c_char, message: *const c_char),
>;

/// Severity of a log record.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum vf_log_level {
    /// Something failed.
    VF_LOG_ERROR = 1,
    /// Something is not as asked for, such as a provider that is not available.
    VF_LOG_WARN = 2,
    /// What an operator wants to see once, such as the model loaded.
    VF_LOG_INFO = 3,
    /// For finding mistakes.
    VF_LOG_DEBUG = 4,
    /// Everything.
    VF_LOG_TRACE = 5,
}

/// The callback now set.
struct Receiver {
    callback: unsafe extern "C" fn(*mut c_void, i32, *const c_char, *const c_char),
    user_data: UserData,
    level: LevelFilter,
}

/// The logger of the process, once a callback was set. It stays: a logger cannot be taken out
/// again.
struct Forward {
    receiver: RwLock<Option<Arc<Receiver>>>,
}

static FORWARD: Forward = Forward { receiver: RwLock::new(None) };

impl Log for Forward {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.receiver.read().as_ref().is_some_and(|receiver| metadata.level() <= receiver.level)
    }

    fn log(&self, record: &Record<'_>) {
        // A copy of the pointer, and the lock is free again before the host is called.
        let receiver = self.receiver.read().clone();
        let Some(receiver) = receiver.filter(|receiver| record.level() <= receiver.level) else { return };
        // A record made by handling a record, which would never end.
        if callback::active() {
            return;
        }
        let (target, message) = (c_text(record.target()), c_text(&record.args().to_string()));
        callback::during(|| {
            // SAFETY: the caller of `vf_set_log_callback` promised that the callback can be called
            // from any thread with this pointer. Both texts live until after the call.
            unsafe {
                (receiver.callback)(
                    receiver.user_data.get(),
                    record.level() as i32,
                    target.as_ptr(),
                    message.as_ptr(),
                );
            }
        });
    }

    fn flush(&self) {}
}

/// `text` for C; a zero byte in it becomes U+FFFD.
fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

/// Sends the library's log records to a callback, in the place of an earlier one. Without one they
/// go nowhere.
///
/// - `callback`: see `vf_log_fn`; NULL to send nothing any more.
/// - `user_data`: handed to the callback as it is; may be NULL. The library does not own it.
/// - `min_level`: the least grave level to send, a number of `vf_log_level`; not looked at when
///   `callback` is NULL.
///
/// There is one callback in a process. A call of the earlier callback that is under way on another
/// thread may end after this returns: keep what `user_data` leads to until the library's other
/// calls have returned. Fails with VF_E_INVALID_ARGUMENT where the host is a Rust program that has
/// set its own logger, which then gets the records.
///
/// Any thread, concurrently.
/// Returns VF_OK, VF_E_INVALID_ARGUMENT, VF_E_PANIC.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn vf_set_log_callback(
    callback: vf_log_fn,
    user_data: *mut c_void,
    min_level: i32,
) -> vf_status {
    guard(|| {
        let Some(callback) = callback else {
            replace(None);
            return Ok(OK);
        };
        let levels = [
            (vf_log_level::VF_LOG_ERROR as i32, LevelFilter::Error),
            (vf_log_level::VF_LOG_WARN as i32, LevelFilter::Warn),
            (vf_log_level::VF_LOG_INFO as i32, LevelFilter::Info),
            (vf_log_level::VF_LOG_DEBUG as i32, LevelFilter::Debug),
            (vf_log_level::VF_LOG_TRACE as i32, LevelFilter::Trace),
        ];
        let level = choice("min_level", min_level, &levels)?;
        install()?;
        replace(Some(Receiver { callback, user_data: UserData(user_data), level }));
        Ok(OK)
    })
}

/// Makes [`FORWARD`] the logger of the process, once.
fn install() -> Result<(), Failure> {
    static INSTALLED: Mutex<bool> = Mutex::new(false);
    let mut installed = INSTALLED.lock();
    if !*installed {
        log::set_logger(&FORWARD).map_err(|_| {
            Failure::invalid("callback: this program already has a logger of the Rust crate log")
        })?;
        *installed = true;
    }
    Ok(())
}

/// Sets the receiver. The level of the process follows only where the logger is ours.
fn replace(receiver: Option<Receiver>) {
    let level = receiver.as_ref().map(|receiver| receiver.level);
    let mut slot = FORWARD.receiver.write();
    match (level, slot.is_some()) {
        (Some(level), _) => log::set_max_level(level),
        (None, true) => log::set_max_level(LevelFilter::Off),
        (None, false) => {}
    }
    *slot = receiver.map(Arc::new);
}

#[cfg(test)]
mod tests {
    use std::ffi::CStr;

    use super::*;
    use crate::ffi::error_text;
    use crate::ffi::status::vf_status_code;

    unsafe extern "C" fn keep(
        user_data: *mut c_void,
        level: i32,
        target: *const c_char,
        message: *const c_char,
    ) {
        // SAFETY: the test passes a list behind a lock, and the texts are zero-ended.
        unsafe {
            let list = &*user_data.cast::<Mutex<Vec<(i32, String)>>>();
            let (target, message) = (CStr::from_ptr(target).to_str(), CStr::from_ptr(message).to_str());
            if target.unwrap() == "ffi-test" {
                list.lock().push((level, message.unwrap().to_owned()));
            }
            // Calling back in is refused and does not lock up.
            assert_eq!(
                vf_set_log_callback(None, std::ptr::null_mut(), 0),
                vf_status_code::VF_E_INVALID_ARGUMENT as vf_status
            );
        }
        log::error!(target: "ffi-test", "a record made by a record");
    }

    #[test]
    fn records_reach_the_callback_until_it_is_removed() {
        let list: Mutex<Vec<(i32, String)>> = Mutex::new(Vec::new());
        let user_data = (&raw const list).cast_mut().cast();
        // SAFETY: the list outlives the callback, which the last call removes.
        unsafe {
            assert_eq!(vf_set_log_callback(Some(keep), user_data, 2), OK);
            log::warn!(target: "ffi-test", "one\0two");
            log::info!(target: "ffi-test", "not grave enough");
            assert_eq!(vf_set_log_callback(Some(keep), user_data, 0), -1);
            assert!(error_text::with(str::to_owned).contains("min_level: expected 1 to 5, got 0"));
            assert_eq!(vf_set_log_callback(None, user_data, 99), OK);
        }
        log::error!(target: "ffi-test", "after the removal");
        assert_eq!(*list.lock(), [(2, "one\u{fffd}two".to_owned())]);
    }
}
