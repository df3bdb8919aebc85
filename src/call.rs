//! How a caller steers work in progress: a progress callback that can cancel, and a deadline. Every stage
//! calls [`Call::check`] between bounded pieces of work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result, Stage};

/// Told how far a stage is (`fraction` of the stage, 0 to 1; the share of audio read where the length is
/// unknown beforehand). Returns `true` to go on, `false` to cancel.
pub type ProgressFn<'a> = dyn Fn(Stage, f32) -> bool + Sync + 'a;

/// A switch by which any thread ends the calls that were given it. Clones are the same switch; it stays set.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// A switch that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends the calls under way soon, and later ones at once.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The progress callback, the cancel switch and the deadline of one call.
#[derive(Clone, Copy, Default)]
pub struct Call<'a> {
    progress: Option<&'a ProgressFn<'a>>,
    deadline: Option<(Instant, Duration)>,
    /// Smallest fraction that is reported.
    least_fraction: f32,
    /// The caller's switch.
    cancel: Option<&'a Cancel>,
    /// Set by another thread of the library when the work is no longer wanted.
    stop: Option<&'a Arc<AtomicBool>>,
}

impl<'a> Call<'a> {
    /// Neither callback nor deadline.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reports progress to `progress`, which can cancel. It is called on the calling thread.
    pub fn with_progress(mut self, progress: &'a ProgressFn<'a>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Fails with [`Error::Cancelled`] once `cancel` is set, by whatever thread.
    pub fn with_cancel(mut self, cancel: &'a Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// Fails with [`Error::Deadline`] once `limit` has passed from now; `None` sets no deadline.
    pub fn with_deadline(mut self, limit: Option<Duration>) -> Self {
        self.deadline = limit.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        self
    }

    /// Sets the deadline like [`Call::with_deadline`] unless there already is one.
    pub fn or_deadline(self, limit: Option<Duration>) -> Self {
        if self.deadline.is_some() { self } else { self.with_deadline(limit) }
    }

    /// Reports no fraction below `fraction`: for work that is done again, so that progress never goes back.
    pub fn with_least_fraction(mut self, fraction: f32) -> Self {
        self.least_fraction = fraction;
        self
    }

    /// The same deadline without the callback, for threads that the callback may not be called on; work ends as
    /// cancelled once `stop` is set, which the calling thread does when it is cancelled itself.
    pub(crate) fn on_worker<'b>(&self, stop: &'b Arc<AtomicBool>) -> Call<'b> {
        let (deadline, least_fraction) = (self.deadline, self.least_fraction);
        Call { progress: None, deadline, least_fraction, cancel: None, stop: Some(stop) }
    }

    /// Work also ends as cancelled once another thread sets `stop`.
    pub(crate) fn with_stop(mut self, stop: &'a Arc<AtomicBool>) -> Self {
        self.stop = Some(stop);
        self
    }

    /// The flag that ends a run of the network when another thread sets it. Of a call that has two, the caller's switch
    /// is looked at between its runs.
    pub(crate) fn stop_flag(&self) -> Option<&'a Arc<AtomicBool>> {
        self.stop.or(self.cancel.map(|cancel| &cancel.0))
    }

    /// Whether a deadline, a switch or another thread may end the work.
    pub(crate) fn may_end(&self) -> bool {
        self.deadline.is_some() || self.cancel.is_some() || self.stop.is_some()
    }

    /// Whether [`Call::check`] calls the caller back.
    pub(crate) fn has_progress(&self) -> bool {
        self.progress.is_some()
    }

    /// Reports progress and fails if the caller cancelled or the deadline has passed.
    ///
    /// # Errors
    /// [`Error::Cancelled`] or [`Error::Deadline`].
    pub fn check(&self, stage: Stage, fraction: f32) -> Result<()> {
        if let Some(progress) = self.progress
            && !progress(stage, fraction.max(self.least_fraction).clamp(0.0, 1.0))
        {
            return Err(Error::Cancelled { stage });
        }
        self.check_wanted(stage)
    }

    /// As [`Call::check`], without reporting progress.
    pub(crate) fn check_wanted(&self, stage: Stage) -> Result<()> {
        if self.remaining() == Some(Duration::ZERO) {
            return Err(self.deadline_error(stage));
        }
        let stopped = self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed));
        if stopped || self.cancel.is_some_and(Cancel::is_set) {
            return Err(Error::Cancelled { stage });
        }
        Ok(())
    }

    /// Time left until the deadline (zero once it has passed), `None` without a deadline.
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|(at, _)| at.saturating_duration_since(Instant::now()))
    }

    /// The error for a deadline that passed during `stage`.
    pub fn deadline_error(&self, stage: Stage) -> Error {
        let deadline_ms = self.deadline.map_or(0, |(_, limit)| limit.as_millis() as u64);
        Error::Deadline { deadline_ms, stage }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_cancels_every_call_that_has_it_and_no_other() {
        let (cancel, other) = (Cancel::new(), Cancel::new());
        let (with, without) = (Call::none().with_cancel(&cancel), Call::none().with_cancel(&other));
        assert!(with.check(Stage::Analysis, 0.1).is_ok());
        cancel.clone().set();
        let error = with.check(Stage::Waiting, 0.1).unwrap_err();
        assert!(matches!(error, Error::Cancelled { stage: Stage::Waiting }));
        assert!(with.check_wanted(Stage::Analysis).is_err() && without.check(Stage::Analysis, 0.1).is_ok());
    }

    #[test]
    fn callback_cancels_with_the_stage_named() {
        let stop = |_: Stage, fraction: f32| fraction < 0.5;
        let call = Call::none().with_progress(&stop);
        assert!(call.check(Stage::Analysis, 0.1).is_ok());
        let error = call.check(Stage::Clustering, 0.9).unwrap_err();
        assert_eq!(error.to_string(), "cancelled while clustering the speakers");
    }

    #[test]
    fn work_done_again_reports_no_less_than_before() {
        let whole = |_: Stage, fraction: f32| fraction == 1.0;
        let call = Call::none().with_progress(&whole).with_least_fraction(1.0);
        assert!(call.check(Stage::Analysis, 0.1).is_ok());
    }

    #[test]
    fn a_passed_deadline_fails_with_its_length() {
        let call = Call::none().with_deadline(Some(Duration::ZERO));
        let error = call.check(Stage::Analysis, 0.0).unwrap_err();
        assert_eq!(error.to_string(), "deadline of 0 ms passed while analysing the audio");
        assert!(Call::none().with_deadline(None).check(Stage::Analysis, 0.0).is_ok());
    }
}
