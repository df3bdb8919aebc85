//! The conditions of one call: what ends it early, who gets its progress, and what is asked of this
//! recording alone. Every stage calls [`Call::check`] between bounded pieces of work.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::error::{Error, Result, Stage};

/// Most speakers that can be asked for in one recording.
pub const MAX_SPEAKERS: usize = 100;

/// Gets a stage and how much of it is done: 0 to 1, the share of the audio read where its length is
/// unknown beforehand.
pub type ProgressFn<'a> = dyn Fn(Stage, f32) + Sync + 'a;

/// A switch by which any thread ends the calls that were given it. Clones are the same switch; it
/// stays set.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Switch>);

#[derive(Debug, Default)]
struct Switch {
    /// Handed to what ends a run of the network.
    flag: Arc<AtomicBool>,
    /// Under the lock of the standard library, as nothing waits there: `tests/schedules` replaces
    /// those of `crate::sync`.
    children: Mutex<Vec<Weak<Switch>>>,
}

impl Switch {
    fn children(&self) -> MutexGuard<'_, Vec<Weak<Switch>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets this and all below it, without recursion: a line of children may be long.
    fn set(&self) {
        // Before the children are looked at: one that is added later looks at this.
        self.flag.store(true, Ordering::SeqCst);
        let mut below = std::mem::take(&mut *self.children());
        while let Some(child) = below.pop() {
            if let Some(child) = child.upgrade() {
                child.flag.store(true, Ordering::SeqCst);
                below.append(&mut child.children());
            }
        }
    }
}

impl Cancel {
    /// A switch that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// A switch that is set with this one, and can be set alone.
    pub fn child(&self) -> Self {
        let child = Self::new();
        {
            let mut children = self.0.children();
            // Where room is asked for anyway, so that many live children cost no more than a few.
            if children.len() == children.capacity() {
                children.retain(|child| child.strong_count() > 0);
            }
            children.push(Arc::downgrade(&child.0));
        }
        if self.is_set() {
            child.set();
        }
        child
    }

    /// Ends the calls under way soon, and later ones at once.
    pub fn set(&self) {
        self.0.set();
    }

    /// Whether it was set.
    pub fn is_set(&self) -> bool {
        self.0.flag.load(Ordering::SeqCst)
    }
}

/// The conditions of one call that may take long. A call that has no use for one of them refuses it
/// with [`Error::InvalidArgument`].
///
/// ```
/// use std::time::Duration;
///
/// use voiceflow::{Call, Cancel};
///
/// let cancel = Cancel::new();
/// let call = Call::none()
///     .with_cancel(&cancel)
///     .with_deadline(Duration::from_secs(60))
///     .with_num_speakers(3)
///     .with_progress(&|stage, fraction| eprintln!("{stage}: {:.0} %", 100.0 * fraction));
/// # let _ = call;
/// ```
#[derive(Clone, Copy, Default)]
pub struct Call<'a> {
    progress: Option<&'a ProgressFn<'a>>,
    deadline: Option<(Instant, Duration)>,
    num_speakers: Option<usize>,
    min_speakers: Option<usize>,
    max_speakers: Option<usize>,
    exclusive: bool,
    /// Smallest fraction that is reported.
    least_fraction: f32,
    /// The caller's switch.
    cancel: Option<&'a Cancel>,
    /// Set by another thread of the library when the work is no longer wanted.
    stop: Option<&'a Arc<AtomicBool>>,
}

impl<'a> Call<'a> {
    /// Asks for nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reports progress to `progress`, on the calling thread: at least every 50 ms while the call
    /// waits or its networks run on other threads. To end the call from there, set its [`Cancel`].
    pub fn with_progress(mut self, progress: &'a ProgressFn<'a>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Fails with [`Error::Cancelled`] once `cancel` is set, by whatever thread.
    pub fn with_cancel(mut self, cancel: &'a Cancel) -> Self {
        self.cancel = Some(cancel);
        self
    }

    /// Fails with [`Error::Deadline`] once `limit` has passed from now; zero has always passed.
    /// `None`, and what is too long for the clock, sets no deadline.
    pub fn with_deadline(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.deadline = limit.into().and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        self
    }

    /// Exactly `count` speakers, 1 to 100, in place of the number of the options.
    pub fn with_num_speakers(mut self, count: usize) -> Self {
        self.num_speakers = Some(count);
        self
    }

    /// At least `count` speakers, 0 to 100, in place of the number of the options.
    pub fn with_min_speakers(mut self, count: usize) -> Self {
        self.min_speakers = Some(count);
        self
    }

    /// At most `count` speakers, 1 to 100, in place of the number of the options.
    pub fn with_max_speakers(mut self, count: usize) -> Self {
        self.max_speakers = Some(count);
        self
    }

    /// No two speakers at once in the result: where several talk, the one who is the most active
    /// has the frame.
    pub fn exclusive(mut self) -> Self {
        self.exclusive = true;
        self
    }

    /// Whether no two speakers may talk at once in the result.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.exclusive
    }

