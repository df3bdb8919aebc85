//! The time that is scored: the evaluation map less collars and overlap.

use super::ScoreOptions;
use super::span::{Span, subtract, support};

/// The time to evaluate, as a support: `uem`, or the extent of both annotations, less what
/// `options` leave out. Collars and overlap are those of the whole reference, even outside `uem`.
pub(super) fn evaluated(
    reference: &[(Span, &str)],
    hypothesis: &[(Span, &str)],
    uem: Option<Vec<Span>>,
    options: &ScoreOptions,
) -> Vec<Span> {
    let whole = support(uem.unwrap_or_else(|| extent(reference, hypothesis)));
    let mut removed = Vec::new();
    if options.collar_s > 0.0 {
        let half = 0.5 * options.collar_s;
        for (span, _) in reference {
            removed.extend([span.start, span.end].map(|at| Span { start: at - half, end: at + half }));
        }
    }
    if options.skip_overlap {
        removed.extend(overlaps(reference));
    }
    subtract(&whole, &support(removed))
}

/// From the first to the last moment of either annotation; nothing when both are empty.
fn extent(reference: &[(Span, &str)], hypothesis: &[(Span, &str)]) -> Vec<Span> {
    let spans = || reference.iter().chain(hypothesis).map(|(span, _)| span);
    let start = spans().map(|span| span.start).reduce(f64::min);
    let end = spans().map(|span| span.end).reduce(f64::max);
    start.zip(end).map(|(start, end)| Span { start, end }).into_iter().collect()
}

/// The stretches in which two or more turns of the reference run, whoever speaks them.
fn overlaps(reference: &[(Span, &str)]) -> Vec<Span> {
    let mut spans: Vec<Span> = reference.iter().map(|(span, _)| *span).collect();
    spans.sort_by(Span::compare);
    let mut found = Vec::new();
    // Where the turns seen so far end at the latest: the next turn overlaps them up to there.
    let mut latest: Option<f64> = None;
    for span in spans {
        if let Some(end) = latest {
            found.push(Span { start: span.start, end: span.end.min(end) });
        }
        latest = Some(latest.map_or(span.end, |end| end.max(span.end)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tracks(pairs: &[(f64, f64)]) -> Vec<(Span, &'static str)> {
        pairs.iter().map(|&(start, end)| (Span { start, end }, "a")).collect()
    }

    #[test]
    fn the_collar_is_centred_on_each_boundary() {
        let options = ScoreOptions { collar_s: 0.5, skip_overlap: false };
        let left = evaluated(&tracks(&[(1.0, 3.0)]), &tracks(&[(0.0, 4.0)]), None, &options);
        let expected = [(0.0, 0.75), (1.25, 2.75), (3.25, 4.0)];
        assert_eq!(left, expected.map(|(start, end)| Span { start, end }));
    }

    #[test]
    fn overlap_counts_a_speaker_over_himself() {
        let options = ScoreOptions { collar_s: 0.0, skip_overlap: true };
        let reference = tracks(&[(0.0, 10.0), (1.0, 2.0), (5.0, 6.0), (9.0, 12.0)]);
        let expected = [(0.0, 1.0), (2.0, 5.0), (6.0, 9.0), (10.0, 12.0)];
        assert_eq!(
            evaluated(&reference, &[], None, &options),
            expected.map(|(start, end)| Span { start, end })
        );
    }

    #[test]
    fn nothing_is_evaluated_where_nobody_speaks() {
        assert!(evaluated(&[], &[], None, &ScoreOptions::default()).is_empty());
        assert!(evaluated(&tracks(&[(0.0, 1.0)]), &[], Some(vec![]), &ScoreOptions::default()).is_empty());
    }
}
