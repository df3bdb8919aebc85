//! Panics that the tests ask for: in a build with debug assertions, the variable `VOICEFLOW_FAULTS`
//! says at which pass of a place the program panics, as `batch:3,live:40`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// What the variable says of one place.
struct Fault {
    place: String,
    /// Passes until the panic.
    left: AtomicU64,
}

static FAULTS: OnceLock<Vec<Fault>> = OnceLock::new();

/// Panics at the pass of `place` for which that was asked.
#[expect(clippy::panic, reason = "what the tests ask for")]
pub(super) fn pass(place: &str) {
    let faults = FAULTS.get_or_init(|| {
        let text = std::env::var("VOICEFLOW_FAULTS").unwrap_or_default();
        let fault = |(place, pass): (&str, &str)| {
            Some(Fault { place: place.to_owned(), left: AtomicU64::new(pass.parse().ok()?) })
        };
        text.split(',').filter_map(|fault| fault.split_once(':')).filter_map(fault).collect()
    });
    for fault in faults.iter().filter(|fault| fault.place == place) {
        // It wraps after the panic, and is not reached again.
        if fault.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            panic!("a fault in {place}, which VOICEFLOW_FAULTS asked for");
        }
    }
}