    /// Fewest and most speakers: those asked for here, else those of `usual`.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for numbers out of range, or that contradict each other.
    pub(crate) fn speaker_range(&self, usual: RangeInclusive<usize>) -> Result<RangeInclusive<usize>> {
        let within = |name: &'static str, least: usize, asked: Option<usize>| match asked {
            Some(count) if !(least..=MAX_SPEAKERS).contains(&count) => {
                let reason = format!("expected {least} to {MAX_SPEAKERS}, got {count}");
                Err(Error::invalid(format!("call: {name}"), reason))
            }
            asked => Ok(asked),
        };
        let min = within("min_speakers", 0, self.min_speakers)?;
        let max = within("max_speakers", 1, self.max_speakers)?;
        if let Some(count) = within("num_speakers", 1, self.num_speakers)? {
            if min.or(max).is_some() {
                let reason = "expected without min_speakers and max_speakers, got both";
                return Err(Error::invalid("call: num_speakers", reason));
            }
            return Ok(count..=count);
        }
        let (min, max) = (min.unwrap_or(*usual.start()), max.unwrap_or(*usual.end()));
        if min > max {
            let reason = format!("expected at most max_speakers ({max}), got {min}");
            return Err(Error::invalid("call: min_speakers", reason));
        }
        Ok(min..=max)
    }

    /// Refuses what is asked of the result of a recording, in a call named `what` that gives none.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub(crate) fn without_result(&self, what: &str) -> Result<()> {
        let asked = [
            ("num_speakers", self.num_speakers.is_some()),
            ("min_speakers", self.min_speakers.is_some()),
            ("max_speakers", self.max_speakers.is_some()),
            ("exclusive", self.exclusive),
        ];
        match asked.iter().find(|(_, asked)| *asked) {
            Some((name, _)) => {
                let reason = format!("expected none, as {what} has no use for it");
                Err(Error::invalid(format!("call: {name}"), reason))
            }
            None => Ok(()),
        }
    }

    /// Without what is asked of the result: for the windows that it is made of.
    pub(crate) fn of_windows(&self) -> Self {
        Call { num_speakers: None, min_speakers: None, max_speakers: None, exclusive: false, ..*self }
    }

    /// Reports no fraction below `fraction`: for work that is done again, so that progress never
    /// goes back.
    pub(crate) fn with_least_fraction(mut self, fraction: f32) -> Self {
        self.least_fraction = fraction;
        self
    }

    /// The deadline alone, for threads that the callback may not be called on; work ends as
    /// cancelled once `stop` is set, which the calling thread does when it is cancelled itself.
    pub(crate) fn on_worker<'b>(&self, stop: &'b Arc<AtomicBool>) -> Call<'b> {
        Call { deadline: self.deadline, stop: Some(stop), ..Call::none() }
    }

    /// Work also ends as cancelled once another thread sets `stop`.
    pub(crate) fn with_stop(mut self, stop: &'a Arc<AtomicBool>) -> Self {
        self.stop = Some(stop);
        self
    }

    /// The flag that ends a run of the network when another thread sets it. Of a call that has two,
    /// the caller's switch is looked at between its runs.
    pub(crate) fn stop_flag(&self) -> Option<&'a Arc<AtomicBool>> {
        self.stop.or(self.cancel.map(|cancel| &cancel.0.flag))
    }

    /// Whether a deadline, a switch or another thread may end the work.
    pub(crate) fn may_end(&self) -> bool {
        self.deadline.is_some() || self.cancel.is_some() || self.stop.is_some()
    }

    /// Whether the calling thread has to look up while others work for it.
    pub(crate) fn looks_up(&self) -> bool {
        self.may_end() || self.has_progress()
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
        if let Some(progress) = self.progress {
            progress(stage, fraction.max(self.least_fraction).clamp(0.0, 1.0));
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
    fn a_child_is_set_with_its_parent_and_alone() {
        let parent = Cancel::new();
        let (child, other) = (parent.child(), parent.child());
        drop(parent.child());
        let grandchild = child.child();
        other.set();
        assert!(other.is_set() && !child.is_set() && !parent.is_set());
        parent.clone().set();
        assert!(child.is_set() && grandchild.is_set() && parent.child().is_set());
    }

    #[test]
    fn a_long_line_of_children_is_set_to_its_end() {
        let parent = Cancel::new();
        let mut line = vec![parent.child()];
        for place in 0..200_000 {
            line.push(line[place].child());
        }
        parent.set();
        assert!(line.iter().all(Cancel::is_set));
    }

    #[test]
    fn the_callback_reports_and_ends_the_call_by_its_switch() {
        let cancel = Cancel::new();
        let report = |_: Stage, fraction: f32| {
            if fraction >= 0.5 {
                cancel.set();
            }
        };
        let call = Call::none().with_progress(&report).with_cancel(&cancel);
        assert!(call.check(Stage::Analysis, 0.1).is_ok());
        let error = call.check(Stage::Clustering, 0.9).unwrap_err();
        assert_eq!(error.to_string(), "cancelled while clustering the speakers");
    }

    #[test]
    fn work_done_again_reports_no_less_than_before() {
        let reported = Mutex::new(Vec::new());
        let note = |_: Stage, fraction: f32| reported.lock().unwrap().push(fraction);
        let call = Call::none().with_progress(&note).with_least_fraction(1.0);
        assert!(call.check(Stage::Analysis, 0.1).is_ok());
        assert_eq!(reported.into_inner().unwrap(), [1.0]);
    }

    #[test]
    fn a_passed_deadline_fails_with_its_length() {
        let call = Call::none().with_deadline(Duration::ZERO);
        let error = call.check(Stage::Analysis, 0.0).unwrap_err();
        assert_eq!(error.to_string(), "deadline of 0 ms passed while analysing the audio");
        assert!(Call::none().with_deadline(Duration::MAX).check(Stage::Analysis, 0.0).is_ok());
    }

    #[test]
    fn speakers_asked_for_take_the_place_of_the_usual_ones() {
        let range = |call: Call<'_>| call.speaker_range(2..=4).map_err(|error| error.to_string());
        assert_eq!(range(Call::none()), Ok(2..=4));
        assert_eq!(range(Call::none().with_num_speakers(7)), Ok(7..=7));
        assert_eq!(range(Call::none().with_min_speakers(0)), Ok(0..=4));
        assert_eq!(range(Call::none().with_max_speakers(9)), Ok(2..=9));
        let refused = range(Call::none().with_max_speakers(1)).unwrap_err();
        assert_eq!(refused, "call: min_speakers: expected at most max_speakers (1), got 2");
        let refused = range(Call::none().with_num_speakers(0)).unwrap_err();
        assert_eq!(refused, "call: num_speakers: expected 1 to 100, got 0");
        let refused = range(Call::none().with_num_speakers(2).with_min_speakers(1)).unwrap_err();
        assert_eq!(refused, "call: num_speakers: expected without min_speakers and max_speakers, got both");
    }

    #[test]
    fn what_a_call_has_no_use_for_is_refused_by_name() {
        assert!(Call::none().with_deadline(Duration::ZERO).without_result("a push").is_ok());
        let refused = |call: Call<'_>| call.without_result("a push").unwrap_err().to_string();
        assert_eq!(
            refused(Call::none().exclusive()),
            "call: exclusive: expected none, as a push has no use for it"
        );
        assert!(refused(Call::none().with_min_speakers(0)).starts_with("call: min_speakers: expected none"));
        let asked = Call::none().with_num_speakers(2).with_max_speakers(2).exclusive();
        assert!(asked.without_result("a window").is_err());
        assert!(asked.of_windows().without_result("a window").is_ok());
    }
}
