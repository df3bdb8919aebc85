//! Turns counted in frames: building them frame by frame, smoothing, and their form in seconds.

use crate::error::Result;
use crate::memory;
use crate::types::Segment;

/// What the memory of this module is for, in errors.
const TURNS: &str = "turns";

/// A run of frames in which one speaker talks.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameTurn {
    /// The speaker's number.
    pub speaker: usize,
    /// First frame.
    pub start: usize,
    /// Frame after the last.
    pub end: usize,
    /// Sum of the probabilities of the `voted` frames.
    pub probability: f32,
    /// Frames in which the speaker was found to talk; filled pauses do not count.
    pub voted: usize,
}

impl FrameTurn {
    /// Frames from start to end.
    pub fn frames(&self) -> usize {
        self.end - self.start
    }

    /// Mean probability, 0 to 1, of the frames found.
    pub fn confidence(&self) -> f32 {
        if self.voted == 0 { 0.0 } else { (self.probability / self.voted as f32).clamp(0.0, 1.0) }
    }
}

/// Collects frames, given in order, into turns.
#[derive(Default)]
pub struct TurnBuilder {
    open: Vec<Option<FrameTurn>>,
    closed: Vec<FrameTurn>,
}

impl TurnBuilder {
    /// `speaker` talks in `frame`, which is not before any frame marked so far.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn mark(&mut self, speaker: usize, frame: usize, probability: f32) -> Result<()> {
        if self.open.len() <= speaker {
            memory::resize(TURNS, &mut self.open, speaker + 1, None)?;
        }
        match &mut self.open[speaker] {
            Some(turn) if turn.end >= frame => {
                turn.end = frame + 1;
                turn.probability += probability;
                turn.voted += 1;
            }
            open => {
                let turn = FrameTurn { speaker, start: frame, end: frame + 1, probability, voted: 1 };
                memory::reserve(TURNS, &mut self.closed, 1)?;
                self.closed.extend(open.replace(turn));
            }
        }
        Ok(())
    }

    /// All turns by start, then end, then speaker.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn finish(mut self) -> Result<Vec<FrameTurn>> {
        memory::reserve(TURNS, &mut self.closed, self.open.len())?;
        self.closed.extend(self.open.into_iter().flatten());
        sort(&mut self.closed);
        Ok(self.closed)
    }
}

/// Orders turns by start, then end, then speaker, as segments are.
pub fn sort(turns: &mut [FrameTurn]) {
    // A speaker has one turn at a time, so that no two keys are alike, and this sort takes no
    // memory.
    turns.sort_unstable_by_key(|turn| (turn.start, turn.end, turn.speaker));
}

/// Fills a speaker's pauses shorter than `frames`.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn fill_pauses(turns: Vec<FrameTurn>, frames: usize) -> Result<Vec<FrameTurn>> {
    let mut last: Vec<Option<usize>> = Vec::new();
    let mut filled: Vec<FrameTurn> = memory::with_capacity(TURNS, turns.len())?;
    for turn in turns {
        if last.len() <= turn.speaker {
            memory::resize(TURNS, &mut last, turn.speaker + 1, None)?;
        }
        match last[turn.speaker].map(|index| &mut filled[index]) {
            Some(before) if turn.start.saturating_sub(before.end) < frames => {
                before.end = before.end.max(turn.end);
                before.probability += turn.probability;
                before.voted += turn.voted;
            }
            _ => {
                last[turn.speaker] = Some(filled.len());
                filled.push(turn);
            }
        }
    }
    Ok(filled)
}

/// Gives each of the first `total_frames` frames that several turns share to the shortest of them:
/// a pause that was filled is a pause again where somebody else talks in it.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn exclusive(turns: Vec<FrameTurn>, total_frames: usize) -> Result<Vec<FrameTurn>> {
    let mut order: Vec<usize> = memory::collected(TURNS, 0..turns.len())?;
    order.sort_by_key(|&index| (std::cmp::Reverse(turns[index].frames()), index));
    let mut owners: Vec<Option<usize>> = Vec::new();
    memory::resize(TURNS, &mut owners, total_frames, None)?;
    for index in order {
        owners[turns[index].start..turns[index].end].fill(Some(index));
    }
    let mut builder = TurnBuilder::default();
    for (frame, owner) in owners.into_iter().enumerate() {
        if let Some(turn) = owner.map(|index| &turns[index]) {
            builder.mark(turn.speaker, frame, turn.confidence())?;
        }
    }
    builder.finish()
}

