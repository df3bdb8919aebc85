//! The only code that blocks: threads that call diarizers. A panic in a call ends that call alone.

pub mod batch;
pub mod capacity;
#[cfg(debug_assertions)]
mod faults;
mod limited;
pub mod live;
mod options;
pub mod shadow;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::metrics::Metrics;

pub use options::Options;

/// Why work has no result.
#[derive(Debug)]
pub enum Failure {
    /// The library says why.
    Library(voiceflow::Error),
    /// A fault, which was logged.
    Panic,
}

impl Failure {
    /// Whose fault it is, for metrics: `refused` where the client asked for what cannot be had, or
    /// went away, `failed` where the server did not do what it should.
    pub fn outcome(&self) -> &'static str {
        use voiceflow::Error;
        match self {
            Failure::Library(
                Error::InvalidArgument(_) | Error::Audio(_) | Error::Limit(_) | Error::Cancelled { .. },
            ) => REFUSED,
            Failure::Library(_) | Failure::Panic => FAILED,
        }
    }
}

/// The outcome of what cannot be had.
pub const REFUSED: &str = "refused";
/// The outcome of what the server failed at.
pub const FAILED: &str = "failed";

impl From<voiceflow::Error> for Failure {
    fn from(error: voiceflow::Error) -> Self {
        Failure::Library(error)
    }
}

/// Makes a call into the library; a panic in it is counted and becomes a failure.
fn contained<T>(metrics: &Metrics, call: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // What the call leaves behind is not used again: its result, its source, its stream.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| {
        metrics.panics.inc();
        Err(Failure::Panic)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_ends_its_call_alone() {
        let metrics = Metrics::new();
        let fault = contained(&metrics, || -> Result<(), Failure> { panic!("a fault") });
        assert!(matches!(fault, Err(Failure::Panic)));
        assert_eq!(contained(&metrics, || Ok(7)).unwrap(), 7);
        assert!(metrics.text().unwrap().contains("\nvoiceflow_panics_total 1\n"));
    }
}
