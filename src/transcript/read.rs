//! The forms in which speech recognisers write words with times, told apart by their members:
//!
//! | recogniser | members |
//! |---|---|
//! | openai-whisper, faster-whisper, WhisperX | `segments`, each with `words` |
//! | OpenAI, `verbose_json` | `words`; without them `segments` |
//! | whisper.cpp, `--output-json`, `-full` | `transcription`, each with `tokens` or without |
//! | sherpa-onnx | `tokens` and `timestamps` |
//! | any | a list of words, or of segments |
//!
//! A segment without words is taken for one word.

use serde_json::Value;

use super::Word;
use crate::error::{Error, Result};

/// What a speech recogniser wrote.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    /// The words in the order of the file.
    pub words: Vec<Word>,
    /// Whether any of them is a whole segment, of which no word has a time: the recogniser was not
    /// asked for words.
    pub has_segments: bool,
}

/// Longest time in seconds of a token whose end is not stated.
const LONGEST_TOKEN_S: f64 = 1.0;
/// What SentencePiece has in place of a space.
const PIECE_SPACE: char = '\u{2581}';

/// Reads the JSON of a recogniser.
///
/// # Errors
/// [`Error::InvalidArgument`] where it is no JSON of a known form, or has times that are none.
pub fn parse(text: &str) -> Result<Transcript> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root: Value = serde_json::from_str(text)
        .map_err(|error| refused("", format!("expected the JSON of a speech recogniser, got {error}")))?;
    let mut found = Transcript::default();
    if let Some(entries) = root.get("transcription").and_then(Value::as_array) {
        whisper_cpp(entries, &mut found)?;
    } else if let (Some(tokens), Some(times)) = (list(&root, "tokens"), list(&root, "timestamps")) {
        tokens_at(tokens, times, list(&root, "durations"), &mut found)?;
    } else if let Some(words) = list(&root, "words").filter(|words| !words.is_empty()) {
        timed_words("words", words, &mut found)?;
    } else if let Some(segments) = list(&root, "segments") {
        segments_of("segments", segments, &mut found)?;
    } else if let Some(entries) = root.as_array() {
        segments_of("", entries, &mut found)?;
    } else {
        let text =
            "expected one of the members words, segments, transcription, or tokens with timestamps, got none";
        return Err(refused("", text.to_owned()));
    }
    Ok(found)
}

fn refused(place: &str, reason: String) -> Error {
    let name = if place.is_empty() { "words".to_owned() } else { place.to_owned() };
    Error::invalid(name, reason)
}

fn list<'a>(of: &'a Value, name: &str) -> Option<&'a [Value]> {
    of.get(name).and_then(Value::as_array).map(Vec::as_slice)
}

/// Adds a word at `place`, unless it is empty. `spaced` is whether words that say nothing of a
/// space in front of them have one.
fn add(found: &mut Transcript, place: &str, times: (f64, f64), text: &str, spaced: bool) -> Result<()> {
    let (start_s, end_s) = times;
    if !(start_s.is_finite() && end_s.is_finite() && 0.0 <= start_s && start_s <= end_s) {
        let reason =
            format!("expected a start of 0 s or more and an end behind it, got {start_s} and {end_s}");
        return Err(refused(place, reason));
    }
    let word = text.trim();
    if !word.is_empty() {
        let spaced = spaced || text.starts_with(char::is_whitespace);
        found.words.push(Word { start_s, end_s, text: word.to_owned(), spaced });
    }
    Ok(())
}

/// Words with `start` and `end` in seconds.
fn timed_words(place: &str, words: &[Value], found: &mut Transcript) -> Result<()> {
    let text_of = |word: &Value| -> Option<String> {
        ["word", "text"].iter().find_map(|name| word.get(name)?.as_str().map(str::to_owned))
    };
    let times_of = |word: &Value| Some((word.get("start")?.as_f64()?, word.get("end")?.as_f64()?));
    // whisper puts the space into the word; OpenAI leaves it out of all.
    let in_words = words.iter().filter_map(text_of).any(|text| text.starts_with(' '));
    for (index, word) in words.iter().enumerate() {
        let place = format!("{place}[{index}]");
        let Some(text) = text_of(word) else {
            return Err(refused(&place, "expected a word or a text, got none".to_owned()));
        };
        // WhisperX gives numbers no times: they are said between their neighbours.
        let between = || {
            let before = found.words.last().map(|word| word.end_s);
            let behind = words.iter().skip(index + 1).find_map(times_of).map(|(start_s, _)| start_s);
            let start_s = before.or(behind)?;
            Some((start_s, behind.unwrap_or(start_s).max(start_s)))
        };
        let Some(times) = times_of(word).or_else(between) else {
            return Err(refused(&place, "expected start and end in seconds, got none".to_owned()));
        };
        let spaced = !in_words && !joins(found.words.last(), &text);
        add(found, &place, times, &text, spaced)?;
    }
    Ok(())
}