/// Drops turns shorter than `frames`. A speaker with short turns only goes, unless fewer than
/// `keep` speakers would be left: then those with the longest turns keep their longest.
pub fn drop_short(turns: Vec<FrameTurn>, frames: usize, keep: usize) -> Vec<FrameTurn> {
    let count = turns.iter().map(|turn| turn.speaker + 1).max().unwrap_or(0);
    let mut longest: Vec<Option<(usize, usize)>> = vec![None; count];
    for (index, turn) in turns.iter().enumerate() {
        let best = &mut longest[turn.speaker];
        if best.is_none_or(|(length, _)| turn.frames() > length) {
            *best = Some((turn.frames(), index));
        }
    }
    let mut order: Vec<(usize, usize)> = longest.into_iter().flatten().collect();
    order.sort_by_key(|&(length, index)| (std::cmp::Reverse(length), index));
    let kept: Vec<usize> = order.into_iter().take(keep).map(|(_, index)| index).collect();
    let stays = |&(index, ref turn): &(usize, FrameTurn)| turn.frames() >= frames || kept.contains(&index);
    // In the memory that they are in.
    turns.into_iter().enumerate().filter(stays).map(|(_, turn)| turn).collect()
}

/// When frames are: frame `i` lasts `step_s` seconds from `origin_s + i * step_s` on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FrameTimes {
    /// Start of the first frame in seconds.
    pub origin_s: f64,
    /// Length of a frame in seconds.
    pub step_s: f64,
}

/// Turns in seconds. `duration_s` is the length of the recording, outside of which no segment lies.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn to_segments(turns: &[FrameTurn], times: FrameTimes, duration_s: f64) -> Result<Vec<Segment>> {
    let at = |frame: usize| (times.origin_s + frame as f64 * times.step_s).clamp(0.0, duration_s);
    let segments = turns
        .iter()
        .map(|turn| Segment {
            start_s: at(turn.start),
            end_s: at(turn.end),
            speaker: turn.speaker,
            confidence: turn.confidence(),
            overlap: false,
        })
        .filter(|segment| segment.end_s > segment.start_s);
    let mut segments = memory::collected(TURNS, segments)?;
    // As for turns.
    segments.sort_unstable_by(|a, b| {
        a.start_s.total_cmp(&b.start_s).then(a.end_s.total_cmp(&b.end_s)).then(a.speaker.cmp(&b.speaker))
    });
    mark_overlap(&mut segments);
    Ok(segments)
}

/// Marks the segments during which another speaker talks. `segments` are in the order of their
/// start.
fn mark_overlap(segments: &mut [Segment]) {
    let mut active: Vec<usize> = Vec::new();
    for index in 0..segments.len() {
        let start = segments[index].start_s;
        active.retain(|&other| segments[other].end_s > start);
        for &other in &active {
            segments[other].overlap = true;
            segments[index].overlap = true;
        }
        active.push(index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(speaker: usize, start: usize, end: usize) -> FrameTurn {
        FrameTurn { speaker, start, end, probability: (end - start) as f32 * 0.5, voted: end - start }
    }

    fn spans(turns: &[FrameTurn]) -> Vec<(usize, usize, usize)> {
        turns.iter().map(|turn| (turn.speaker, turn.start, turn.end)).collect()
    }

    #[test]
    fn builder_splits_at_pauses_and_by_speaker() {
        let mut builder = TurnBuilder::default();
        for (speaker, frame) in [(1, 0), (1, 1), (0, 1), (1, 3)] {
            builder.mark(speaker, frame, 0.8).unwrap();
        }
        assert_eq!(spans(&builder.finish().unwrap()), [(1, 0, 2), (0, 1, 2), (1, 3, 4)]);
    }

    #[test]
    fn of_turns_that_start_together_the_one_that_ends_first_comes_first() {
        let mut turns = vec![turn(0, 0, 9), turn(1, 0, 4)];
        sort(&mut turns);
        assert_eq!(spans(&turns), [(1, 0, 4), (0, 0, 9)]);
    }

    #[test]
    fn pauses_shorter_than_the_limit_are_filled_and_confidence_is_kept() {
        let turns = vec![turn(0, 0, 2), turn(1, 1, 3), turn(0, 4, 6), turn(0, 9, 10)];
        let filled = fill_pauses(turns, 3).unwrap();
        assert_eq!(spans(&filled), [(0, 0, 6), (1, 1, 3), (0, 9, 10)]);
        assert_eq!(filled[0].confidence(), 0.5);
    }

    #[test]
    fn short_turns_go_but_the_speakers_asked_for_stay() {
        let turns = vec![turn(0, 0, 9), turn(1, 1, 3), turn(1, 5, 6), turn(2, 20, 21)];
        assert_eq!(spans(&drop_short(turns.clone(), 4, 1)), [(0, 0, 9)]);
        assert_eq!(spans(&drop_short(turns, 4, 2)), [(0, 0, 9), (1, 1, 3)]);
    }

    #[test]
    fn segments_end_with_the_recording_and_know_overlap() {
        let turns = [turn(0, 0, 10), turn(1, 5, 8), turn(1, 20, 26)];
        let times = FrameTimes { origin_s: 0.0, step_s: 0.04 };
        let segments = to_segments(&turns, times, 1.0).unwrap();
        let overlap: Vec<bool> = segments.iter().map(|segment| segment.overlap).collect();
        assert_eq!(overlap, [true, true, false]);
        assert_eq!(segments[2].end_s, 1.0);
        let later = to_segments(&turns, FrameTimes { origin_s: 0.02, ..times }, 1.0).unwrap();
        assert!((later[1].start_s - 0.22).abs() < 1e-9);
    }
}
