//! An annotation cropped to the evaluated time, its speakers numbered.

use std::collections::BTreeSet;

use super::span::{Span, support, touching};

/// How `pyannote.metrics` renames the speakers of a side before it sorts them. Only the resulting
/// order matters: it decides among equally good mappings.
#[derive(Clone, Copy)]
pub(super) enum Naming {
    /// A to Z, AA to ZZ, …: the reference.
    Letters,
    /// 0, 1, 2, …: the hypothesis.
    Numbers,
}

impl Naming {
    fn name(self, index: usize) -> String {
        match self {
            Naming::Numbers => index.to_string(),
            Naming::Letters => {
                let mut letters = Vec::new();
                let mut rest = index + 1;
                while rest > 0 {
                    letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
                    rest = (rest - 1) / 26;
                }
                letters.iter().rev().collect()
            }
        }
    }
}

/// One turn, or the part of it inside a stretch of the evaluated time.
pub(super) struct Track {
    pub(super) span: Span,
    /// Below [`Tracks::speakers`].
    pub(super) speaker: usize,
}

/// The evaluated part of an annotation.
pub(super) struct Tracks {
    /// Sorted by start, then end.
    pub(super) tracks: Vec<Track>,
    /// Number of speakers; each has at least one track.
    pub(super) speakers: usize,
}

impl Tracks {
    /// Crops `turns` to the support `evaluated` and numbers the speakers that are left.
    pub(super) fn crop(turns: &[(Span, &str)], evaluated: &[Span], naming: Naming) -> Self {
        let mut pieces: Vec<(Span, &str)> = Vec::with_capacity(turns.len());
        for &(span, speaker) in turns {
            pieces.extend(touching(evaluated, span).map(|stretch| (span.intersection(stretch), speaker)));
        }
        pieces.retain(|(span, _)| !span.is_empty());
        pieces.sort_by(|(one, _), (other, _)| one.compare(other));

        let speakers: BTreeSet<&str> = pieces.iter().map(|&(_, speaker)| speaker).collect();
        let mut order: Vec<(String, &str)> =
            speakers.into_iter().enumerate().map(|(index, speaker)| (naming.name(index), speaker)).collect();
        order.sort();
        let numbers: std::collections::HashMap<&str, usize> =
            order.iter().enumerate().map(|(number, &(_, speaker))| (speaker, number)).collect();
        let tracks = pieces
            .iter()
            .filter_map(|&(span, speaker)| Some(Track { span, speaker: *numbers.get(speaker)? }))
            .collect();
        Self { tracks, speakers: numbers.len() }
    }

    /// The time in which `speaker` talks, as a support.
    pub(super) fn support_of(&self, speaker: usize) -> Vec<Span> {
        support(self.tracks.iter().filter(|track| track.speaker == speaker).map(|track| track.span).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_on_after_the_alphabet() {
        let names = [0, 25, 26, 27, 701, 702].map(|index| Naming::Letters.name(index));
        assert_eq!(names, ["A", "Z", "AA", "AB", "ZZ", "AAA"]);
    }

    #[test]
    fn ten_comes_before_two() {
        let labels: Vec<String> = (0..12).map(|index| format!("{index:02}")).collect();
        let turns: Vec<(Span, &str)> =
            labels.iter().map(|label| (Span { start: 0.0, end: 1.0 }, label.as_str())).collect();
        let tracks = Tracks::crop(&turns, &[Span { start: 0.0, end: 1.0 }], Naming::Numbers);
        let numbers: Vec<usize> = tracks.tracks.iter().map(|track| track.speaker).collect();
        assert_eq!(numbers, [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3]);
    }
}
