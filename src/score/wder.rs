//! Word diarization error rate (WDER): how many of the words that were recognised have a wrong
//! speaker. L. El Shafey, H. Soltau, I. Shafran, "Joint speech recognition and speaker diarization
//! via sequence transduction", Interspeech 2019, equation 2.

use std::collections::BTreeMap;

use crate::assignment;
use crate::error::{Error, Result};
use crate::memory;

/// Most pairs of a word of the reference and one of the hypothesis: each takes a byte, and some
/// nanoseconds. Two hours of speech on both sides have 4 x 10^8.
const MAX_PAIRS: usize = 1 << 30;

/// The words of a transcript with their speakers, counted as WDER counts them. Counts of recordings
/// add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct WordError {
    /// Words that are the reference's.
    pub correct: usize,
    /// Other words in place of the reference's.
    pub substitutions: usize,
    /// Words of the reference that the hypothesis lacks.
    pub deletions: usize,
    /// Words of the hypothesis that the reference lacks.
    pub insertions: usize,
    /// Of `correct`, those with a wrong speaker.
    pub correct_wrong_speaker: usize,
    /// Of `substitutions`, those with a wrong speaker.
    pub substitutions_wrong_speaker: usize,
}

impl WordError {
    /// Word diarization error rate, 0 to 1: the share of correct and substituted words whose
    /// speaker is wrong; 0 where there is no such word. Words that are missing or too many do not
    /// count.
    pub fn wder(&self) -> f64 {
        let wrong = self.correct_wrong_speaker + self.substitutions_wrong_speaker;
        share(wrong, self.correct + self.substitutions)
    }

