//! Spans of time and the set arithmetic on them.

/// Spans this long, in seconds, or shorter are empty: `SEGMENT_PRECISION` of `pyannote.core`. It
/// keeps rounding noise between boundaries that are equal on paper from counting as time.
const EMPTY_S: f64 = 1e-6;

/// A stretch of time in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Span {
    pub(super) start: f64,
    pub(super) end: f64,
}

impl Span {
    pub(super) fn is_empty(self) -> bool {
        self.end - self.start <= EMPTY_S
    }

    /// Length in seconds, 0 for an empty span.
    pub(super) fn duration(self) -> f64 {
        if self.is_empty() { 0.0 } else { self.end - self.start }
    }

    /// The time that both hold; empty, perhaps reversed, where they hold none.
    pub(super) fn intersection(self, other: Span) -> Span {
        Span { start: self.start.max(other.start), end: self.end.min(other.end) }
    }

    /// Order by start, then end.
    pub(super) fn compare(&self, other: &Span) -> std::cmp::Ordering {
        self.start.total_cmp(&other.start).then(self.end.total_cmp(&other.end))
    }
}

/// The union of `spans` as sorted spans with gaps between them; a gap that is empty is none.
pub(super) fn support(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| !span.is_empty());
    spans.sort_by(Span::compare);
    let mut merged: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start - last.end <= EMPTY_S => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// The part of `whole` outside `removed`; both are supports.
pub(super) fn subtract(whole: &[Span], removed: &[Span]) -> Vec<Span> {
    let mut left = Vec::with_capacity(whole.len() + removed.len());
    for &span in whole {
        let mut start = span.start;
        for hole in touching(removed, span) {
            left.push(Span { start, end: hole.start.max(start) });
            start = hole.end;
        }
        left.push(Span { start, end: span.end });
    }
    left.retain(|span| !span.is_empty());
    left
}

/// The members of `support` that share time with `span`, in order.
pub(super) fn touching(support: &[Span], span: Span) -> impl Iterator<Item = Span> {
    let first = support.partition_point(|member| member.end <= span.start);
    support.iter().skip(first).copied().take_while(move |member| member.start < span.end)
}

/// Length of a support in seconds.
pub(super) fn duration(support: &[Span]) -> f64 {
    support.iter().map(|span| span.duration()).sum()
}

/// Time in seconds that two supports share.
pub(super) fn shared(one: &[Span], other: &[Span]) -> f64 {
    let pairs =
        one.iter().flat_map(|&span| touching(other, span).map(move |member| span.intersection(member)));
    pairs.map(Span::duration).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(pairs: &[(f64, f64)]) -> Vec<Span> {
        pairs.iter().map(|&(start, end)| Span { start, end }).collect()
    }

    #[test]
    fn support_merges_what_touches_and_drops_what_is_empty() {
        let given = spans(&[(5.0, 6.0), (0.0, 2.0), (1.0, 1.5), (2.0, 3.0), (4.0, 4.0)]);
        assert_eq!(support(given), spans(&[(0.0, 3.0), (5.0, 6.0)]));
    }

    #[test]
    fn subtract_cuts_edges_middles_and_all() {
        let whole = spans(&[(0.0, 10.0), (20.0, 21.0)]);
        let removed = spans(&[(-1.0, 1.0), (4.0, 5.0), (9.0, 12.0), (19.0, 30.0)]);
        assert_eq!(subtract(&whole, &removed), spans(&[(1.0, 4.0), (5.0, 9.0)]));
        assert_eq!(subtract(&whole, &[]), whole);
    }

    #[test]
    fn shared_time() {
        let one = spans(&[(0.0, 2.0), (3.0, 5.0)]);
        let other = spans(&[(1.0, 4.0), (4.5, 9.0)]);
        assert_eq!(shared(&one, &other), 2.5);
    }
}
