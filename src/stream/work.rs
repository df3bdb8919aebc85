//! The way of a stream's audio: conversion, windows, clustering, turns. The steps follow each other
//! on the thread that pushes; their segments go to the queue.

use std::collections::VecDeque;

use super::audio_buffer::AudioBuffer;
use super::crossing::{Crossed, Learning};
use super::joined::{after_border, joined};
use super::kept::KeptSpeech;
use super::queue::SegmentQueue;
use super::settings::Settings;
use super::{Finished, LiveSegment, MAX_BACKLOG_S};
use crate::audio::{Converter, INVERTED, SAMPLE_RATE};
use crate::call::Call;
use crate::diarize::LocalWindow;
use crate::diarize::clustering::{OnlineClustering, OnlineOptions};
use crate::diarize::live::{LiveTurn, LiveTurns};
use crate::diarize::windows::WindowGrid;
use crate::diarizer::Diarizer;
use crate::error::{Error, Result, Stage};
use crate::memory;
use crate::model::Stretch;
use crate::sync::Mutex;
use crate::types::{Diarization, Segment};

/// Segments compared with all of the answer between two looks at deadline and cancellation.
const CHECK_EVERY: usize = 64;

/// Room for final segments that is there before a step, so that adding them cannot fail half-way:
/// more than any adds.
pub(super) const STEP_SEGMENTS: usize = 256;

/// What a step of the work uses.
pub(super) struct Context<'a> {
    pub(super) diarizer: &'a Diarizer,
    pub(super) settings: &'a Settings,
    pub(super) queue: &'a Mutex<SegmentQueue>,
    pub(super) call: &'a Call<'a>,
}

/// The state of one audio source.
pub(super) struct Work {
    converter: Converter,
    pub(super) buffer: AudioBuffer,
    /// Live windows analysed.
    pub(super) steps: u64,
    pub(super) clustering: OnlineClustering,
    pub(super) turns: LiveTurns,
    /// Start of the diarizer's next window.
    pub(super) next_long: u64,
    pub(super) history: VecDeque<LocalWindow>,
    /// Start of the diarizer's next short window, and those of the time of the history.
    pub(super) next_short: u64,
    pub(super) short_windows: VecDeque<LocalWindow>,
    /// Final segments of the time that the history covers.
    pub(super) final_segments: VecDeque<Segment>,
    /// Speech by which other models may learn who the speakers are, where the stream follows
    /// reloads.
    pub(super) kept: Option<KeptSpeech>,
    /// What a model has learned of them so far, where a call ended before it knew them all.
    pub(super) learning: Option<Learning>,
    /// Where it went over to such a model. Samples, frames and windows count from there on.
    pub(super) crossed: Option<Crossed>,
    /// Whether all turns are settled.
    pub(super) closed: bool,
    /// Whether the result was given.
    pub(super) finished: bool,
}

impl Work {
    /// Before the first sample of a source of this rate and channel count; it `follows` reloads or
    /// not.
    pub(super) fn new(settings: &Settings, sample_rate: u32, channels: u16, follows: bool) -> Result<Self> {
        Ok(Self {
            converter: Converter::new(sample_rate, channels)?,
            buffer: AudioBuffer::default(),
            steps: 0,
            clustering: OnlineClustering::new(settings.online),
            turns: LiveTurns::new(settings.turns),
            next_long: 0,
            history: VecDeque::new(),
            next_short: 0,
            short_windows: VecDeque::new(),
            final_segments: VecDeque::new(),
            kept: follows.then(KeptSpeech::default),
            learning: None,
            crossed: None,
            closed: false,
            finished: false,
        })
    }

    /// Goes on with other options of clustering; the speakers stay who they are.
    pub(super) fn change_options(&mut self, online: OnlineOptions) {
        self.clustering.set_options(online);
    }

    /// Time in seconds that the converter holds audio back, at most.
    pub(super) fn held_back_s(&self) -> f64 {
        self.converter.held_back_s()
    }

    /// Seconds of audio taken.
    pub(super) fn received_s(&self) -> f64 {
        self.origin_s() + self.buffer.end() as f64 / f64::from(SAMPLE_RATE)
    }

