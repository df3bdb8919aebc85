//! Puts the windows of a stream together as they come: frames that are old enough are settled for good, the newest
//! are told as far as they are known. Owns the turns that are still open.

use std::collections::VecDeque;

use super::LocalWindow;
use super::activity::Hysteresis;
use super::reconstruct::{FrameVote, Placed, Weighting};
use super::timeline::FrameTurn;
use super::votes::{Votes, votes_of};

/// How a stream's turns are built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LiveOptions {
    /// When a local speaker talks.
    pub hysteresis: Hysteresis,
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
    windows: VecDeque<Heard>,
    settled_frames: usize,
    turns: OpenTurns,
}

/// A window with the people found in it.
#[derive(Clone, Debug)]
struct Heard {
    window: LocalWindow,
    votes: Vec<Votes>,
    talking: Vec<Vec<bool>>,
}

impl Heard {
    fn placed(&self) -> Placed<'_> {
        Placed::new(&self.window, &self.votes, &self.talking)
    }
}

impl LiveTurns {
    /// Before the first window.
    pub fn new(options: LiveOptions) -> Self {
        let turns = OpenTurns { open: Vec::new(), pause_frames: options.pause_frames };
        Self { options, windows: VecDeque::new(), settled_frames: 0, turns }
    }

    /// Adds a window that does not start before the last one, with the person of each local speaker and when they
    /// talk, and settles all frames before `settle`. `heard` is the number of frames of the stream so far.
    pub fn add(
        &mut self,
        window: LocalWindow,
        labels: Vec<Option<usize>>,
        talking: Vec<Vec<bool>>,
        settle: usize,
        heard: usize,
    ) -> LiveUpdate {
        let votes = labels.iter().map(votes_of).collect();
        self.windows.push_back(Heard { window, votes, talking });
        let settled = self.settle(settle, false);
        let mut provisional = Vec::new();
        let mut ahead = self.turns.clone();
        vote(&self.windows, self.settled_frames..heard, |frame, talkers| {
            ahead.mark(frame, talkers, &mut provisional);
        });
        ahead.close(usize::MAX, &mut provisional);
        provisional.sort_by_key(|live| (live.turn.start, live.turn.end, live.turn.speaker));
        provisional.retain(|live| live.turn.frames() >= self.options.least_frames);
        LiveUpdate { settled, provisional }
    }

    /// Settles all of the `heard` frames of the stream, and gives the turns that were left.
    pub fn finish(&mut self, heard: usize) -> Vec<LiveTurn> {
        self.settle(heard, true)
    }

    /// Settles the frames before `settle`, and gives the turns that are over with them; all where the stream `ends`.
    fn settle(&mut self, settle: usize, ends: bool) -> Vec<LiveTurn> {
        let mut settled = Vec::new();
        vote(&self.windows, self.settled_frames..settle, |frame, talkers| {
            self.turns.mark(frame, talkers, &mut settled);
        });
        self.settled_frames = self.settled_frames.max(settle);
        self.turns.close(if ends { usize::MAX } else { self.settled_frames }, &mut settled);
        settled.sort_by_key(|live| (live.turn.end, live.turn.start, live.turn.speaker));
        settled.retain(|live| live.turn.frames() >= self.options.least_frames);
        let first_open = self.settled_frames;
        self.windows.retain(|heard| heard.window.start_frame + heard.window.frames() > first_open);
        settled
    }
}

/// Calls `tell(frame, talkers)` with who talks in each of `frames`, and how probably.
fn vote(
    windows: &VecDeque<Heard>,
    frames: std::ops::Range<usize>,
    mut tell: impl FnMut(usize, &[(usize, f32)]),
) {
    let placed: Vec<Placed<'_>> = windows.iter().map(Heard::placed).collect();
    let mut ballot = FrameVote::default();
    let mut talkers = Vec::new();
    for frame in frames {
        ballot.clear();
        for window in placed.iter().filter(|window| window.frames().contains(&frame)) {
            ballot.add(window, frame, Weighting::Trapezoid);
        }
        talkers.clear();
        ballot.decide(Weighting::Trapezoid, |speaker, probability| talkers.push((speaker, probability)));
        tell(frame, &talkers);
    }
}

/// Turns that may still go on, at most one of each speaker.
#[derive(Clone, Debug)]
struct OpenTurns {
    open: Vec<LiveTurn>,
    pause_frames: usize,
}

impl OpenTurns {
    /// Adds the talkers of a frame, which come in order; turns that it cannot lengthen go to `over`.
    fn mark(&mut self, frame: usize, talkers: &[(usize, f32)], over: &mut Vec<LiveTurn>) {
        self.close(frame, over);
        for &(speaker, probability) in talkers {
            match self.open.iter().position(|live| live.turn.speaker == speaker) {
                Some(place) => {
                    // Whoever talked in the pause that is filled now talked over this turn.
                    let pause = self.open[place].turn.end..frame;
                    let mut overlap = self.open[place].overlap;
                    for other in self.open.iter_mut().filter(|live| live.turn.speaker != speaker) {
                        if other.turn.end > pause.start {
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
