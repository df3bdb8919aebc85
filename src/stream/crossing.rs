//! How a stream goes over to a version whose voices, windows or frames are others: its speakers are
//! learned anew by their newest speech, and keep their numbers; what was said before the border
//! stands as it was answered.
//!
//! ```text
//!                          border
//! old version  ────────────────│                      settled, with what is known at the border
//! new version            │─────│────────────────>     begins as much before it as its windows take
//! ```

use std::cmp::Reverse;
use std::sync::{Arc, Weak};

use ndarray::Array1;

use super::bound::{Bound, Next, Source};
use super::settings::Settings;
use super::work::{Context, STEP_SEGMENTS, Work};
use crate::audio::SAMPLE_RATE;
use crate::call::Call;
use crate::diarize::LocalWindow;
use crate::diarize::clustering::{OnlineClustering, scale_to_unit, solo_frames};
use crate::diarize::live::LiveTurns;
use crate::error::{Error, Result, Stage};
use crate::memory;
use crate::model::Stretch;
use crate::types::Segment;
use crate::usage::Usage;

/// Where a stream went over, and what was answered before.
#[derive(Debug, Default)]
pub(super) struct Crossed {
    /// Samples of the stream before the first one that the present version analyses.
    pub(super) origin: u64,
    /// Samples of the stream before the border.
    pub(super) border: u64,
    /// Final segments before the border, of the time of the history.
    pub(super) before: Vec<Segment>,
}

impl Crossed {
    /// Seconds of the stream before what the present version analyses.
    pub(super) fn origin_s(&self) -> f64 {
        self.origin as f64 / f64::from(SAMPLE_RATE)
    }

    /// Seconds of the stream before the border.
    pub(super) fn border_s(&self) -> f64 {
        self.border as f64 / f64::from(SAMPLE_RATE)
    }

    /// Forgets what lies more than `history` samples before the present version's sample `now`.
    pub(super) fn forget(&mut self, now: u64, history: u64) {
        let oldest_s =
            (self.origin + now) as f64 / f64::from(SAMPLE_RATE) - history as f64 / f64::from(SAMPLE_RATE);
        self.before.retain(|segment| segment.end_s > oldest_s);
    }
}

impl Source {
    /// Lets `work` go on with the version that is current, and gives what it works with from here
    /// on; `None` where that is `bound`. A version that cannot take its place is logged once.
    ///
    /// # Errors
    /// [`Error::Cancelled`], [`Error::Deadline`]: the next call tries again.
    pub(super) fn take_over(
        &self,
        work: &mut Work,
        bound: &Bound,
        context: &Context<'_>,
    ) -> Result<Option<Arc<Bound>>> {
        if work.closed {
            return Ok(None);
        }
        let next = match self.next(bound, context.call) {
            None => {
                // The speakers may be others when it is tried again.
                work.learning = None;
                return Ok(None);
            }
            Some(Next::Alike(next)) => {
                work.learning = None;
                work.change_options(next.settings.online);
                return Ok(Some(next));
            }
            Some(Next::Other(next)) => next,
        };
        match work.cross(context, &next) {
            Ok(()) => Ok(Some(next)),
            Err(error @ (Error::Cancelled { .. } | Error::Deadline { .. })) => Err(error),
            Err(error) => {
                work.learning = None;
                self.refuse(bound, &next.diarizer, &error.to_string());
                Ok(None)
            }
        }
    }
}

impl Work {
    /// Goes on with `next`, between two windows. After an error nothing has changed but for what
    /// was learned, with which the next call goes on.
    ///
    /// # Errors
    /// Those of [`LocalDiarizer::analyse`](crate::model::LocalDiarizer::analyse),
    /// [`Error::Memory`].
    pub(super) fn cross(&mut self, context: &Context<'_>, next: &Bound) -> Result<()> {
        let Learning { voices, heard, .. } = self.learned(context, next)?;
        context.queue.lock().reserve(STEP_SEGMENTS)?;
        memory::reserve_back("segments", &mut self.final_segments, STEP_SEGMENTS)?;
        let old = self.crossed.as_ref();
        let known = old.map_or(0, |crossed| crossed.before.len()) + self.final_segments.len();
        let mut before = memory::with_capacity("segments", known + STEP_SEGMENTS)?;

        let (_, step) = context.settings.live_frames();
        let frames = usize::try_from(self.steps).unwrap_or(usize::MAX).saturating_mul(step);
        let settled = self.turns.finish(frames);
        self.publish(context, frames, settled, Vec::new());
        let old = self.crossed.take().unwrap_or_default();
        before.extend(old.before.into_iter().chain(self.final_segments.drain(..)));

        let plan = &next.settings.plan;
        let hop = plan.live.hop as u64;
        let border = self.steps * context.settings.plan.live.hop as u64;
        // With that, the first of its windows after the border is a whole one.
        let most = (plan.live.window as u64).saturating_sub(hop);
        let behind = border.saturating_sub(self.buffer.start()).min(most) / hop * hop;
        self.buffer.begin_at(border - behind);
        let origin = old.origin + border - behind;
        self.crossed = Some(Crossed { origin, border: origin + behind, before });
        self.steps = behind / hop;
        self.clustering =
            OnlineClustering::knowing(next.settings.online, voices, heard, next.embedding_dim());
        let first = usize::try_from(behind).unwrap_or(usize::MAX) / plan.live.frame;
        self.turns = LiveTurns::settled_until(next.settings.turns, first);
        (self.next_long, self.next_short) = (0, 0);
        self.history.clear();
        self.short_windows.clear();
        Ok(())
    }