    /// Seconds of audio before what samples and frames are counted from.
    fn origin_s(&self) -> f64 {
        self.crossed.as_ref().map_or(0.0, Crossed::origin_s)
    }

    /// Fails where too much audio is there that no live window has reached.
    ///
    /// # Errors
    /// [`Error::Limit`].
    pub(super) fn check_backlog(&self, settings: &Settings) -> Result<()> {
        let reached = self.steps * settings.plan.live.hop as u64;
        let backlog_s = self.buffer.end().saturating_sub(reached) as f64 / f64::from(SAMPLE_RATE);
        if backlog_s > MAX_BACKLOG_S {
            return Err(Error::Limit(format!(
                "stream: expected at most {MAX_BACKLOG_S} s of audio that earlier calls failed to analyse, got more; push \
                 nothing until that succeeds, or reset the stream"
            )));
        }
        Ok(())
    }

    /// Takes samples without looking at them; they are finite.
    pub(super) fn take(&mut self, interleaved: &[f32]) -> Result<()> {
        self.converter.push(interleaved, self.buffer.tail()?)?;
        if self.converter.take_inverted() {
            log::warn!("{INVERTED}");
        }
        Ok(())
    }

    /// Analyses all windows whose audio is there.
    pub(super) fn advance(&mut self, context: &Context<'_>) -> Result<()> {
        // Also where no window is complete: a switch that is set ends every call.
        context.call.check_wanted(Stage::Analysis)?;
        loop {
            let live_end = (self.steps + 1) * context.settings.plan.live.hop as u64;
            let long_end = self.next_long + context.settings.plan.long.window as u64;
            let is_long = context.settings.history > 0 && long_end <= live_end;
            if self.buffer.end() < if is_long { long_end } else { live_end } {
                return Ok(());
            }
            if is_long {
                self.long_window(context)?
            } else {
                self.live_window(context)?
            }
            let live_start = live_end.saturating_sub(context.settings.plan.live.window as u64);
            let needed =
                if context.settings.history > 0 { self.next_long.min(live_start) } else { live_start };
            // The diarizer's last window may begin this much before the end of the stream.
            let last = self.buffer.end().saturating_sub(context.settings.plan.long.window as u64);
            self.buffer.forget_before(needed.min(last));
        }
    }

    /// Settles all turns, and gives the result of the whole stream.
    pub(super) fn finish(&mut self, context: &Context<'_>) -> Result<Finished> {
        self.converter.finish(self.buffer.tail()?)?;
        context.queue.lock().received_s = self.received_s();
        self.advance(context)?;
        if !self.closed {
            self.close(context)?;
            self.closed = true;
        }
        let samples = self.buffer.end();
        let (windows, short_windows) = (self.history.make_contiguous(), self.short_windows.make_contiguous());
        let answer = context.diarizer.settle(windows, short_windows, samples, context.call)?;
        let same = |answer: &Diarization| {
            final_speakers(&self.final_segments, self.clustering.speakers(), answer, context.call)
        };
        let finished = match &self.crossed {
            None => Finished { final_speakers: same(&answer)?, diarization: answer },
            Some(crossed) => {
                let answer = after_border(crossed, answer);
                let same = same(&answer)?;
                let voice = |speaker| self.clustering.voice(speaker).map(|voice| voice.to_vec());
                joined(crossed, answer, same, |speaker| voice(speaker).unwrap_or_default())
            }
        };
        context.queue.lock().final_speakers = Some(finished.final_speakers.clone());
        (self.finished, self.kept) = (true, None);
        Ok(finished)
    }

    /// The window of a grid that ends the stream, for the history; `next` is where the grid goes
    /// on.
    fn last(
        &self,
        context: &Context<'_>,
        grid: Option<WindowGrid>,
        next: u64,
    ) -> Result<Option<LocalWindow>> {
        let Some(grid) = grid.filter(|_| context.settings.history > 0) else { return Ok(None) };
        let start = grid.closing_start(next.checked_sub(grid.hop as u64), self.buffer.end());
        start.map(|start| self.analyse(context, start, grid.window, false)).transpose()
    }

