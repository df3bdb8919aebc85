//! Puts the windows of a stream together as they come: frames that are old enough are settled for
//! good, newer ones are provisional. Owns the turns that are still open.

use std::collections::VecDeque;

use super::LocalWindow;
use super::activity::Hysteresis;
use super::reconstruct::{Counting, FrameVote, Voting, Weighting, WindowVotes};
use super::timeline::FrameTurn;

/// How a stream's turns are built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiveOptions {
    /// When a local speaker talks.
    pub hysteresis: Hysteresis,
    /// What the number of talkers is.
    pub counting: Counting,
    /// Pauses of one speaker shorter than this many frames are filled.
    pub pause_frames: usize,
    /// Turns shorter than this many frames are dropped.
    pub least_frames: usize,
}

/// A turn of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveTurn {
    /// Who and when; the speaker is that of the stream's clustering.
    pub turn: FrameTurn,
    /// Whether another speaker talks during some part of it.
    pub overlap: bool,
}

/// What a window added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LiveUpdate {
    /// Turns that are over, in the order of their end; they never change again.
    pub settled: Vec<LiveTurn>,
    /// Turns that are not, by start: as they would be were the stream to end here.
    pub provisional: Vec<LiveTurn>,
}

/// The windows that frames not yet settled lie in, and the turns not yet over.
#[derive(Clone, Debug)]
pub struct LiveTurns {
    options: LiveOptions,
    windows: VecDeque<LabelledWindow>,
    settled_frames: usize,
    turns: OpenTurns,
}

/// A window with the speakers of its local speakers.
#[derive(Clone, Debug)]
struct LabelledWindow {
    window: LocalWindow,
    labels: Vec<Option<usize>>,
    talking: Vec<Vec<bool>>,
}

impl LabelledWindow {
    fn votes(&self) -> WindowVotes<'_> {
        WindowVotes::new(&self.window, &self.labels, &self.talking)
    }
}

impl LiveTurns {
    /// Before the first window.
    pub fn new(options: LiveOptions) -> Self {
        let turns = OpenTurns { open: Vec::new(), pause_frames: options.pause_frames };
        Self { options, windows: VecDeque::new(), settled_frames: 0, turns }
    }

    /// Before the first window, where the first `frames` frames are settled already.
    pub fn settled_until(options: LiveOptions, frames: usize) -> Self {
        Self { settled_frames: frames, ..Self::new(options) }
    }

    /// Adds a window that does not start before the last one, with the speaker of each local
    /// speaker and when they talk, and settles all frames before `settle`. `frames` is the number
    /// of frames of the stream so far.
    pub fn add(
        &mut self,
        window: LocalWindow,
        labels: Vec<Option<usize>>,
        talking: Vec<Vec<bool>>,
        settle: usize,
        frames: usize,
    ) -> LiveUpdate {
        self.windows.push_back(LabelledWindow { window, labels, talking });
        let settled = self.settle(settle, false);
        let mut provisional = Vec::new();
        let mut ahead = self.turns.clone();
        vote(&self.windows, self.options.counting, self.settled_frames..frames, |frame, talkers| {
            ahead.mark(frame, talkers, &mut provisional);
        });
        ahead.close(usize::MAX, &mut provisional);
        provisional.sort_by_key(|live| (live.turn.start, live.turn.end, live.turn.speaker));
        provisional.retain(|live| live.turn.frames() >= self.options.least_frames);
        LiveUpdate { settled, provisional }
    }

    /// Settles all of the `frames` frames of the stream, and gives the turns that were left.
    pub fn finish(&mut self, frames: usize) -> Vec<LiveTurn> {
        self.settle(frames, true)
    }

    /// Settles the frames before `settle`, and gives the turns that are over with them; all where
    /// the stream `ends`.
    fn settle(&mut self, settle: usize, ends: bool) -> Vec<LiveTurn> {
        let mut settled = Vec::new();
        vote(&self.windows, self.options.counting, self.settled_frames..settle, |frame, talkers| {
            self.turns.mark(frame, talkers, &mut settled);
        });
        self.settled_frames = self.settled_frames.max(settle);
        self.turns.close(if ends { usize::MAX } else { self.settled_frames }, &mut settled);
        settled.sort_by_key(|live| (live.turn.end, live.turn.start, live.turn.speaker));
        settled.retain(|live| live.turn.frames() >= self.options.least_frames);
        let first_open = self.settled_frames;
        self.windows.retain(|labelled| labelled.window.start_frame + labelled.window.frames() > first_open);
        settled
    }
}

