//! The way of a stream's audio: conversion, windows, people, turns. One step after the other, on the thread that
//! pushes; what it found goes to the outbox.

use std::collections::VecDeque;

use super::outbox::Outbox;
use super::settings::Settings;
use super::tape::Tape;
use super::{Finished, LiveSegment, MAX_BACKLOG_S};
use crate::audio::{Converter, SAMPLE_RATE};
use crate::call::Call;
use crate::diarize::LocalWindow;
use crate::diarize::clustering::OnlineClustering;
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

/// Room for final segments that is there before a step, so that adding them cannot fail half-way: more than any adds.
const STEP_SEGMENTS: usize = 256;

/// What surrounds a step of the work.
pub(super) struct Surroundings<'a> {
    pub(super) diarizer: &'a Diarizer,
    pub(super) settings: &'a Settings,
    pub(super) outbox: &'a Mutex<Outbox>,
    pub(super) call: &'a Call<'a>,
}

/// The state of one audio source.
pub(super) struct Work {
    converter: Converter,
    tape: Tape,
    /// Live windows analysed.
    steps: u64,
    people: OnlineClustering,
    turns: LiveTurns,
    /// Start of the diarizer's next window.
    next_whole: u64,
    history: VecDeque<LocalWindow>,
    /// Start of the diarizer's next short window, and those of the time of the history.
    next_detail: u64,
    details: VecDeque<LocalWindow>,
    /// Final segments of the time that the history covers.
    told: VecDeque<Segment>,
    /// Whether all turns are settled.
    closed: bool,
    /// Whether the answer was given.
    pub(super) finished: bool,
}

impl Work {
    /// Before the first sample of a source of this rate and channel count.
    pub(super) fn new(settings: &Settings, sample_rate: u32, channels: u16) -> Result<Self> {
        Ok(Self {
            converter: Converter::new(sample_rate, channels)?,
            tape: Tape::default(),
            steps: 0,
            people: OnlineClustering::new(settings.online),
            turns: LiveTurns::new(settings.turns),
            next_whole: 0,
            history: VecDeque::new(),
            next_detail: 0,
            details: VecDeque::new(),
            told: VecDeque::new(),
            closed: false,
            finished: false,
        })
    }

    /// Time in seconds that the converter holds audio back, at most.
    pub(super) fn held_back_s(&self) -> f64 {
        self.converter.held_back_s()
    }

    /// Seconds of audio taken.
    pub(super) fn heard_s(&self) -> f64 {
        self.tape.end() as f64 / f64::from(SAMPLE_RATE)
    }

    /// Fails where too much audio is there that no live window has reached.
    ///
    /// # Errors
    /// [`Error::Limit`].
    pub(super) fn check_backlog(&self, settings: &Settings) -> Result<()> {
        let reached = self.steps * settings.live.hop as u64;
        let backlog_s = self.tape.end().saturating_sub(reached) as f64 / f64::from(SAMPLE_RATE);
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
        self.converter.push(interleaved, self.tape.tail())
    }

    /// Analyses all windows whose audio is there.
    pub(super) fn advance(&mut self, around: &Surroundings<'_>) -> Result<()> {
        loop {
            let live_end = (self.steps + 1) * around.settings.live.hop as u64;
            let whole_end = self.next_whole + around.settings.whole.window as u64;
            let whole = around.settings.history > 0 && whole_end <= live_end;
            if self.tape.end() < if whole { whole_end } else { live_end } {
                return Ok(());
            }
            if whole {
                self.whole_window(around)?
            } else {
                self.live_window(around)?
            }
            let live_start = live_end.saturating_sub(around.settings.live.window as u64);
            let needed =
                if around.settings.history > 0 { self.next_whole.min(live_start) } else { live_start };
            // The diarizer's last window may begin this much before the end of the stream.
            let last = self.tape.end().saturating_sub(around.settings.whole.window as u64);
            self.tape.forget_before(needed.min(last));
        }
    }