    /// Keeps what a speaker says alone in the newest hop of a live window, which ends at frame
    /// `end`: by it other models may learn who that is.
    pub(super) fn keep_speech(
        &mut self,
        settings: &Settings,
        labels: &[Option<usize>],
        talking: &[Vec<bool>],
        end: usize,
    ) {
        let Some(kept) = &mut self.kept else { return };
        let (_, step) = settings.live_frames();
        let newest = |local: usize| &talking[local][talking[local].len().saturating_sub(step)..];
        let mut heard = (0..talking.len()).filter(|&local| newest(local).contains(&true));
        let (Some(local), None) = (heard.next(), heard.next()) else { return };
        let Some(speaker) = labels[local].filter(|_| !newest(local).contains(&false)) else { return };
        let frame = settings.plan.live.frame;
        let length = newest(local).len() * frame;
        let from = (end * frame).saturating_sub(length) as u64;
        // Without memory for it, it is not kept.
        if let Ok(audio) = self.buffer.cut(0, from, length, 0) {
            let _ = kept.add(speaker, &audio);
        }
    }

    /// Who the speakers so far are to the version `next`. No audio is analysed until all are known.
    fn learned(&mut self, context: &Context<'_>, next: &Bound) -> Result<Learning> {
        let version = Arc::downgrade(next.diarizer.usage());
        let begun = self.learning.take().filter(|begun| begun.version.ptr_eq(&version));
        let mut learning = begun.unwrap_or(Learning { version, voices: Vec::new(), heard: Vec::new() });
        while learning.voices.len() < self.clustering.speakers() {
            match self.learn(learning.voices.len(), context, next) {
                Ok((voice, heard)) => {
                    learning.voices.push(voice);
                    learning.heard.extend(heard);
                }
                Err(error) => {
                    self.learning = Some(learning);
                    return Err(error);
                }
            }
        }
        Ok(learning)
    }

    /// Who a speaker is to the version `next`, and by what it knows.
    fn learn(
        &self,
        speaker: usize,
        context: &Context<'_>,
        next: &Bound,
    ) -> Result<(Option<Array1<f32>>, Option<Heard>)> {
        // Who turned out to be another stays nobody.
        if !self.clustering.is_known(speaker) {
            return Ok((None, None));
        }
        let speech = self.kept.as_ref().map(|kept| kept.of(speaker)).transpose()?.flatten();
        let own = speech.map(|speech| listen(next, &speech, context.call)).transpose()?.flatten();
        let Some((window, local)) = own else {
            let shared = next.shares_voices_with(context.diarizer);
            let known = if shared { self.clustering.voice(speaker) } else { None };
            return Ok((known.map(|voice| voice.to_owned()), None));
        };
        let mut voice = window.embedding.row(local).to_owned();
        scale_to_unit(voice.view_mut());
        let labels = (0..window.speakers()).map(|other| (other == local).then_some(speaker)).collect();
        Ok((Some(voice), Some((window, labels))))
    }
}

/// A window, and which speaker each of its local speakers is.
type Heard = (LocalWindow, Vec<Option<usize>>);

/// The speakers of a stream, as far as a version knows them.
pub(super) struct Learning {
    version: Weak<Usage>,
    /// Of unit length; `None` for whom it cannot learn.
    voices: Vec<Option<Array1<f32>>>,
    /// What it has heard of them.
    heard: Vec<Heard>,
}

/// What the version `next` hears in `speech` of one speaker, and which local speaker that is: who
/// talks most. The others are silent.
fn listen(next: &Bound, speech: &[f32], call: &Call<'_>) -> Result<Option<(LocalWindow, usize)>> {
    call.check(Stage::Analysis, 0.0)?;
    let plan = &next.settings.plan;
    let grid = plan.long;
    let length = speech.len().min(grid.window) / grid.frame * grid.frame;
    let window = if plan.padded { grid.window } else { length };
    let mut audio = memory::filled("windows", window - length, 0.0)?;
    memory::extend("windows", &mut audio, speech[speech.len() - length..].iter().copied())?;
    let stretch = Stretch { window, audio, start: 0, frame: grid.frame, offsets: vec![0] };
    let found = next.diarizer.local().analyse(&stretch, 1, &call.of_windows())?.pop();
    let Some(mut found) = found else { return Ok(None) };
    let talking = plan.hysteresis.talking(&found);
    let most = (0..found.speakers())
        .filter(|&local| found.has_voice(local))
        .map(|local| (solo_frames(&talking, local), local))
        .filter(|(frames, _)| *frames > 0)
        .max_by_key(|&(frames, local)| (frames, Reverse(local)));
    let Some((_, local)) = most else { return Ok(None) };
    for (other, mut activity) in found.activity.columns_mut().into_iter().enumerate() {
        if other != local {
            activity.fill(0.0);
        }
    }
    Ok(Some((found, local)))
}
