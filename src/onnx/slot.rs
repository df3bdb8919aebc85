//! One run slot: an ONNX Runtime session and the options of its runs. Used by one caller at a time;
//! knows nothing of the pool, nor of what the tensors mean.

use std::sync::Arc;
use std::time::Instant;

use ort::session::{RunOptions, Session as OrtSession, SessionInputs};

use super::provider::Plans;
use super::tensors::{Outputs, failed};
use super::watchdog::Watchdog;
use crate::call::Call;
use crate::ending;
use crate::error::{Error, Result, Stage};

/// Most input shapes of which ONNX Runtime may keep a plan: some 13 kB each for fast-cnn.
pub(crate) const MAX_PLANS: usize = 64;

/// A run slot.
pub(crate) struct Slot {
    session: OrtSession,
    options: Arc<RunOptions>,
    /// Input shapes of which ONNX Runtime keeps a plan; `None` where it keeps none.
    planned: Option<Vec<[usize; 2]>>,
}

impl Slot {
    pub(crate) fn new(session: OrtSession, plans: Plans) -> Result<Self> {
        let options = RunOptions::new().map_err(|error| Error::Runtime(error.to_string()))?;
        // Room for all, so that a run never allocates.
        let planned = (plans == Plans::Kept).then(|| Vec::with_capacity(MAX_PLANS));
        Ok(Self { session, options: Arc::new(options), planned })
    }

    /// Whether it may run an input of this shape: not where that would be one plan too many.
    pub(crate) fn admits(&mut self, shape: [usize; 2]) -> bool {
        let Some(planned) = &mut self.planned else { return true };
        if planned.contains(&shape) {
            return true;
        }
        if planned.len() == MAX_PLANS {
            return false;
        }
        planned.push(shape);
        true
    }

    /// Runs the network on `inputs` and hands its outputs to `read`. The progress callback is not
    /// called.
    pub(crate) fn run<'i, 'v: 'i, const N: usize, T>(
        &mut self,
        inputs: impl Into<SessionInputs<'i, 'v, N>>,
        watchdog: &Watchdog,
        call: &Call,
        read: impl FnOnce(Outputs<'_, '_>) -> Result<T>,
    ) -> Result<T> {
        // The process may have begun to end while this waited.
        ending::check()?;
        // The flag may still be set by the run before.
        self.options.unterminate().map_err(failed)?;
        let at = call.remaining().and_then(|left| Instant::now().checked_add(left));
        let watch = match (at, call.stop_flag()) {
            (None, None) => None,
            (at, flag) => Some(watchdog.watch(at, flag, &self.options)?),
        };
        let result = self.session.run_with_options(inputs, &*self.options);
        let stopped = watch.as_ref().is_some_and(|watch| watch.stopped());
        drop(watch);
        match result {
            Ok(outputs) => read(Outputs(&outputs)),
            Err(_) if stopped => {
                ending::check()?;
                call.check_wanted(Stage::Analysis)?;
                Err(call.deadline_error(Stage::Analysis))
            }
            Err(error) => Err(failed(error)),
        }
    }
}
