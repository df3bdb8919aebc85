//! Why models stay as they are.

use std::fmt;

use voiceflow::reload::Step;

/// What a reload does, in this order.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage {
    /// Finds the bundle, and reads what its files hold.
    Resolve,
    /// Fetches it from the registry.
    Fetch,
    /// Looks whether there is room for another bundle.
    Memory,
    /// Loads it: contract, golden vector.
    Load,
    /// Makes its run slots.
    Warm,
    /// Diarizes a recording with it.
    Smoke,
    /// Looks at the galleries whose model is replaced.
    Galleries,
}

impl Stage {
    /// In answers and logs.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Resolve => "resolve",
            Stage::Galleries => "galleries",
            Stage::Fetch => "fetch",
            Stage::Memory => "memory",
            Stage::Load => "load",
            Stage::Warm => "warm",
            Stage::Smoke => "smoke",
        }
    }
}

impl From<Step> for Stage {
    fn from(step: Step) -> Self {
        match step {
            Step::Warm => Stage::Warm,
            Step::Smoke => Stage::Smoke,
            _ => Stage::Load,
        }
    }
}

/// A reload that changed nothing at an arm.
#[derive(Clone, Debug, PartialEq)]
pub struct Failed {
    /// The arm.
    pub arm: String,
    /// What could not be done.
    pub stage: Stage,
    /// Why.
    pub reason: String,
}

impl Failed {
    /// At this stage, for this reason.
    pub(super) fn at(arm: &str, stage: Stage) -> impl FnOnce(String) -> Self {
        let arm = arm.to_owned();
        move |reason| Self { arm, stage, reason }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}: {}", self.arm, self.stage.name(), self.reason)
    }
}

/// What an operator asked for and did not get.
#[derive(Clone, Debug, PartialEq)]
pub enum Refused {
    /// An arm that is not there, or weights that are none.
    Asked(&'static str, String),
    /// A reload failed; nothing has changed at this arm.
    Failed(Failed),
}

impl From<Failed> for Refused {
    fn from(failed: Failed) -> Self {
        Refused::Failed(failed)
    }
}
