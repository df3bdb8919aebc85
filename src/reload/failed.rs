//! Why a reload changed nothing, and at which step it ended.

use std::fmt;

use crate::error::Error;

/// The steps of a reload, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Step {
    /// Waiting for another reload.
    Wait,
    /// Loading the new models: SHA-256, contract, golden vector.
    Load,
    /// Making their run slots.
    Warm,
    /// Diarizing the smoke recording.
    Smoke,
}

impl Step {
    /// A word for logs and metrics: `wait`, `load`, `warm`, `smoke`.
    pub fn name(self) -> &'static str {
        match self {
            Step::Wait => "wait",
            Step::Load => "load",
            Step::Warm => "warm",
            Step::Smoke => "smoke",
        }
    }

    pub(super) fn failed(self) -> impl FnOnce(Error) -> Failed {
        move |error| Failed { step: self, error }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A reload that failed. The version that ran before runs on.
#[derive(Debug, thiserror::Error)]
#[error("reload: {step}: {error}")]
pub struct Failed {
    /// The step that failed.
    pub step: Step,
    /// Why; a deadline or a switch that ended the reload too.
    #[source]
    pub error: Error,
}
