//! Puts overlapping windows together: in each frame, how many speakers talk, and who. Owns the
//! overlap-add. The number of talkers and the choice of the most active follow pyannote.audio 3
//! (Bredin, "pyannote.audio 2.1 speaker diarization pipeline: principle, benchmark, and recipe",
//! Interspeech 2023).

use std::ops::Range;

use super::LocalWindow;
use super::activity::Hysteresis;
use super::timeline::{FrameTurn, TurnBuilder};
use crate::call::Call;
use crate::error::{Result, Stage};
use crate::memory;

/// What the memory of this module is for, in errors.
const WINDOWS: &str = "windows";

/// Frames between two looks at deadline and cancellation.
const CHECK_EVERY: usize = 4096;

/// Windows between two looks at deadline and cancellation.
const WINDOWS_CHECK_EVERY: usize = 256;

/// How much each frame of a window counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Weighting {
    /// Full in the middle half of the window, falling towards the edges, where context is missing.
    /// Half a talker on average counts as one.
    #[default]
    Trapezoid,
    /// All frames alike, and half a talker on average is rounded to even: the number of talkers and
    /// their choice are those of pyannote.audio 3 and 4 (`SpeakerDiarization`). Of equally active
    /// speakers the one with the lower number comes first, where pyannote.audio leaves it to the
    /// sort; and a speaker whom no window has in the frame never talks, where pyannote.audio fills
    /// up the number of talkers with any speaker.
    Flat,
}

impl Weighting {
    /// Weight of frame `frame` of a window of `length` frames.
    fn weight(self, frame: usize, length: usize) -> f32 {
        match self {
            Weighting::Trapezoid => {
                let from_edge = (frame + 1).min(length - frame);
                from_edge.min(length.div_ceil(4)) as f32
            }
            Weighting::Flat => 1.0,
        }
    }

    /// Number of talkers for an average of `mean`.
    fn count(self, mean: f32) -> usize {
        match self {
            Weighting::Trapezoid => (mean + 0.5).floor() as usize,
            Weighting::Flat => mean.round_ties_even() as usize,
        }
    }
}

/// What the number of talkers in a frame of a window is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counting {
    /// The local speakers who talk by the hysteresis, and are known as somebody.
    #[default]
    Talking,
    /// The sum of the activities of all local speakers, where these are probabilities: a frame that
    /// several windows find doubtful is decided by all of them together, and who talks may be
    /// doubtful where it is sure that somebody does.
    Activity,
}

/// How the windows over a frame decide who talks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Voting {
    /// How much each frame of a window counts.
    pub weighting: Weighting,
    /// What the number of talkers is.
    pub counting: Counting,
}

/// The votes of one window on its frames.
pub(super) struct WindowVotes<'a> {
    window: &'a LocalWindow,
    speakers: &'a [Option<usize>],
    talking: &'a [Vec<bool>],
}

impl<'a> WindowVotes<'a> {
    /// `speakers` has the speaker of each local speaker of `window`, `talking` the frames in which
    /// they talk.
    pub(super) fn new(
        window: &'a LocalWindow,
        speakers: &'a [Option<usize>],
        talking: &'a [Vec<bool>],
    ) -> Self {
        Self { window, speakers, talking }
    }

    /// The frames of the recording that lie in the window.
    pub(super) fn frames(&self) -> Range<usize> {
        self.window.start_frame..self.window.start_frame + self.window.frames()
    }

    /// How many talkers `local` is, 0 to 1.
    fn talkers(&self, local: usize, frame: usize, counting: Counting) -> f32 {
        match counting {
            Counting::Talking => {
                f32::from(u8::from(self.speakers[local].is_some() && self.talking[local][frame]))
            }
            Counting::Activity => self.window.activity[[frame, local]],
        }
    }

    /// How active `speaker` is: as much as the most active of their local speakers.
    fn probability(&self, frame: usize, speaker: usize) -> f32 {
        let activity = self.window.activity.row(frame);
        let own = self.speakers.iter().zip(activity).filter(|(known, _)| **known == Some(speaker));
        own.map(|(_, &probability)| probability).fold(0.0, f32::max)
    }
}

/// What the windows over one frame say together.
#[derive(Default)]
pub(super) struct FrameVote {
    weight: f32,
    talkers: f32,
    /// Speaker and weighted activity; a handful of entries, at most three for each window.
    activity: Vec<(usize, f32)>,
}

impl FrameVote {
    /// Before the first window.
    pub(super) fn clear(&mut self) {
        self.weight = 0.0;
        self.talkers = 0.0;
        self.activity.clear();
    }