/// Calls `take(frame, talkers)` with who talks in each of `frames`, and how probably.
fn vote(
    windows: &VecDeque<LabelledWindow>,
    counting: Counting,
    frames: std::ops::Range<usize>,
    mut take: impl FnMut(usize, &[(usize, f32)]),
) {
    let voting = Voting { weighting: Weighting::Trapezoid, counting };
    let votes: Vec<WindowVotes<'_>> = windows.iter().map(LabelledWindow::votes).collect();
    let mut ballot = FrameVote::default();
    let mut talkers = Vec::new();
    for frame in frames {
        ballot.clear();
        for window in votes.iter().filter(|window| window.frames().contains(&frame)) {
            ballot.add(window, frame, voting);
        }
        talkers.clear();
        ballot.decide(voting.weighting, usize::MAX, |speaker, probability| {
            talkers.push((speaker, probability))
        });
        take(frame, &talkers);
    }
}

/// Turns that may still go on, at most one of each speaker.
#[derive(Clone, Debug)]
struct OpenTurns {
    open: Vec<LiveTurn>,
    pause_frames: usize,
}

impl OpenTurns {
    /// Adds the talkers of a frame, which come in order; turns that it cannot lengthen go to
    /// `over`.
    fn mark(&mut self, frame: usize, talkers: &[(usize, f32)], over: &mut Vec<LiveTurn>) {
        self.close(frame, over);
        for &(speaker, probability) in talkers {
            match self.open.iter().position(|live| live.turn.speaker == speaker) {
                Some(place) => {
                    // Whoever talked in the pause that is filled now talked over this turn.
                    let paused = self.open[place].turn.end;
                    let mut overlap = self.open[place].overlap;
                    for other in self.open.iter_mut().filter(|live| live.turn.speaker != speaker) {
                        if other.turn.end > paused {
                            (other.overlap, overlap) = (true, true);
                        }
                    }
                    let live = &mut self.open[place];
                    live.overlap = overlap;
                    live.turn.end = frame + 1;
                    live.turn.probability += probability;
                    live.turn.voted += 1;
                }
                None => {
                    let turn = FrameTurn { speaker, start: frame, end: frame + 1, probability, voted: 1 };
                    self.open.push(LiveTurn { turn, overlap: false });
                }
            }
        }
        if talkers.len() > 1 {
            let now = |live: &&mut LiveTurn| live.turn.end == frame + 1;
            self.open.iter_mut().filter(now).for_each(|live| live.overlap = true);
        }
    }

