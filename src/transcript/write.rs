//! Transcripts with speakers: the diarized JSON of OpenAI's transcriptions, and subtitles.
//!
//! ```json
//! {
//!   "task": "transcribe",
//!   "duration": 27.4,
//!   "text": "ada: So it is.\nben: Is it?",
//!   "segments": [
//!     {"type": "transcript.text.segment", "id": "seg_001", "start": 0.0, "end": 4.7,
//!      "text": "So it is.", "speaker": "ada"}
//!   ]
//! }
//! ```

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::Passage;
use crate::error::{Error, Result};
use crate::memory::Text;
use crate::output::milliseconds;
use crate::output::timestamp::Timestamp;
use crate::output::vtt::{Cue, HEADER};
use crate::types::Diarization;

/// What stands for a speaker whom nobody knows, where a form has to name one.
pub const UNKNOWN: &str = "unknown";

/// The members of diarized JSON.
#[derive(Serialize)]
struct Diarized<'a> {
    task: &'static str,
    duration: f64,
    text: String,
    segments: Vec<DiarizedSegment<'a>>,
}

#[derive(Serialize)]
struct DiarizedSegment<'a> {
    r#type: &'static str,
    id: String,
    start: f64,
    end: f64,
    text: &'a str,
    speaker: &'a str,
}

/// The label of the speaker of `passage`.
fn label<'a>(passage: &Passage, diarization: &'a Diarization) -> Option<&'a str> {
    Some(diarization.speakers.get(passage.speaker?)?.label.as_str())
}

/// Seconds to the millisecond, as the other forms have them.
fn to_millisecond(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// The passages as the JSON that OpenAI's transcriptions have with `response_format`
/// `diarized_json`, a line break at the end.
///
/// # Errors
/// [`Error::Memory`].
pub fn diarized_json<'a>(passages: &'a [Passage], diarization: &'a Diarization) -> Result<String> {
    let mut text = Text::new("text");
    for (index, passage) in passages.iter().enumerate() {
        let gap = if index > 0 { "\n" } else { "" };
        // A failure is kept until the end.
        let _ = write!(text, "{gap}{}: {}", label(passage, diarization).unwrap_or(UNKNOWN), passage.text);
    }
    let segment = |(index, passage): (usize, &'a Passage)| DiarizedSegment {
        r#type: "transcript.text.segment",
        id: format!("seg_{:03}", index + 1),
        start: to_millisecond(passage.start_s),
        end: to_millisecond(passage.end_s),
        text: &passage.text,
        speaker: label(passage, diarization).unwrap_or(UNKNOWN),
    };
    let segments = passages.iter().enumerate().map(segment).collect();
    let duration = to_millisecond(diarization.duration_s);
    let all = Diarized { task: "transcribe", duration, text: text.finish()?, segments };
    let mut written = Text::new("text");
    let json = serde_json::to_string_pretty(&all)
        .map_err(|error| Error::Limit(format!("diarized JSON: {error}")))?;
    let _ = writeln!(written, "{json}");
    written.finish()
}

/// The passages as SubRip subtitles: cues with the speaker's label in front of the words.
///
/// # Errors
/// [`Error::Memory`].
pub fn srt(passages: &[Passage], diarization: &Diarization) -> Result<String> {
    let mut text = Text::new("text");
    for (index, passage) in passages.iter().enumerate() {
        let (start, end) = milliseconds(passage.start_s, passage.end_s);
        let speaker = label(passage, diarization).map(|label| format!("{label}: ")).unwrap_or_default();
        let line = format!("{speaker}{}", passage.text).replace(char::is_control, " ");
        let (number, start, end) = (index + 1, Timestamp(start, ','), Timestamp(end, ','));
        let _ = write!(text, "{number}\n{start} --> {end}\n{line}\n\n");
    }
    text.finish()
}

/// The passages as WebVTT subtitles, each spoken by its speaker.
///
/// # Errors
/// [`Error::Memory`].
pub fn vtt(passages: &[Passage], diarization: &Diarization) -> Result<String> {
    let mut text = Text::new("text");
    let _ = text.write_str(HEADER);
    for passage in passages {
        let voice = label(passage, diarization);
        let _ = write!(text, "{}", Cue::new(passage.start_s, passage.end_s, voice, &passage.text));
    }
    text.finish()
}

/// The words of diarized JSON, each with the label of its speaker, in the order of the segments.
///
/// # Errors
/// [`Error::Annotation`] where it is none.
pub fn read_diarized_json(text: &str) -> Result<Vec<(String, String)>> {
    #[derive(Deserialize)]
    struct Document {
        segments: Vec<Segment>,
    }
    #[derive(Deserialize)]
    struct Segment {
        text: String,
        speaker: String,
    }
    let document: Document = serde_json::from_str(text)
        .map_err(|error| Error::Annotation(format!("expected diarized JSON, got {error}")))?;
    let words = |segment: Segment| {
        let words: Vec<String> = segment.text.split_whitespace().map(str::to_owned).collect();
        words.into_iter().map(move |word| (word, segment.speaker.clone()))
    };
    Ok(document.segments.into_iter().flat_map(words).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Speaker;

    fn parts() -> (Vec<Passage>, Diarization) {
        let passage =
            |start_s, end_s, speaker, text: &str| Passage { start_s, end_s, speaker, text: text.to_owned() };
        let passages = vec![passage(0.0, 4.7004, Some(0), "So it < is."), passage(5.0, 6.0, None, "Is it?")];
        let speaker = Speaker { label: "ada".to_owned(), speech_s: 4.7, embedding: Vec::new() };
        (
            passages,
            Diarization {
                segments: Vec::new(),
                speakers: vec![speaker],
                duration_s: 27.4,
                ..Diarization::default()
            },
        )
    }

    #[test]
    fn diarized_json_has_the_shape_of_openai_and_reads_back() {
        let (passages, diarization) = parts();
        let text = diarized_json(&passages, &diarization).unwrap();
        let found: serde_json::Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!({
            "task": "transcribe",
            "duration": 27.4,
            "text": "ada: So it < is.\nunknown: Is it?",
            "segments": [
                {"type": "transcript.text.segment", "id": "seg_001", "start": 0.0, "end": 4.7,
                 "text": "So it < is.", "speaker": "ada"},
                {"type": "transcript.text.segment", "id": "seg_002", "start": 5.0, "end": 6.0,
                 "text": "Is it?", "speaker": "unknown"},
            ],
        });
        assert_eq!(found, expected);
        let words = read_diarized_json(&text).unwrap();
        assert_eq!((words.len(), words[4].clone()), (6, ("Is".to_owned(), "unknown".to_owned())));
        assert!(
            read_diarized_json("[]").unwrap_err().to_string().starts_with("expected diarized JSON, got ")
        );
    }

    #[test]
    fn subtitles_name_the_speakers() {
        let (passages, diarization) = parts();
        assert_eq!(
            srt(&passages, &diarization).unwrap(),
            "1\n00:00:00,000 --> 00:00:04,700\nada: So it < is.\n\n2\n00:00:05,000 --> 00:00:06,000\nIs it?\n\n"
        );
        assert_eq!(
            vtt(&passages, &diarization).unwrap(),
            "WEBVTT\n\n00:00:00.000 --> 00:00:04.700\n<v ada>So it &lt; is.</v>\n\n\
             00:00:05.000 --> 00:00:06.000\nIs it?\n\n"
        );
    }
}
