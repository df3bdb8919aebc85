//! Words that follow each other, as the passages of a transcript and the cues of subtitles.

use super::Word;
use crate::error::Result;
use crate::memory;

/// Pause in seconds after which a passage ends.
const PAUSE_S: f64 = 2.0;

/// Where passages end, beside a change of the speaker and a long pause.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct PassageOptions {
    /// Most characters of a passage; a longer word stands alone.
    pub characters: usize,
    /// Longest passage in seconds; a longer word stands alone.
    pub length_s: f64,
}

impl PassageOptions {
    /// All that a speaker says on end.
    pub fn turns() -> Self {
        Self { characters: usize::MAX, length_s: f64::INFINITY }
    }

    /// What is read at a glance: two lines of 42 characters and 7 seconds, as subtitles have.
    pub fn cues() -> Self {
        Self { characters: 84, length_s: 7.0 }
    }
}

/// What one speaker says on end.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// Start of its first word, in seconds.
    pub start_s: f64,
    /// Latest end of its words, in seconds.
    pub end_s: f64,
    /// Number of the speaker; `None` where nobody is known to say it.
    pub speaker: Option<usize>,
    /// Its words.
    pub text: String,
}

impl Passage {
    fn new(word: &Word, speaker: Option<usize>) -> Self {
        Self { start_s: word.start_s, end_s: word.end_s, speaker, text: word.text.clone() }
    }

    /// Whether `word` belongs to it.
    fn goes_on(&self, word: &Word, speaker: Option<usize>, options: &PassageOptions) -> bool {
        // Not counted where any number will do: a turn may have all words of an hour.
        let fits = options.characters == usize::MAX
            || self.text.chars().count() + 1 + word.text.chars().count() <= options.characters;
        self.speaker == speaker
            && word.start_s - self.end_s <= PAUSE_S
            && fits
            && word.end_s - self.start_s <= options.length_s
    }

    fn add(&mut self, word: &Word) {
        if word.spaced {
            self.text.push(' ');
        }
        self.text.push_str(&word.text);
        self.end_s = self.end_s.max(word.end_s);
    }
}

/// The passages of words, each with the number of its speaker, in the order of the words.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn passages(words: &[Word], speakers: &[Option<usize>], options: PassageOptions) -> Result<Vec<Passage>> {
    let mut passages: Vec<Passage> = Vec::new();
    for (word, &speaker) in words.iter().zip(speakers) {
        match passages.last_mut().filter(|passage| passage.goes_on(word, speaker, &options)) {
            Some(passage) => passage.add(word),
            None => memory::push("passages", &mut passages, Passage::new(word, speaker))?,
        }
    }
    Ok(passages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Word> {
        let word = |(index, text): (usize, &str)| Word {
            start_s: index as f64,
            end_s: index as f64 + 0.5,
            text: text.to_owned(),
            spaced: true,
        };
        text.split(' ').enumerate().map(word).collect()
    }

    fn texts(words: &[Word], speakers: &[Option<usize>], options: PassageOptions) -> Vec<String> {
        passages(words, speakers, options).unwrap().into_iter().map(|passage| passage.text).collect()
    }

    #[test]
    fn a_passage_ends_with_its_speaker_and_at_a_pause() {
        let mut said = words("So it is. Is it? Yes.");
        let speakers = [Some(0), Some(0), Some(0), Some(1), Some(1), None];
        assert_eq!(texts(&said, &speakers, PassageOptions::turns()), ["So it is.", "Is it?", "Yes."]);
        said[1].start_s += 2.0;
        said[2].spaced = false;
        assert_eq!(texts(&said, &speakers, PassageOptions::turns())[..2], ["So", "itis."]);
    }

    #[test]
    fn cues_are_short() {
        let said = words("one two three four five six seven eight nine ten");
        let one = [Some(0); 10];
        let cues = texts(&said, &one, PassageOptions::cues());
        assert_eq!(cues, ["one two three four five six seven", "eight nine ten"]);
        let narrow = PassageOptions { characters: 7, ..PassageOptions::turns() };
        assert_eq!(texts(&said, &one, narrow)[..3], ["one two", "three", "four"]);
    }
}
