//! Jaccard error rate (DIHARD II): 1 - intersection / union of each reference speaker's time and
//! that of the hypothesis speaker mapped to it.

use super::mapping::best_mapping;
use super::span::{duration, shared, support};
use super::tracks::Tracks;

/// Number of reference speakers and the sum of their Jaccard errors.
pub(super) fn components(reference: &Tracks, hypothesis: &Tracks) -> (usize, f64) {
    let mapping = best_mapping(reference, hypothesis);
    let error_of = |(speaker, mapped): (usize, &Option<usize>)| {
        let Some(mapped) = *mapped else { return 1.0 };
        let (one, other) = (reference.support_of(speaker), hypothesis.support_of(mapped));
        let common = shared(&one, &other);
        let missed = duration(&one) - common;
        let false_alarm = duration(&other) - common;
        let union = duration(&support([one, other].concat()));
        (missed + false_alarm) / union
    };
    (reference.speakers, mapping.iter().enumerate().map(error_of).sum())
}