    /// Settles everything, and gives the answer of the whole.
    pub(super) fn finish(&mut self, around: &Surroundings<'_>) -> Result<Finished> {
        self.converter.finish(self.tape.tail())?;
        around.outbox.lock().heard_s = self.heard_s();
        self.advance(around)?;
        if !self.closed {
            self.close(around)?;
            self.closed = true;
        }
        let samples = self.tape.end();
        let (windows, details) = (self.history.make_contiguous(), self.details.make_contiguous());
        let diarization = around.diarizer.settle(windows, details, samples, around.call)?;
        let final_speakers = final_speakers(&self.told, self.people.speakers(), &diarization, around.call)?;
        around.outbox.lock().final_speakers = Some(final_speakers.clone());
        self.finished = true;
        Ok(Finished { diarization, final_speakers })
    }

    /// The window of a grid that ends the stream, for the history; `next` is where the grid goes on.
    fn last(
        &self,
        around: &Surroundings<'_>,
        grid: Option<WindowGrid>,
        next: u64,
    ) -> Result<Option<LocalWindow>> {
        let Some(grid) = grid.filter(|_| around.settings.history > 0) else { return Ok(None) };
        let start = grid.closing_start(next.checked_sub(grid.hop as u64), self.tape.end());
        start.map(|start| self.analyse(around, start, grid.window, false)).transpose()
    }

    /// The next of the windows that live labels come from.
    fn live_window(&mut self, around: &Surroundings<'_>) -> Result<()> {
        let (_, step) = around.settings.live_frames();
        let end = usize::try_from(self.steps + 1).unwrap_or(usize::MAX).saturating_mul(step);
        self.hear(around, end, (end + step).saturating_sub(around.settings.latency_frames))?;
        self.steps += 1;
        Ok(())
    }

    /// Analyses the live window that ends at frame `end`, and settles the frames before `settle`.
    fn hear(&mut self, around: &Surroundings<'_>, end: usize, settle: usize) -> Result<()> {
        let settings = around.settings;
        // What a step can fail for want of comes first: it may be done again.
        memory::reserve_back("segments", &mut self.told, STEP_SEGMENTS)?;
        memory::reserve_back("windows", &mut self.details, 1)?;
        around.outbox.lock().reserve(STEP_SEGMENTS)?;
        let (frames, _) = settings.live_frames();
        let first = end.saturating_sub(frames);
        let start = first as u64 * settings.live.frame as u64;
        let window = self.analyse(around, start, (end - first) * settings.live.frame, settings.padded)?;
        let talking = settings.turns.hysteresis.talking(&window);
        let detail =
            |grid: &WindowGrid| start == self.next_detail && (end - first) * grid.frame == grid.window;
        let kept = settings.detail.filter(|grid| settings.history > 0 && detail(grid));
        let kept = match kept {
            Some(grid) => Some((grid, window.try_clone()?)),
            None => None,
        };
        let labels = self.people.hear(&window, &talking)?;
        if let Some((grid, window)) = kept {
            self.next_detail += grid.hop as u64;
            self.details.push_back(window);
        }
        let update = self.turns.add(window, labels, talking, settle, end);
        self.tell(around, end, update.settled, update.provisional);
        Ok(())
    }

    /// The next of the diarizer's windows.
    fn whole_window(&mut self, around: &Surroundings<'_>) -> Result<()> {
        let grid = around.settings.whole;
        memory::reserve_back("windows", &mut self.history, 1)?;
        let window = self.analyse(around, self.next_whole, grid.window, false)?;
        self.next_whole += grid.hop as u64;
        if self.history.len() >= around.settings.history {
            self.history.pop_front();
        }
        self.history.push_back(window);
        let times = around.settings.times;
        let first = self.history.front().map_or(0, |window| window.start_frame);
        let first_s = times.origin_s + first as f64 * times.step_s;
        while self.details.front().is_some_and(|window| window.start_frame < first) {
            self.details.pop_front();
        }
        while self.told.front().is_some_and(|segment| segment.end_s <= first_s) {
            self.told.pop_front();
        }
        Ok(())
    }