    /// Adds the vote of a window that `frame` lies in.
    pub(super) fn add(&mut self, votes: &WindowVotes<'_>, frame: usize, voting: Voting) {
        let local_frame = frame - votes.window.start_frame;
        let weight = voting.weighting.weight(local_frame, votes.window.frames());
        self.weight += weight;
        for (local, speaker) in votes.speakers.iter().enumerate() {
            self.talkers += weight * votes.talkers(local, local_frame, voting.counting);
            let Some(speaker) = *speaker else { continue };
            if votes.speakers[..local].contains(&Some(speaker)) {
                continue;
            }
            let activity = weight * votes.probability(local_frame, speaker);
            match self.activity.iter_mut().find(|(known, _)| *known == speaker) {
                Some((_, sum)) => *sum += activity,
                None => self.activity.push((speaker, activity)),
            }
        }
    }

    /// Calls `talks(speaker, probability)` for the most active speakers, as many as talk on average
    /// and at most `at_once`.
    pub(super) fn decide(&mut self, weighting: Weighting, at_once: usize, mut talks: impl FnMut(usize, f32)) {
        if self.weight <= 0.0 {
            return;
        }
        let count = weighting.count(self.talkers / self.weight).min(at_once);
        self.activity.retain(|&(_, sum)| sum > 0.0);
        self.activity.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        for &(speaker, sum) in self.activity.iter().take(count) {
            talks(speaker, (sum / self.weight).clamp(0.0, 1.0));
        }
    }
}

/// A window, and the speaker of each of its local speakers.
pub type Labelled<'a> = (&'a LocalWindow, &'a [Option<usize>]);

/// Each window with its labels, as [`Clustering::labels`](super::clustering::Clustering::labels)
/// has them.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn labelled<'a>(
    windows: &'a [LocalWindow],
    labels: &'a [Vec<Option<usize>>],
) -> Result<Vec<Labelled<'a>>> {
    memory::collected(WINDOWS, windows.iter().zip(labels.iter().map(Vec::as_slice)))
}

/// Both in the order of their start; where two start together, that of `one` first.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn merged<'a>(one: &[Labelled<'a>], two: &[Labelled<'a>]) -> Result<Vec<Labelled<'a>>> {
    let mut all = memory::with_capacity(WINDOWS, one.len() + two.len())?;
    let (mut one, mut two) = (one.iter().peekable(), two.iter().peekable());
    while let Some(first) = one.peek().or(two.peek()) {
        let start = first.0.start_frame;
        let earlier = two.next_if(|(window, _)| window.start_frame < start);
        all.extend(earlier.or_else(|| one.next()).or_else(|| two.next()));
    }
    Ok(all)
}