    /// The next of the windows that live labels come from.
    fn live_window(&mut self, context: &Context<'_>) -> Result<()> {
        let (_, step) = context.settings.live_frames();
        let end = usize::try_from(self.steps + 1).unwrap_or(usize::MAX).saturating_mul(step);
        self.analyse_live(context, end, (end + step).saturating_sub(context.settings.latency_frames))?;
        self.steps += 1;
        Ok(())
    }

    /// Analyses the live window that ends at frame `end`, and settles the frames before `settle`.
    fn analyse_live(&mut self, context: &Context<'_>, end: usize, settle: usize) -> Result<()> {
        let settings = context.settings;
        // What a step can fail for want of comes first: it may be done again.
        memory::reserve_back("segments", &mut self.final_segments, STEP_SEGMENTS)?;
        memory::reserve_back("windows", &mut self.short_windows, 1)?;
        context.queue.lock().reserve(STEP_SEGMENTS)?;
        let (frames, _) = settings.live_frames();
        let first = end.saturating_sub(frames);
        let start = first as u64 * settings.plan.live.frame as u64;
        let window =
            self.analyse(context, start, (end - first) * settings.plan.live.frame, settings.plan.padded)?;
        let talking = settings.turns.hysteresis.talking(&window);
        let is_short =
            |grid: &WindowGrid| start == self.next_short && (end - first) * grid.frame == grid.window;
        let kept = settings.plan.short.filter(|grid| settings.history > 0 && is_short(grid));
        let kept = match kept {
            Some(grid) => Some((grid, window.try_clone()?)),
            None => None,
        };
        let labels = self.clustering.add(&window, &talking)?;
        self.keep_speech(settings, &labels, &talking, end);
        if let Some((grid, window)) = kept {
            self.next_short += grid.hop as u64;
            self.short_windows.push_back(window);
        }
        let update = self.turns.add(window, labels, talking, settle, end);
        self.publish(context, end, update.settled, update.provisional);
        Ok(())
    }

    /// The next of the diarizer's windows.
    fn long_window(&mut self, context: &Context<'_>) -> Result<()> {
        let grid = context.settings.plan.long;
        memory::reserve_back("windows", &mut self.history, 1)?;
        let window = self.analyse(context, self.next_long, grid.window, false)?;
        self.next_long += grid.hop as u64;
        if self.history.len() >= context.settings.history {
            self.history.pop_front();
        }
        self.history.push_back(window);
        let times = context.settings.plan.times;
        let first = self.history.front().map_or(0, |window| window.start_frame);
        let first_s = self.origin_s() + times.origin_s + first as f64 * times.step_s;
        while self.short_windows.front().is_some_and(|window| window.start_frame < first) {
            self.short_windows.pop_front();
        }
        while self.final_segments.front().is_some_and(|segment| segment.end_s <= first_s) {
            self.final_segments.pop_front();
        }
        if let Some(crossed) = &mut self.crossed {
            crossed.forget(self.next_long, (context.settings.history * grid.hop) as u64);
        }
        Ok(())
    }

    /// Analyses what the last step left over, and settles all turns. What can fail comes first: it
    /// may be done again.
    fn close(&mut self, context: &Context<'_>) -> Result<()> {
        memory::reserve_back("windows", &mut self.history, 1)?;
        // That of the last step, too.
        memory::reserve_back("windows", &mut self.short_windows, 2)?;
        let long = self.last(context, Some(context.settings.plan.long), self.next_long)?;
        let short = self.last(context, context.settings.plan.short, self.next_short)?;
        let total = context.settings.plan.live.frames_in(self.buffer.end());
        let (_, step) = context.settings.live_frames();
        if total as u64 > self.steps * step as u64 {
            self.analyse_live(context, total, 0)?;
        }
        self.history.extend(long);
        // The window analysed just now may be the last short one too.
        let analysed = self.short_windows.back().map(|window| window.start_frame);
        self.short_windows.extend(short.filter(|window| analysed != Some(window.start_frame)));
        let settled = self.turns.finish(total);
        self.publish(context, total, settled, Vec::new());
        Ok(())
    }