    /// Hands over the turns that nothing from `frame` on can lengthen.
    fn close(&mut self, frame: usize, over: &mut Vec<LiveTurn>) {
        let pause = self.pause_frames.max(1);
        let (gone, open) = self.open.drain(..).partition(|live| frame.saturating_sub(live.turn.end) >= pause);
        self.open = open;
        over.extend::<Vec<LiveTurn>>(gone);
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::call::Call;
    use crate::diarize::reconstruct::{labelled, reconstruct};
    use crate::diarize::timeline::{FrameTimes, TurnBuilder, fill_pauses, to_segments};

    const HYSTERESIS: Hysteresis = Hysteresis { onset: 0.5, offset: 0.4 };
    /// Frames of a window, and from one to the next.
    const WINDOW: usize = 20;
    const STEP: usize = 5;

    /// Speaker, start, end, overlap.
    type Span = (usize, usize, usize, bool);

    fn live(pause_frames: usize, least_frames: usize) -> LiveTurns {
        let counting = Counting::Talking;
        LiveTurns::new(LiveOptions { hysteresis: HYSTERESIS, counting, pause_frames, least_frames })
    }

    fn spans(turns: &[LiveTurn]) -> Vec<Span> {
        let of = |live: &LiveTurn| (live.turn.speaker, live.turn.start, live.turn.end, live.overlap);
        turns.iter().map(of).collect()
    }

    /// Numbers that look random, 0 to `below` - 1.
    struct Dice(u32);

    impl Dice {
        fn roll(&mut self, below: usize) -> usize {
            self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (self.0 >> 8) as usize % below
        }
    }

    /// Three local speakers who start and stop as the dice say, each one of four speakers or
    /// nobody.
    fn any_window(dice: &mut Dice, start: usize, end: usize) -> (LocalWindow, Vec<Option<usize>>) {
        let mut activity = Array2::zeros((end - start, 3));
        for mut column in activity.columns_mut() {
            let mut level = dice.roll(2) as f32;
            for value in &mut column {
                if dice.roll(4) == 0 {
                    level = [0.0, 0.1, 0.45, 0.7, 1.0][dice.roll(5)];
                }
                *value = level;
            }
        }
        let first = dice.roll(4);
        let labels = (0..3).map(|local| (dice.roll(5) > 0).then_some((first + local) % 4)).collect();
        (LocalWindow { start_frame: start, activity, embedding: Array2::zeros((3, 1)) }, labels)
    }

    /// All turns, by end, were the stream to end after `frames`: each frame is decided by the
    /// windows that were there when it was settled, `known[frame]`, those not settled by all.
    fn expected(
        windows: &[LocalWindow],
        labels: &[Vec<Option<usize>>],
        known: &[usize],
        frames: usize,
        pause: usize,
    ) -> Vec<Span> {
        let mut builder = TurnBuilder::default();
        let of = |count: usize| {
            let (windows, labels) = (&windows[..count], &labels[..count]);
            let (labelled, call) = (labelled(windows, labels).unwrap(), Call::none());
            reconstruct(&labelled, frames, HYSTERESIS, Voting::default(), usize::MAX, &call).unwrap()
        };
        let (mut count, mut turns) = (windows.len(), of(windows.len()));
        for frame in 0..frames {
            let now = known.get(frame).copied().unwrap_or(windows.len());
            if now != count {
                (count, turns) = (now, of(now));
            }
            for turn in turns.iter().filter(|turn| (turn.start..turn.end).contains(&frame)) {
                builder.mark(turn.speaker, frame, 1.0).unwrap();
            }
        }
        let filled = fill_pauses(builder.finish().unwrap(), pause).unwrap();
        let times = FrameTimes { origin_s: 0.0, step_s: 1.0 };
        let mut spans: Vec<Span> = to_segments(&filled, times, frames as f64)
            .unwrap()
            .iter()
            .map(|s| (s.speaker, s.start_s as usize, s.end_s as usize, s.overlap))
            .collect();
        spans.sort_by_key(|&(speaker, start, end, _)| (end, start, speaker));
        spans
    }

    /// Plays windows to the end; the turns must be what `expected` says at each step.
    fn play(seed: u32, latency: usize, pause: usize, total: usize) {
        let mut dice = Dice(seed);
        let mut turns = live(pause, 0);
        let (mut windows, mut labels, mut known) = (Vec::new(), Vec::new(), Vec::new());
        let mut settled: Vec<Span> = Vec::new();
        let mut ends: Vec<usize> = (1..=total / STEP).map(|step| step * STEP).collect();
        if !total.is_multiple_of(STEP) {
            ends.push(total);
        }
        for end in ends {
            let (window, labels_of) = any_window(&mut dice, end.saturating_sub(WINDOW), end);
            let settle =
                if end.is_multiple_of(STEP) { (end + STEP).saturating_sub(latency).min(end) } else { 0 };
            windows.push(window.clone());
            labels.push(labels_of.clone());
            known.resize(settle.max(known.len()), windows.len());
            let talking = HYSTERESIS.talking(&window);
            let update = turns.add(window, labels_of, talking, settle, end);
            settled.extend(spans(&update.settled));
            assert!(update.settled.iter().all(|live| live.turn.end < known.len()));
            let late = |live: &LiveTurn| live.turn.end + pause.max(1) > known.len();
            assert!(update.provisional.iter().all(late), "{:?} of {}", update.provisional, known.len());
            assert!(update.provisional.is_sorted_by_key(|live| live.turn.start));
            let mut all = [settled.clone(), spans(&update.provisional)].concat();
            all.sort_by_key(|&(speaker, start, end, _)| (end, start, speaker));
            assert_eq!(all, expected(&windows, &labels, &known, end, pause), "{seed}, {end}");
        }
        settled.extend(spans(&turns.finish(total)));
        assert_eq!(settled, expected(&windows, &labels, &known, total, pause), "{seed}");
    }

    #[test]
    fn settled_turns_stay_and_the_rest_is_provisional() {
        for seed in 0..8 {
            for (latency, pause) in [(STEP, 0), (6, 1), (8, 3), (13, 7), (WINDOW, 0), (WINDOW, 11), (33, 2)] {
                play(seed, latency, pause, 103 + seed as usize);
            }
        }
    }

    #[test]
    fn with_every_window_heard_first_turns_are_those_of_a_recording() {
        let mut dice = Dice(5);
        let mut turns = live(0, 0);
        let (mut windows, mut labels, mut settled) = (Vec::new(), Vec::new(), Vec::new());
        for end in (STEP..=40 * STEP).step_by(STEP) {
            let (window, labels_of) = any_window(&mut dice, end.saturating_sub(WINDOW), end);
            windows.push(window.clone());
            labels.push(labels_of.clone());
            let (talking, settle) = (HYSTERESIS.talking(&window), (end + STEP).saturating_sub(WINDOW));
            settled.extend(turns.add(window, labels_of, talking, settle, end).settled);
        }
        settled.extend(turns.finish(40 * STEP));
        let mut found: Vec<FrameTurn> = settled.into_iter().map(|live| live.turn).collect();
        super::super::timeline::sort(&mut found);
        let (call, voting) = (Call::none(), Voting::default());
        let labelled = labelled(&windows, &labels).unwrap();
        let whole = reconstruct(&labelled, 40 * STEP, HYSTERESIS, voting, usize::MAX, &call).unwrap();
        assert!(whole.len() > 10);
        assert_eq!(found, whole);
    }

    /// One window of `WINDOW` frames, settled at once: `talk[s]` are the stretches of speaker `s`.
    fn add(turns: &mut LiveTurns, start: usize, talk: &[&[(usize, usize)]]) -> LiveUpdate {
        let mut activity = Array2::zeros((WINDOW, talk.len()));
        for (speaker, stretches) in talk.iter().enumerate() {
            for &(from, to) in *stretches {
                activity.slice_mut(ndarray::s![from..to, speaker]).fill(0.8);
            }
        }
        let labels = (0..talk.len()).map(Some).collect();
        let embedding = Array2::zeros((talk.len(), 1));
        let window = LocalWindow { start_frame: start, activity, embedding };
        let talking = HYSTERESIS.talking(&window);
        turns.add(window, labels, talking, start + WINDOW, start + WINDOW)
    }

    #[test]
    fn pauses_are_filled_across_windows_and_know_who_talked_in_them() {
        let mut turns = live(16, 0);
        let update = add(&mut turns, 0, &[&[(0, 16)], &[(17, 20)]]);
        assert_eq!(update.settled, []);
        assert_eq!(spans(&update.provisional), [(0, 0, 16, false), (1, 17, 20, false)]);
        let update = add(&mut turns, 20, &[&[(5, 6)], &[]]);
        assert_eq!(spans(&update.settled), [(1, 17, 20, true)]);
        assert_eq!(spans(&update.provisional), [(0, 0, 26, true)]);
        let turn = &update.provisional[0].turn;
        assert_eq!((turn.voted, (turn.confidence() * 10.0).round()), (17, 8.0));
        // A pause of just that length stays.
        let update = add(&mut turns, 40, &[&[(2, 3)], &[]]);
        assert_eq!(spans(&update.settled), [(0, 0, 26, true), (0, 42, 43, false)]);
        assert_eq!(update.provisional, []);
        assert_eq!(turns.finish(60), []);
    }

    #[test]
    fn short_turns_are_dropped_after_pauses_are_filled() {
        let mut turns = live(3, 5);
        let update = add(&mut turns, 0, &[&[(0, 4), (7, 11), (13, 15)], &[(1, 5), (17, 20)]]);
        assert_eq!(spans(&update.settled), [(0, 7, 15, false)]);
        assert_eq!(update.provisional, []);
        assert_eq!(turns.finish(20), []);
    }

    #[test]
    fn nothing_heard_is_nothing_told() {
        assert_eq!(live(4, 0).finish(0), []);
        let mut turns = live(4, 0);
        assert_eq!(add(&mut turns, 0, &[&[], &[]]), LiveUpdate::default());
        assert_eq!(turns.finish(20), []);
    }
}
