//! Panics that the tests ask for: in a build with debug assertions, the variable `VOICEFLOW_FAULTS`
//! says at which pass of a place the program panics, as `batch:3,live:40`, or from which pass on,
//! as `batch:3+`; `batch@1.0.2:1+` is for models of that version alone.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the variable says of one place.
struct Fault {
    place: String,
    /// Passes until the panic.
    at: u64,
    /// Whether all passes from then on panic.
    on: bool,
    passed: AtomicU64,
}

static FAULTS: OnceLock<Vec<Fault>> = OnceLock::new();

/// Panics at the pass of `place`, by models of this version, for which that was asked.
#[expect(clippy::panic, reason = "what the tests ask for")]
pub(super) fn pass(place: &str, version: &str) {
    let faults = FAULTS.get_or_init(|| {
        let text = std::env::var("VOICEFLOW_FAULTS").unwrap_or_default();
        let fault = |(place, pass): (&str, &str)| {
            let (place, on) = (place.to_owned(), pass.ends_with('+'));
            Some(Fault { place, at: pass.trim_end_matches('+').parse().ok()?, on, passed: AtomicU64::new(0) })
        };
        text.split(',').filter_map(|fault| fault.split_once(':')).filter_map(fault).collect()
    });
    let of_version = format!("{place}@{version}");
    for fault in faults.iter().filter(|fault| fault.place == place || fault.place == of_version) {
        let passed = fault.passed.fetch_add(1, Ordering::Relaxed) + 1;
        if passed == fault.at || fault.on && passed > fault.at {
            panic!("a fault that was asked for: {place}, pass {passed}");
        }
    }
}
