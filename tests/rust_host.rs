//! A host that is a Rust program with a logger of its own, and panics of its own, keeps both.

#![allow(unsafe_code, reason = "it calls the C interface")]

use std::ffi::{CStr, c_char, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};

use voiceflow::ffi::last_error::vf_last_error;
use voiceflow::ffi::log::vf_set_log_callback;
use voiceflow::ffi::options::{vf_options_create, vf_options_destroy};
use voiceflow::ffi::status::vf_status_code;

static RECORDS: AtomicUsize = AtomicUsize::new(0);
static PANICS: AtomicUsize = AtomicUsize::new(0);

struct HostLogger;

impl log::Log for HostLogger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, _: &log::Record<'_>) {
        RECORDS.fetch_add(1, Ordering::SeqCst);
    }
    fn flush(&self) {}
}

unsafe extern "C" fn never(_: *mut c_void, _: i32, _: *const c_char, _: *const c_char) {
    unreachable!("the host's logger gets the records");
}

#[test]
fn its_logger_and_its_panic_hook_stay() {
    log::set_logger(&HostLogger).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    std::panic::set_hook(Box::new(|_| {
        PANICS.fetch_add(1, Ordering::SeqCst);
    }));

    // SAFETY: a callback that fits, a buffer of its size, local variables.
    unsafe {
        let status = vf_set_log_callback(Some(never), ptr::null_mut(), 3);
        assert_eq!(status, vf_status_code::VF_E_INVALID_ARGUMENT as i32);
        let mut text = [0 as c_char; 256];
        vf_last_error(text.as_mut_ptr(), text.len());
        assert!(CStr::from_ptr(text.as_ptr()).to_str().unwrap().contains("already has a logger"));
        assert_eq!(vf_set_log_callback(None, ptr::null_mut(), 3), 0);

        let mut options = ptr::null_mut();
        assert_eq!(vf_options_create(&mut options), 0);
        vf_options_destroy(options);
    }
    assert_eq!(log::max_level(), log::LevelFilter::Info);
    log::info!("still the host's");
    assert_eq!(RECORDS.load(Ordering::SeqCst), 1);

    // After the library has put its hook in front.
    assert!(std::thread::spawn(|| panic!("the host's own")).join().is_err());
    assert_eq!(PANICS.load(Ordering::SeqCst), 1);
}
