//! What of the library waits and wakes, on real threads, small enough to be compiled for
//! ThreadSanitizer. ONNX Runtime, which is not compiled for it, is left out: of it, the watchdog
//! needs a stop flag.

#![cfg(test)]
#![allow(unfulfilled_lint_expectations, reason = "the pool may not `expect` in the library; tests may")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]
#![allow(dead_code, reason = "a part of each file is used")]

/// The watchdog's file names the crate `ort`.
extern crate self as ort;

#[path = "../../../src/call.rs"]
mod call;
#[path = "../../../src/ending.rs"]
mod ending;
#[path = "../../../src/error.rs"]
mod error;
mod model;
#[path = "../../../src/process/fork.rs"]
mod process;
#[path = "../../../src/sync.rs"]
mod sync;

pub mod session {
    //! In the place of ONNX Runtime's.

    use std::convert::Infallible;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[derive(Default)]
    pub struct RunOptions(AtomicBool);

    impl RunOptions {
        pub fn terminate(&self) -> Result<(), Infallible> {
            self.0.store(true, Ordering::Relaxed);
            Ok(())
        }

        pub fn terminated(&self) -> bool {
            self.0.load(Ordering::Relaxed)
        }
    }
}