    /// Word error rate, 0 or more: substitutions, deletions and insertions over the words of the
    /// reference; 0 where there are none.
    pub fn wer(&self) -> f64 {
        let errors = self.substitutions + self.deletions + self.insertions;
        share(errors, self.correct + self.substitutions + self.deletions)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Compares words with those of a reference: each a pair of the word and its speaker, in the order
/// of time. Case and punctuation do not count. Speakers are mapped one to one so that the most
/// words have the right one.
///
/// # Errors
/// [`Error::Limit`] where the product of the numbers of words is over 2^30; [`Error::Memory`].
pub fn word_error(reference: &[(String, String)], hypothesis: &[(String, String)]) -> Result<WordError> {
    let (reference, hypothesis) = (normalized(reference), normalized(hypothesis));
    let mut found = WordError::default();
    // Of each pair of a reference's and a hypothesis' speaker, how many words they share.
    let mut shared: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut pairs = Vec::new();
    for step in alignment(&reference, &hypothesis)? {
        match step {
            Step::Delete => found.deletions += 1,
            Step::Insert => found.insertions += 1,
            Step::Pair(of, with) => {
                let ((word, speaker), (other, other_speaker)) = (&reference[of], &hypothesis[with]);
                *shared.entry((speaker, other_speaker)).or_default() += 1;
                pairs.push((word == other, *speaker, *other_speaker));
            }
        }
    }
    let speaker_of = mapping(&shared);
    for (correct, speaker, other) in pairs {
        let wrong = usize::from(speaker_of.get(other) != Some(&speaker));
        if correct {
            found.correct += 1;
            found.correct_wrong_speaker += wrong;
        } else {
            found.substitutions += 1;
            found.substitutions_wrong_speaker += wrong;
        }
    }
    Ok(found)
}

/// Words without case and punctuation, and without those that are nothing else.
fn normalized(words: &[(String, String)]) -> Vec<(String, &str)> {
    let plain = |word: &str| -> String {
        word.chars().filter(|c| c.is_alphanumeric() || *c == '\'').flat_map(char::to_lowercase).collect()
    };
    let words = words.iter().map(|(word, speaker)| (plain(word), speaker.as_str()));
    words.filter(|(word, _)| !word.is_empty()).collect()
}

/// The speaker of the reference for each of the hypothesis.
fn mapping<'a>(shared: &BTreeMap<(&'a str, &'a str), usize>) -> BTreeMap<&'a str, &'a str> {
    let side = |pick: fn(&(&'a str, &'a str)) -> &'a str| -> Vec<&'a str> {
        let mut names: Vec<&str> = shared.keys().map(pick).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let (speakers, others) = (side(|pair| pair.0), side(|pair| pair.1));
    let cost = |row: usize, column: usize| {
        let pair = (speakers[row], others[column]);
        -(shared.get(&pair).copied().unwrap_or(0) as f64)
    };
    let assigned = assignment::assign(speakers.len(), others.len(), cost);
    let pairs = assigned.into_iter().enumerate();
    pairs.filter_map(|(row, column)| Some((others[column?], speakers[row]))).collect()
}

/// How one word of either side is used.
enum Step {
    Pair(usize, usize),
    Delete,
    Insert,
}

/// The way from the reference to the hypothesis with the fewest edits; of equal ones that with the
/// most pairs.
fn alignment(reference: &[(String, &str)], hypothesis: &[(String, &str)]) -> Result<Vec<Step>> {
    const PAIR: u8 = 0;
    const DELETE: u8 = 1;
    const INSERT: u8 = 2;
    let (rows, columns) = (reference.len() + 1, hypothesis.len() + 1);
    let cells = rows.checked_mul(columns).filter(|&cells| cells <= MAX_PAIRS).ok_or_else(|| {
        let (rows, columns) = (reference.len(), hypothesis.len());
        Error::Limit(format!(
            "words: expected at most {MAX_PAIRS} pairs of a reference's and a hypothesis' word, got {rows} x {columns}"
        ))
    })?;
    let mut moves = memory::filled("alignment", cells, PAIR)?;
    let mut above: Vec<u32> = memory::collected("alignment", 0..columns as u32)?;
    moves.iter_mut().take(columns).skip(1).for_each(|step| *step = INSERT);
    for row in 1..rows {
        let mut diagonal = above[0];
        above[0] += 1;
        moves[row * columns] = DELETE;
        for column in 1..columns {
            let changed = u32::from(reference[row - 1].0 != hypothesis[column - 1].0);
            let ways =
                [(diagonal + changed, PAIR), (above[column] + 1, DELETE), (above[column - 1] + 1, INSERT)];
            let (cost, step) = ways.into_iter().min_by_key(|(cost, _)| *cost).unwrap_or(ways[0]);
            diagonal = above[column];
            above[column] = cost;
            moves[row * columns + column] = step;
        }
    }
    let (mut row, mut column) = (rows - 1, columns - 1);
    let mut steps = Vec::new();
    while row > 0 || column > 0 {
        match moves[row * columns + column] {
            DELETE => {
                row -= 1;
                steps.push(Step::Delete);
            }
            INSERT => {
                column -= 1;
                steps.push(Step::Insert);
            }
            _ => {
                row -= 1;
                column -= 1;
                steps.push(Step::Pair(row, column));
            }
        }
    }
    steps.reverse();
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of speakers: "a: so it b: is".
    fn words(text: &str) -> Vec<(String, String)> {
        let mut speaker = "";
        let mut words = Vec::new();
        for part in text.split(' ') {
            match part.strip_suffix(':') {
                Some(name) => speaker = name,
                None => words.push((part.to_owned(), speaker.to_owned())),
            }
        }
        words
    }

    fn error(reference: &str, hypothesis: &str) -> WordError {
        word_error(&words(reference), &words(hypothesis)).unwrap()
    }

    #[test]
    fn names_case_and_punctuation_do_not_count() {
        let found = error("ada: So it is. ben: Is it? ada: Yes", "2: so it is 1: is it 2: yes");
        assert_eq!(found, WordError { correct: 6, ..WordError::default() });
        assert_eq!((found.wder(), found.wer()), (0.0, 0.0));
    }

    #[test]
    fn only_words_on_both_sides_count() {
        // One right word has the wrong speaker, and so have two that were misheard; one is too
        // many.
        let found = error(
            "a: one two three four b: five six seven",
            "x: one two y: three more five x: sex y: seven now",
        );
        let expected = WordError {
            correct: 5,
            substitutions: 2,
            deletions: 0,
            insertions: 1,
            correct_wrong_speaker: 1,
            substitutions_wrong_speaker: 2,
        };
        assert_eq!(found, expected);
        assert_eq!(found.wder(), 3.0 / 7.0);
        assert_eq!(found.wer(), 3.0 / 7.0);
        let found = error("a: one two three", "x: one three");
        assert_eq!((found.deletions, found.correct, found.wder()), (1, 2, 0.0));
    }

    #[test]
    fn a_speaker_too_many_has_only_wrong_words() {
        let found = error("a: one two three four", "x: one two three y: four");
        assert_eq!(found.wder(), 0.25);
        assert_eq!(word_error(&words("a: one"), &[]).unwrap().wder(), 0.0);
        assert_eq!(word_error(&[], &[]).unwrap(), WordError::default());
    }
}