/// Whether no space belongs between two words without one of their own: between those of scripts
/// that are written without.
fn joins(before: Option<&Word>, text: &str) -> bool {
    let unspaced = |character: Option<char>| {
        character.is_some_and(|c| matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ff9f}' | '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'))
    };
    before.is_some_and(|word| unspaced(word.text.chars().next_back())) && unspaced(text.chars().next())
}

/// Segments with words, or without.
fn segments_of(place: &str, segments: &[Value], found: &mut Transcript) -> Result<()> {
    if place.is_empty() && segments.iter().all(|entry| entry.get("word").is_some()) {
        return timed_words("", segments, found);
    }
    for (index, segment) in segments.iter().enumerate() {
        let place = format!("{place}[{index}]");
        match list(segment, "words") {
            Some(words) if !words.is_empty() => {
                timed_words(&format!("{place}.words"), words, found)?;
            }
            _ => {
                let own = std::slice::from_ref(segment);
                found.has_segments = true;
                timed_words(&place, own, found)?;
            }
        }
    }
    Ok(())
}

/// Entries of whisper.cpp, whose times are milliseconds.
fn whisper_cpp(entries: &[Value], found: &mut Transcript) -> Result<()> {
    let times_of = |entry: &Value| {
        let offsets = entry.get("offsets")?;
        let at = |name: &str| Some(offsets.get(name)?.as_f64()? / 1000.0);
        Some((at("from")?, at("to")?))
    };
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("transcription[{index}]");
        let tokens = list(entry, "tokens");
        let parts = tokens.unwrap_or(std::slice::from_ref(entry));
        let mut words: Vec<(String, (f64, f64))> = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            let place = if tokens.is_some() { format!("{place}.tokens[{index}]") } else { place.clone() };
            let Some(text) = part.get("text").and_then(Value::as_str) else {
                return Err(refused(&place, "expected a text, got none".to_owned()));
            };
            if tokens.is_some() && text.starts_with("[_") && text.ends_with(']') {
                // Marks of the model: beginning, times.
                continue;
            }
            let times = times_of(part);
            let Some((start_s, end_s)) = times else {
                return Err(refused(
                    &place,
                    "expected offsets from and to in milliseconds, got none".to_owned(),
                ));
            };
            match words.last_mut().filter(|_| tokens.is_some() && !text.starts_with(' ')) {
                Some((word, (_, end))) => {
                    word.push_str(text);
                    *end = end.max(end_s);
                }
                None => words.push((text.to_owned(), (start_s, end_s))),
            }
        }
        for (text, (start_s, end_s)) in words {
            // Its tokens may end before they begin, by some milliseconds.
            let times = (start_s, end_s.max(start_s));
            found.has_segments |= tokens.is_none() && text.trim().contains(' ');
            let spaced = found.words.is_empty();
            add(found, &place, times, &text, spaced)?;
        }
    }
    Ok(())
}

