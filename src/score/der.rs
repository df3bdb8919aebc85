//! Diarization error rate: a sweep over the moments at which a turn begins or ends.

use super::DiarizationError;
use super::mapping::best_mapping;
use super::span::Span;
use super::tracks::Tracks;

/// The durations of a [`DiarizationError`]; its Jaccard fields stay 0.
pub(super) fn components(reference: &Tracks, hypothesis: &Tracks) -> DiarizationError {
    let mapping = best_mapping(hypothesis, reference);
    // Hypothesis speakers without a counterpart share numbers past those of the reference speakers.
    let mapped =
        |speaker: usize| mapping.get(speaker).copied().flatten().unwrap_or(reference.speakers + speaker);
    let mut changes: Vec<Change> = Vec::with_capacity(2 * (reference.tracks.len() + hypothesis.tracks.len()));
    for track in &reference.tracks {
        changes.extend(Change::both(track.span, Side::Reference, track.speaker));
    }
    for track in &hypothesis.tracks {
        changes.extend(Change::both(track.span, Side::Hypothesis, mapped(track.speaker)));
    }
    changes.sort_by(|one, other| one.at.total_cmp(&other.at));

    let mut error = DiarizationError::default();
    let mut talking = Talking::new(reference.speakers + hypothesis.speakers);
    let mut from = changes.first().map_or(0.0, |change| change.at);
    for change in changes {
        talking.add_to(&mut error, Span { start: from, end: change.at }.duration());
        talking.apply(&change);
        from = change.at;
    }
    error
}

/// Which annotation a turn belongs to.
#[derive(Clone, Copy)]
enum Side {
    Reference,
    Hypothesis,
}

/// A turn begins (+1) or ends (-1).
struct Change {
    at: f64,
    step: i64,
    side: Side,
    speaker: usize,
}

impl Change {
    fn both(span: Span, side: Side, speaker: usize) -> [Self; 2] {
        [(span.start, 1), (span.end, -1)].map(|(at, step)| Change { at, step, side, speaker })
    }
}

/// How many turns of each speaker are under way.
struct Talking {
    /// Turns in the reference and in the hypothesis, by speaker.
    turns: Vec<[i64; 2]>,
    /// Their sums.
    all: [i64; 2],
    /// Turns that are under way in both annotations for one speaker.
    matched: i64,
}

impl Talking {
    fn new(speakers: usize) -> Self {
        Self { turns: vec![[0; 2]; speakers], all: [0; 2], matched: 0 }
    }

    fn apply(&mut self, change: &Change) {
        let Some(turns) = self.turns.get_mut(change.speaker) else { return };
        let before = turns[0].min(turns[1]);
        let side = match change.side {
            Side::Reference => 0,
            Side::Hypothesis => 1,
        };
        turns[side] += change.step;
        self.all[side] += change.step;
        self.matched += turns[0].min(turns[1]) - before;
    }

    /// Adds what `duration` seconds of this state are worth.
    fn add_to(&self, error: &mut DiarizationError, duration: f64) {
        let [reference, hypothesis] = self.all;
        let seconds = |turns: i64| duration * turns as f64;
        error.reference_s += seconds(reference);
        error.correct_s += seconds(self.matched);
        error.missed_s += seconds((reference - hypothesis).max(0));
        error.false_alarm_s += seconds((hypothesis - reference).max(0));
        error.confusion_s += seconds(reference.min(hypothesis) - self.matched);
    }
}
