//! The best one-to-one mapping of speakers.

use super::span::Span;
use super::tracks::Tracks;
use crate::assignment::assign;

/// For each speaker of `from`, the speaker of `to` mapped to it: the one-to-one mapping with the
/// most shared time. Speakers who share no time are never mapped to each other.
///
/// Where several mappings are equally good, the one that `pyannote.metrics` would take: time is
/// added up in its order, and the assignment breaks ties as `scipy.optimize.linear_sum_assignment`
/// does.
pub(super) fn best_mapping(from: &Tracks, to: &Tracks) -> Vec<Option<usize>> {
    let shared = cooccurrence(from, to);
    let gain = |row: usize, column: usize| shared[row * to.speakers + column];
    let columns = assign(from.speakers, to.speakers, |row, column| -gain(row, column));
    columns
        .into_iter()
        .enumerate()
        .map(|(row, column)| column.filter(|&column| gain(row, column) > 0.0))
        .collect()
}

/// Seconds in which a speaker of `from` (row) and one of `to` (column) talk together, row by row.
/// Each pair of turns counts.
fn cooccurrence(from: &Tracks, to: &Tracks) -> Vec<f64> {
    let mut shared = vec![0.0; from.speakers * to.speakers];
    // Turns before this one end before any later turn of `from` begins.
    let mut first = 0;
    for one in &from.tracks {
        while to.tracks.get(first).is_some_and(|track| track.span.end <= one.span.start) {
            first += 1;
        }
        let others = to.tracks.iter().skip(first).take_while(|other| other.span.start < one.span.end);
        for other in others {
            let span: Span = one.span.intersection(other.span);
            shared[one.speaker * to.speakers + other.speaker] += span.duration();
        }
    }
    shared
}