    /// Hears what the last step left over, and settles all. What can fail comes first: it may be done again.
    fn close(&mut self, around: &Surroundings<'_>) -> Result<()> {
        memory::reserve_back("windows", &mut self.history, 1)?;
        // That of the last step, too.
        memory::reserve_back("windows", &mut self.details, 2)?;
        let whole = self.last(around, Some(around.settings.whole), self.next_whole)?;
        let detail = self.last(around, around.settings.detail, self.next_detail)?;
        let total = around.settings.live.frames_in(self.tape.end());
        let (_, step) = around.settings.live_frames();
        if total as u64 > self.steps * step as u64 {
            self.hear(around, total, 0)?;
        }
        self.history.extend(whole);
        // The window heard just now may be the last short one too.
        let heard = self.details.back().map(|window| window.start_frame);
        self.details.extend(detail.filter(|window| heard != Some(window.start_frame)));
        let settled = self.turns.finish(total);
        self.tell(around, total, settled, Vec::new());
        Ok(())
    }

    /// Hands turns, and the people by now, to the outbox; the first `heard` frames of the stream are known. What was
    /// taken beyond them tells nothing: it depends on the pushes.
    fn tell(
        &mut self,
        around: &Surroundings<'_>,
        heard: usize,
        settled: Vec<LiveTurn>,
        provisional: Vec<LiveTurn>,
    ) {
        let times = around.settings.times;
        let heard_s = (heard as f64 * times.step_s).min(self.heard_s());
        let segment = |live: &LiveTurn, is_final: bool| {
            let at = |frame: usize| (times.origin_s + frame as f64 * times.step_s).clamp(0.0, heard_s);
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
        if around.settings.history > 0 {
            self.told.extend(finals.iter().map(|live| live.segment));
        }
        let voices = (0..self.people.speakers()).filter_map(|speaker| self.people.voice(speaker));
        around.outbox.lock().post(voices, finals, rest);
    }

    /// Runs the network on `length` samples from `start` on. Where `padded`, silence before them makes them as long
    /// as the model's window.
    fn analyse(
        &self,
        around: &Surroundings<'_>,
        start: u64,
        length: usize,
        padded: bool,
    ) -> Result<LocalWindow> {
        around.call.check(Stage::Analysis, 0.0)?;
        let grid = around.settings.whole;
        let pad = if padded { (grid.window.saturating_sub(length)) / grid.frame } else { 0 };
        let audio = self.tape.cut(pad * grid.frame, start, length, if padded { grid.window } else { 0 })?;
        let stretch = Stretch { window: audio.len(), audio, start, frame: grid.frame, offsets: vec![0] };
        let missing = || Error::Runtime("local diarizer: expected a window, got none".to_owned());
        let mut found = around.diarizer.local().analyse(&stretch, 1, around.call)?;
        let window = found.pop().ok_or_else(missing)?;
        let frames = (length / grid.frame).min(window.frames().saturating_sub(pad));
        let rows = pad..pad + frames;
        let activity =
            if padded { window.activity.slice_move(ndarray::s![rows, ..]) } else { window.activity };
        Ok(LocalWindow { activity, ..window })
    }
}

/// For each of the `speakers` of a stream the one of the answer who talks most while they were told to: `None` where
/// nobody does.
fn final_speakers(
    told: &VecDeque<Segment>,
    speakers: usize,
    answer: &Diarization,
    call: &Call<'_>,
) -> Result<Vec<Option<usize>>> {
    let mut shared_s = vec![vec![0.0; answer.speakers.len()]; speakers];
    for (index, live) in told.iter().enumerate() {
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
