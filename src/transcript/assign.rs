//! Which speaker says a word: the one whose segments overlap it the longest.

use super::Word;
use crate::error::{Error, Result};
use crate::memory;
use crate::types::{Diarization, Segment};

/// How words are assigned.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct AssignOptions {
    /// Seconds from a word to the nearest segment within which it is that speaker's although
    /// nobody's segment overlaps it: recognisers and diarizers place the ends of speech
    /// differently.
    pub nearest_s: f64,
}

impl AssignOptions {
    /// Words are assigned to segments up to `nearest_s` seconds from them.
    pub fn within(nearest_s: f64) -> Self {
        Self { nearest_s }
    }
}

impl Default for AssignOptions {
    fn default() -> Self {
        Self { nearest_s: 1.0 }
    }
}

/// For each word the number of its speaker; `None` where nobody speaks near it. Of speakers whose
/// segments overlap a word equally long, or lie equally near, it is that of the word before, else
/// the one of the segment that starts first.
///
/// # Errors
/// [`Error::InvalidArgument`] for a limit that is no number of seconds; [`Error::Memory`].
pub fn assign(
    words: &[Word],
    diarization: &Diarization,
    options: AssignOptions,
) -> Result<Vec<Option<usize>>> {
    let AssignOptions { nearest_s } = options;
    if !(nearest_s.is_finite() && nearest_s >= 0.0) {
        return Err(Error::invalid("nearest_s", format!("expected 0 or more seconds, got {nearest_s}")));
    }
    let segments = &diarization.segments;
    // The latest end of the segments up to each one, by which those that are over are passed by.
    let ends = segments.iter().scan(f64::NEG_INFINITY, |latest, segment| {
        *latest = latest.max(segment.end_s);
        Some(*latest)
    });
    let ends: Vec<f64> = memory::collected("segments", ends)?;
    let mut speakers = memory::with_capacity("words", words.len())?;
    let mut last = None;
    for word in words {
        let first = ends.partition_point(|&end| end < word.start_s - nearest_s);
        let near = segments.iter().skip(first);
        let near = near.take_while(|segment| segment.start_s <= word.end_s + nearest_s);
        let speaker = speaker_of(word, near, nearest_s, last);
        last = speaker.or(last);
        speakers.push(speaker);
    }
    Ok(speakers)
}

/// The speaker of a word, among the segments near it.
fn speaker_of<'a>(
    word: &Word,
    near: impl Iterator<Item = &'a Segment>,
    nearest_s: f64,
    last: Option<usize>,
) -> Option<usize> {
    // Seconds of overlap of each speaker; the negative distance of those without any.
    let mut closeness: Vec<(usize, f64)> = Vec::new();
    for segment in near {
        let shared = segment.end_s.min(word.end_s) - segment.start_s.max(word.start_s);
        match closeness.iter_mut().find(|(speaker, _)| *speaker == segment.speaker) {
            Some((_, known)) if *known > 0.0 && shared > 0.0 => *known += shared,
            Some((_, known)) => *known = known.max(shared),
            None => closeness.push((segment.speaker, shared)),
        }
    }
    let most = closeness.iter().map(|&(_, shared)| shared).fold(f64::NEG_INFINITY, f64::max);
    if most < -nearest_s {
        return None;
    }
    let mut closest = closeness.iter().filter(|(_, shared)| *shared == most).map(|&(speaker, _)| speaker);
    let first = closest.next();
    last.filter(|last| first == Some(*last) || closest.any(|speaker| speaker == *last)).or(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(start_s: f64, end_s: f64) -> Word {
        Word { start_s, end_s, text: "word".to_owned(), spaced: true }
    }

    fn diarization(segments: &[(f64, f64, usize)]) -> Diarization {
        let segment =
            |&(start_s, end_s, speaker)| Segment { start_s, end_s, speaker, confidence: 1.0, overlap: false };
        Diarization::of_parts(100.0, segments.iter().map(segment).collect(), vec![Vec::new(); 3])
    }

    fn assigned(segments: &[(f64, f64, usize)], words: &[Word]) -> Vec<Option<usize>> {
        assign(words, &diarization(segments), AssignOptions::default()).unwrap()
    }

    #[test]
    fn a_word_is_said_by_who_overlaps_it_most_in_all_segments_together() {
        let segments = [(0.0, 10.0, 0), (4.0, 4.2, 1), (4.3, 4.5, 1), (4.35, 4.6, 2)];
        let words = [word(1.0, 1.5), word(3.9, 4.7), word(4.0, 4.2)];
        assert_eq!(assigned(&segments, &words), [Some(0), Some(0), Some(0)]);
        // Two pieces of one speaker outweigh one of another.
        let segments = [(0.0, 1.0, 1), (1.0, 1.5, 0), (1.5, 2.0, 1)];
        assert_eq!(assigned(&segments, &[word(0.7, 1.9)]), [Some(1)]);
    }

    #[test]
    fn a_word_beside_all_segments_goes_to_the_nearest_within_the_limit() {
        let segments = [(5.0, 6.0, 0), (7.0, 8.0, 1)];
        let words = [word(3.5, 3.9), word(4.0, 4.5), word(6.1, 6.2), word(6.8, 6.9), word(8.9, 9.5)];
        assert_eq!(assigned(&segments, &words), [None, Some(0), Some(0), Some(1), Some(1)]);
        assert_eq!(assigned(&segments, &[word(20.0, 21.0)]), [None]);
        assert_eq!(assigned(&[], &[word(0.0, 1.0)]), [None]);
        // No word is too far from the segment of a long one before it.
        let nested = [(0.0, 50.0, 2), (1.0, 2.0, 0)];
        assert_eq!(assigned(&nested, &[word(40.0, 40.5)]), [Some(2)]);
    }

    #[test]
    fn equal_overlap_stays_with_the_speaker_of_the_word_before() {
        let segments = [(0.0, 2.0, 0), (1.0, 3.0, 1)];
        assert_eq!(assigned(&segments, &[word(1.2, 1.5)]), [Some(0)]);
        assert_eq!(assigned(&segments, &[word(2.5, 2.6), word(1.2, 1.5)]), [Some(1), Some(1)]);
        // A word without length.
        assert_eq!(assigned(&segments, &[word(0.5, 0.5)]), [Some(0)]);
    }

    #[test]
    fn a_limit_that_is_none_is_refused() {
        for nearest_s in [-1.0, f64::NAN, f64::INFINITY] {
            let error = assign(&[], &diarization(&[]), AssignOptions { nearest_s }).unwrap_err();
            assert!(error.to_string().starts_with("nearest_s: expected 0 or more seconds"), "{error}");
        }
    }
}
