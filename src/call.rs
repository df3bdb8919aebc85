//! The conditions of one call: what ends it early, who gets its progress, and what is asked of this
//! recording alone. Every stage calls [`Call::check`] between bounded pieces of work.

// Named, as tests/schedules and tests/races compile this file at another place.
#[path = "call/chosen.rs"]
pub(crate) mod chosen;
#[cfg(test)]
#[path = "call/tests.rs"]
mod tests;

use std::fmt::Arguments;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

pub use chosen::{Channels, Tracks};

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
    channels: Channels,
    tracks: Tracks,
    /// Smallest fraction that is reported.
    least_fraction: f32,
    /// What is reported of a fraction: this much, and this share of it, of which `None` is all.
    share: Option<(f32, f32)>,
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

    /// Only these channels of a recording, or each by itself.
    pub fn with_channels(mut self, channels: Channels) -> Self {
        self.channels = channels;
        self
    }

    /// Only these audio tracks of a file.
    pub fn with_tracks(mut self, tracks: Tracks) -> Self {
        self.tracks = tracks;
        self
    }

    /// Which channels of a recording are used.
    pub(crate) fn channels(&self) -> Channels {
        self.channels
    }

    /// Which audio tracks of a file are used.
    pub(crate) fn tracks(&self) -> Tracks {
        self.tracks
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

    /// Refuses what is asked of a recording and its result, in a call named `what` that has
    /// neither.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub(crate) fn without_result(&self, what: &str) -> Result<()> {
        refuse(&self.of_result(), format_args!("as {what} has no use for it"))?;
        refuse(&self.of_parts(), format_args!("as {what} has no use for it"))
    }

    /// Refuses what is asked of the result of a recording, in a call named `what` that takes one
    /// voice from it.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub(crate) fn of_one_voice(&self, what: &str) -> Result<()> {
        let separate = ("separate channels", self.channels == Channels::Separate);
        let all = ("all tracks", self.tracks == Tracks::All);
        refuse(&self.of_result(), format_args!("as {what} has no use for it"))?;
        refuse(&[separate, all], format_args!("as {what} has no use for it"))
    }

    /// Refuses a choice among tracks and channels, with the reason.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub(crate) fn without_parts(&self, why: &str) -> Result<()> {
        refuse(&self.of_parts(), format_args!("{why}"))
    }

    fn of_result(&self) -> [(&'static str, bool); 4] {
        [
            ("num_speakers", self.num_speakers.is_some()),
            ("min_speakers", self.min_speakers.is_some()),
            ("max_speakers", self.max_speakers.is_some()),
            ("exclusive", self.exclusive),
        ]
    }

    fn of_parts(&self) -> [(&'static str, bool); 2] {
        let tracks = self.tracks != Tracks::default();
        [("channels", self.channels != Channels::default()), ("tracks", tracks)]
    }

    /// Without what is asked of the recording and its result: for the windows that it is made of.
    pub(crate) fn of_windows(&self) -> Self {
        Call {
            num_speakers: None,
            min_speakers: None,
            max_speakers: None,
            exclusive: false,
            channels: Channels::default(),
            tracks: Tracks::default(),
            ..*self
        }
    }

    /// For one of `count` pieces of work that follow each other: its fractions are those of all.
    pub(crate) fn piece(&self, number: u16, count: u16) -> Self {
        let width = 1.0 / f32::from(count.max(1));
        self.narrowed(f32::from(number) * width, width)
    }

    /// For work that comes before what is reported.
    pub(crate) fn before(&self) -> Self {
        self.narrowed(0.0, 0.0)
    }

    /// Without reports.
    pub(crate) fn without_progress(&self) -> Self {
        Call { progress: None, ..*self }
    }

    fn narrowed(&self, from: f32, width: f32) -> Self {
        let (start, all) = self.share.unwrap_or((0.0, 1.0));
        Call { share: Some((start + all * from, all * width)), ..*self }
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
            let fraction = fraction.max(self.least_fraction).clamp(0.0, 1.0);
            let (start, width) = self.share.unwrap_or((0.0, 1.0));
            progress(stage, (start + width * fraction).min(1.0));
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

/// Refuses the first of these that is asked for; without one it allocates nothing.
fn refuse(asked: &[(&str, bool)], why: Arguments<'_>) -> Result<()> {
    match asked.iter().find(|(_, asked)| *asked) {
        Some((name, _)) => Err(Error::invalid(format!("call: {name}"), format!("expected none, {why}"))),
        None => Ok(()),
    }
}