/// Tokens of sherpa-onnx with their starts, and perhaps their lengths, in seconds.
fn tokens_at(
    tokens: &[Value],
    times: &[Value],
    lengths: Option<&[Value]>,
    found: &mut Transcript,
) -> Result<()> {
    if tokens.len() != times.len() {
        let reason = format!("expected one for each of the {} tokens, got {}", tokens.len(), times.len());
        return Err(refused("timestamps", reason));
    }
    let start_of = |index: usize| times.get(index).and_then(Value::as_f64);
    for (index, token) in tokens.iter().enumerate() {
        let place = format!("tokens[{index}]");
        let (Some(text), Some(start_s)) = (token.as_str(), start_of(index)) else {
            let reason = "expected a text with a time in seconds, got another value".to_owned();
            return Err(refused(&place, reason));
        };
        let length = lengths.and_then(|lengths| lengths.get(index)?.as_f64());
        let next = start_of(index + 1).unwrap_or(f64::INFINITY);
        let end_s = start_s + length.unwrap_or(next - start_s).clamp(0.0, LONGEST_TOKEN_S);
        let begins = text.starts_with([PIECE_SPACE, ' ']);
        let text = text.replace(PIECE_SPACE, " ");
        let goes_on = !begins && !joins(found.words.last(), &text);
        match found.words.last_mut().filter(|_| goes_on) {
            Some(word) => {
                word.text.push_str(text.trim_end());
                word.end_s = word.end_s.max(end_s);
            }
            None => add(found, &place, (start_s, end_s), &text, false)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words with their times; "+" for one without a space in front of it.
    fn read(text: &str) -> Vec<(String, f64, f64)> {
        let mark = |word: &Word| if word.spaced { "" } else { "+" };
        let shown = |word: &Word| (mark(word).to_owned() + &word.text, word.start_s, word.end_s);
        parse(text).unwrap().words.iter().map(shown).collect()
    }

    fn expected(words: &[(&str, f64, f64)]) -> Vec<(String, f64, f64)> {
        words.iter().map(|&(text, start_s, end_s)| (text.to_owned(), start_s, end_s)).collect()
    }

    #[test]
    fn whisper_has_words_in_segments() {
        let text = r#"{"text": " So it is.", "segments": [
            {"id": 0, "start": 0.0, "end": 1.5, "text": " So it", "words": [
                {"word": " So", "start": 0.0, "end": 0.4, "probability": 0.9},
                {"word": " it", "start": 0.4, "end": 0.6}]},
            {"start": 1.5, "end": 2.0, "words": [
                {"word": " is", "start": 1.5, "end": 1.8}, {"word": "n't", "start": 1.8, "end": 2.0}]}]}"#;
        let words = [("So", 0.0, 0.4), ("it", 0.4, 0.6), ("is", 1.5, 1.8), ("+n't", 1.8, 2.0)];
        assert_eq!(read(text), expected(&words));
        assert!(!parse(text).unwrap().has_segments);
    }

    #[test]
    fn openai_has_words_without_spaces_and_perhaps_segments_alone() {
        let text = r#"{"task": "transcribe", "duration": 2.0, "text": "So it", "segments": [{"start": 0, "end": 1, "text": "So it"}],
            "words": [{"word": "So", "start": 0.0, "end": 0.4}, {"word": "it", "start": 0.4, "end": 0.6}]}"#;
        assert_eq!(read(text), expected(&[("So", 0.0, 0.4), ("it", 0.4, 0.6)]));
        let text = r#"{"words": [], "segments": [{"start": 0, "end": 1, "text": " So it is."}]}"#;
        assert_eq!(read(text), expected(&[("So it is.", 0.0, 1.0)]));
        assert!(parse(text).unwrap().has_segments);
        let text = r#"{"words": [{"word": "你", "start": 0.0, "end": 0.4}, {"word": "好", "start": 0.4, "end": 0.6}]}"#;
        assert_eq!(read(text), expected(&[("你", 0.0, 0.4), ("+好", 0.4, 0.6)]));
    }

    #[test]
    fn whisper_cpp_has_milliseconds_and_tokens() {
        let text = r#"{"transcription": [{"offsets": {"from": 0, "to": 900}, "text": " So isn't", "tokens": [
            {"text": "[_BEG_]", "offsets": {"from": 0, "to": 0}},
            {"text": " So", "offsets": {"from": 0, "to": 400}},
            {"text": " is", "offsets": {"from": 400, "to": 600}},
            {"text": "n't", "offsets": {"from": 600, "to": 900}},
            {"text": "[_TT_45]", "offsets": {"from": 900, "to": 900}}]}]}"#;
        assert_eq!(read(text), expected(&[("So", 0.0, 0.4), ("isn't", 0.4, 0.9)]));
        let text = r#"{"transcription": [{"offsets": {"from": 0, "to": 400}, "text": " So"},
            {"offsets": {"from": 400, "to": 600}, "text": " it"}]}"#;
        assert_eq!(read(text), expected(&[("So", 0.0, 0.4), ("it", 0.4, 0.6)]));
        assert!(!parse(text).unwrap().has_segments);
    }

    #[test]
    fn sherpa_onnx_has_tokens_with_starts() {
        let text =
            r#"{"text": " so isn't", "tokens": ["▁so", "▁is", "n't"], "timestamps": [0.0, 0.5, 0.75]}"#;
        assert_eq!(read(text), expected(&[("so", 0.0, 0.5), ("isn't", 0.5, 1.75)]));
        let text = r#"{"tokens": ["你", "好"], "timestamps": [0.0, 0.5], "durations": [0.25, 0.25]}"#;
        assert_eq!(read(text), expected(&[("+你", 0.0, 0.25), ("+好", 0.5, 0.75)]));
    }

    #[test]
    fn a_list_of_words_will_do_and_one_without_times_lies_between_its_neighbours() {
        let text = r#"[{"word": " in", "start": 1.0, "end": 1.25}, {"word": " 2024"}, {"word": " we", "start": 2.0, "end": 2.25}]"#;
        assert_eq!(read(text), expected(&[("in", 1.0, 1.25), ("2024", 1.25, 2.0), ("we", 2.0, 2.25)]));
    }

    #[test]
    fn what_is_no_transcript_is_refused_by_its_place() {
        let refused = |text: &str| parse(text).unwrap_err().to_string();
        assert!(refused("hello").starts_with("words: expected the JSON of a speech recogniser, got "));
        assert!(refused("{}").starts_with("words: expected one of the members words, segments"));
        assert_eq!(
            refused(r#"{"words": [{"word": "a", "start": 2.0, "end": 1.0}]}"#),
            "words[0]: expected a start of 0 s or more and an end behind it, got 2 and 1"
        );
        assert_eq!(
            refused(r#"{"segments": [{"words": [{"start": 2.0}]}]}"#),
            "segments[0].words[0]: expected a word or a text, got none"
        );
        assert_eq!(
            refused(r#"{"tokens": ["a"], "timestamps": []}"#),
            "timestamps: expected one for each of the 1 tokens, got 0"
        );
    }
}