    /// Hands turns and the speakers so far to the queue; the first `frames` frames of the stream
    /// are analysed. Audio beyond them has no effect: it depends on the pushes.
    pub(super) fn publish(
        &mut self,
        context: &Context<'_>,
        frames: usize,
        settled: Vec<LiveTurn>,
        provisional: Vec<LiveTurn>,
    ) {
        let times = context.settings.plan.times;
        let (origin_s, border_s) = (self.origin_s(), self.crossed.as_ref().map_or(0.0, Crossed::border_s));
        let analysed_s = (origin_s + frames as f64 * times.step_s).min(self.received_s());
        let segment = |live: &LiveTurn, is_final: bool| {
            let at = |frame: usize| origin_s + times.origin_s + frame as f64 * times.step_s;
            let at = |frame: usize| at(frame).max(border_s).min(analysed_s);
            let segment = Segment {
                start_s: at(live.turn.start),
                end_s: at(live.turn.end),
                speaker: live.turn.speaker,
                confidence: live.turn.confidence(),
                overlap: live.overlap,
            };
            (segment.end_s > segment.start_s).then_some(LiveSegment { segment, is_final })
        };
        let finals: Vec<LiveSegment> = settled.iter().filter_map(|live| segment(live, true)).collect();
        let rest = provisional.iter().filter_map(|live| segment(live, false)).collect();
        if context.settings.history > 0 {
            self.final_segments.extend(finals.iter().map(|live| live.segment));
        }
        let voices = (0..self.clustering.speakers()).filter_map(|speaker| self.clustering.voice(speaker));
        context.queue.lock().publish(analysed_s, voices, finals, rest);
    }

    /// Runs the network on `length` samples from `start` on. Where `padded`, silence before them
    /// makes them as long as the model's window.
    fn analyse(&self, context: &Context<'_>, start: u64, length: usize, padded: bool) -> Result<LocalWindow> {
        context.call.check(Stage::Analysis, 0.0)?;
        let grid = context.settings.plan.long;
        let pad = if padded { (grid.window.saturating_sub(length)) / grid.frame } else { 0 };
        let audio = self.buffer.cut(pad * grid.frame, start, length, if padded { grid.window } else { 0 })?;
        let stretch = Stretch { window: audio.len(), audio, start, frame: grid.frame, offsets: vec![0] };
        let missing = || Error::Runtime("local diarizer: expected a window, got none".to_owned());
        let mut found = context.diarizer.local().analyse(&stretch, 1, &context.call.of_windows())?;
        let window = found.pop().ok_or_else(missing)?;
        let frames = (length / grid.frame).min(window.frames().saturating_sub(pad));
        let rows = pad..pad + frames;
        let activity =
            if padded { window.activity.slice_move(ndarray::s![rows, ..]) } else { window.activity };
        Ok(LocalWindow { activity, ..window })
    }
}

/// For each of the `speakers` of a stream the speaker of the result who talks most during their
/// final segments; `None` where nobody does.
fn final_speakers(
    final_segments: &VecDeque<Segment>,
    speakers: usize,
    answer: &Diarization,
    call: &Call<'_>,
) -> Result<Vec<Option<usize>>> {
    let mut shared_s = vec![vec![0.0; answer.speakers.len()]; speakers];
    for (index, live) in final_segments.iter().enumerate() {
        if index.is_multiple_of(CHECK_EVERY) {
            call.check(Stage::Reconstruction, 1.0)?;
        }
        let after = |segment: &&Segment| segment.start_s < live.end_s;
        for segment in answer.segments.iter().take_while(after) {
            let both_s = live.end_s.min(segment.end_s) - live.start_s.max(segment.start_s);
            shared_s[live.speaker][segment.speaker] += f64::max(both_s, 0.0);
        }
    }
    let most = |row: &Vec<f64>| {
        let best = (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b]).then(b.cmp(&a)))?;
        (row[best] > 0.0).then_some(best)
    };
    Ok(shared_s.iter().map(most).collect())
}