/// Turns of all speakers in the first `total_frames` frames, by start, then end, then speaker; at
/// most `at_once` of them talk in a frame. `windows` are in the order of their start, and may be of
/// different lengths.
///
/// # Errors
/// Those of [`Call::check`].
pub fn reconstruct(
    windows: &[Labelled<'_>],
    total_frames: usize,
    hysteresis: Hysteresis,
    voting: Voting,
    at_once: usize,
    call: &Call<'_>,
) -> Result<Vec<FrameTurn>> {
    call.check(Stage::Reconstruction, 0.0)?;
    let mut talking: Vec<Vec<Vec<bool>>> = memory::with_capacity(WINDOWS, windows.len())?;
    for (window, _) in windows {
        if talking.len().is_multiple_of(WINDOWS_CHECK_EVERY) {
            call.check_wanted(Stage::Reconstruction)?;
        }
        talking.push(hysteresis.talking(window));
    }
    let votes = windows.iter().zip(&talking);
    let votes = votes.map(|((window, speakers), talking)| WindowVotes::new(window, speakers, talking));
    let votes: Vec<WindowVotes<'_>> = memory::collected(WINDOWS, votes)?;
    let mut turns = TurnBuilder::default();
    let mut vote = FrameVote::default();
    let mut first = 0;
    for frame in 0..total_frames {
        if frame % CHECK_EVERY == 0 {
            call.check(Stage::Reconstruction, frame as f32 / total_frames as f32)?;
        }
        while first < votes.len() && votes[first].frames().end <= frame {
            first += 1;
        }
        vote.clear();
        for window in votes[first..].iter().take_while(|votes| votes.window.start_frame <= frame) {
            if frame < window.frames().end {
                vote.add(window, frame, voting);
            }
        }
        let mut marked = Ok(());
        vote.decide(voting.weighting, at_once, |speaker, probability| {
            if marked.is_ok() {
                marked = turns.mark(speaker, frame, probability);
            }
        });
        marked?;
    }
    call.check(Stage::Reconstruction, 1.0)?;
    turns.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::Array2;

    const HYSTERESIS: Hysteresis = Hysteresis { onset: 0.5, offset: 0.5 };

    fn window(start_frame: usize, rows: &[&[f32]]) -> LocalWindow {
        let activity = Array2::from_shape_fn((rows[0].len(), rows.len()), |(frame, s)| rows[s][frame]);
        LocalWindow { start_frame, activity, embedding: Array2::ones((rows.len(), 2)) }
    }

    const FLAT: Voting = Voting { weighting: Weighting::Flat, counting: Counting::Talking };

    fn voted(
        windows: &[LocalWindow],
        labels: &[Vec<Option<usize>>],
        frames: usize,
        voting: Voting,
    ) -> Vec<FrameTurn> {
        let labelled = labelled(windows, labels).unwrap();
        reconstruct(&labelled, frames, HYSTERESIS, voting, usize::MAX, &Call::none()).unwrap()
    }

    fn reconstructed(
        windows: &[LocalWindow],
        labels: &[Vec<Option<usize>>],
        frames: usize,
    ) -> Vec<FrameTurn> {
        voted(windows, labels, frames, Voting::default())
    }

    fn spans(turns: &[FrameTurn]) -> Vec<(usize, usize, usize)> {
        turns.iter().map(|turn| (turn.speaker, turn.start, turn.end)).collect()
    }

    #[test]
    fn overlapping_windows_agree_on_one_turn() {
        let windows =
            [window(0, &[&[0.0, 1.0, 1.0, 1.0], &[0.0; 4]]), window(2, &[&[0.0; 4], &[1.0, 1.0, 0.0, 0.0]])];
        let labels = [vec![Some(0), None], vec![None, Some(0)]];
        let turns = reconstructed(&windows, &labels, 6);
        assert_eq!(spans(&turns), [(0, 1, 4)]);
        assert!((turns[0].confidence() - 1.0).abs() < 1e-6);
    }

    #[test]
    fn windows_that_disagree_on_who_give_one_speaker_not_two() {
        let windows = [window(0, &[&[0.9; 4]]), window(0, &[&[0.8; 4]])];
        let labels = [vec![Some(0)], vec![Some(1)]];
        let turns = reconstructed(&windows, &labels, 4);
        assert_eq!(spans(&turns), [(0, 0, 4)]);
    }

    #[test]
    fn overlapped_speech_gives_both_speakers() {
        let windows = [window(0, &[&[0.9, 0.9, 0.9, 0.1], &[0.1, 0.8, 0.8, 0.8]])];
        let labels = [vec![Some(1), Some(0)]];
        let turns = reconstructed(&windows, &labels, 3);
        assert_eq!(spans(&turns), [(1, 0, 3), (0, 1, 3)]);
    }

    #[test]
    fn frames_past_the_recording_are_left_out_and_silence_gives_nothing() {
        let windows = [window(0, &[&[0.9; 8]])];
        let turns = reconstructed(&windows, &[vec![Some(0)]], 5);
        assert_eq!(spans(&turns), [(0, 0, 5)]);
        let silent = reconstructed(&windows, &[vec![None]], 5);
        assert!(silent.is_empty());
    }

    #[test]
    fn two_local_speakers_who_are_one_person_are_not_added_up() {
        let windows = [window(0, &[&[0.6; 4], &[0.6; 4]]), window(0, &[&[0.9; 4]])];
        let labels = [vec![Some(0), Some(0)], vec![Some(1)]];
        let flat = voted(&windows, &labels, 4, FLAT);
        assert_eq!(spans(&flat), [(0, 0, 4), (1, 0, 4)]);
        assert!((flat[0].confidence() - 0.3).abs() < 1e-6 && (flat[1].confidence() - 0.45).abs() < 1e-6);
    }

    #[test]
    fn flat_windows_round_half_a_talker_to_even() {
        let windows = [window(0, &[&[0.9; 4]]), window(0, &[&[0.1; 4]])];
        let labels = [vec![Some(0)], vec![Some(0)]];
        for (voting, turns) in [(FLAT, 0), (Voting::default(), 1)] {
            let found = voted(&windows, &labels, 4, voting);
            assert_eq!(found.len(), turns);
        }
    }

    #[test]
    fn doubtful_windows_decide_together_where_activity_is_counted() {
        // Three windows over the same frames: one is sure, two say 0.4. By the hysteresis one of
        // three talks.
        let windows = [window(0, &[&[0.9, 0.3]]), window(0, &[&[0.4, 0.3]]), window(0, &[&[0.4, 0.8]])];
        let labels = [vec![Some(0)], vec![Some(0)], vec![Some(0)]];
        let voting = |counting| Voting { weighting: Weighting::Flat, counting };
        assert_eq!(voted(&windows, &labels, 2, voting(Counting::Talking)), []);
        let turns = voted(&windows, &labels, 2, voting(Counting::Activity));
        assert_eq!(spans(&turns), [(0, 0, 1)]);
        assert!((turns[0].confidence() - 1.7 / 3.0).abs() < 1e-6);
    }

    #[test]
    fn two_may_talk_at_once_by_their_activity() {
        let windows = [window(0, &[&[0.9, 0.9, 0.6], &[0.7, 0.4, 0.3]])];
        let labels = [vec![Some(0), Some(1)]];
        let voting = Voting { counting: Counting::Activity, ..Voting::default() };
        assert_eq!(spans(&voted(&windows, &labels, 3, voting)), [(1, 0, 1), (0, 0, 3)]);
    }
}
