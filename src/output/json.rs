//! The library's own JSON, version 1. Within a version, members are only ever added.
//!
//! ```json
//! {
//!   "format": "voiceflow.diarization",
//!   "version": 1,
//!   "recording": "meeting",
//!   "duration_s": 30.0,
//!   "speakers": [
//!     {"label": "SPEAKER_00", "speech_s": 11.9}
//!   ],
//!   "segments": [
//!     {"start_s": 1.44, "end_s": 13.34, "speaker": "SPEAKER_00", "confidence": 0.97, "overlap": false}
//!   ]
//! }
//! ```
//!
//! Times are seconds from the beginning of the recording, to the millisecond, as RTTM has them;
//! `confidence` is 0 to 1, with four decimals. Speakers stand in the order of first appearance,
//! segments by start, end and speaker. A number that is not finite is `null`.
//!
//! What was skipped or missing in the recording stands in `"warnings"`, which is absent where
//! nothing was: `{"code": "skipped_bytes", "time_s": 0, "text": "…"}`, with the codes
//! `skipped_bytes`, `lost_audio` and `ends_early`.
//!
//! A speaker's `"embedding": [0.01, -0.2]`, of unit length, is written only where it is asked for:
//! a voice can be identified by it, so that it is biometric data. Its numbers have the fewest
//! digits that read back as the same value.

use std::fmt::{self, Debug, Display, Formatter, Write};

use super::milliseconds;
use crate::error::Result;
use crate::memory::Text;
use crate::types::{Diarization, Segment, Speaker, Warning};

/// How the JSON is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonOptions {
    /// Whether speakers have their voice embeddings, which are biometric data.
    pub embeddings: bool,
    /// Whether all of it stands in one line, as in JSON Lines; else each speaker and segment has a
    /// line.
    pub one_line: bool,
}

/// The diarization as JSON: the same text for the same input, a line break at the end.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn write(diarization: &Diarization, recording: &str, options: JsonOptions) -> Result<String> {
    let text = lines(diarization, recording, options.embeddings)?;
    if options.one_line { joined(&text) } else { Ok(text) }
}

/// The lines of `text` as one: names have their line breaks escaped, so that each break stands
/// between two tokens.
fn joined(text: &str) -> Result<String> {
    let mut line = Text::new("text");
    for (index, part) in text.lines().map(str::trim_start).enumerate() {
        let gap = if index == 0 { "" } else { " " };
        let _ = write!(line, "{gap}{part}");
    }
    let _ = line.write_str("\n");
    line.finish()
}

fn lines(diarization: &Diarization, recording: &str, embeddings: bool) -> Result<String> {
    let mut text = Text::new("text");
    let labelled = diarization.labelled().map(|(segment, label)| SegmentLine(segment, label));
    // A failure is kept until the end.
    let _ = write!(
        text,
        "{{\n  \"format\": \"voiceflow.diarization\",\n  \"version\": 1,\n  \"recording\": {},\n  \
         \"duration_s\": {},\n  \"speakers\": ",
        Quoted(recording),
        Number(to_millisecond(diarization.duration_s))
    );
    let _ = list(&mut text, diarization.speakers.iter().map(|speaker| SpeakerLine(speaker, embeddings)));
    let _ = text.write_str(",\n  \"segments\": ");
    let _ = list(&mut text, labelled);
    if !diarization.warnings.is_empty() {
        let _ = text.write_str(",\n  \"warnings\": ");
        let _ = list(&mut text, diarization.warnings.iter().map(WarningLine));
    }
    let _ = text.write_str("\n}\n");
    text.finish()
}

/// A time in seconds, rounded.
fn to_millisecond(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// A speaker, and whether its embedding is written.
struct SpeakerLine<'a>(&'a Speaker, bool);

impl Display for SpeakerLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Speaker { label, speech_s, embedding } = self.0;
        let (label, speech_s) = (Quoted(label), Number(to_millisecond(*speech_s)));
        write!(f, "{{\"label\": {label}, \"speech_s\": {speech_s}")?;
        if self.1 {
            write!(f, ", \"embedding\": {}", Numbers(embedding))?;
        }
        f.write_char('}')
    }
}

/// A segment with the label of its speaker.
struct SegmentLine<'a>(&'a Segment, &'a str);

impl Display for SegmentLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Segment { start_s, end_s, confidence, overlap, .. } = *self.0;
        let (start_ms, end_ms) = milliseconds(start_s, end_s);
        write!(
            f,
            "{{\"start_s\": {}, \"end_s\": {}, \"speaker\": {}, \"confidence\": {}, \"overlap\": {overlap}}}",
            Number(start_ms as f64 / 1e3),
            Number(end_ms as f64 / 1e3),
            Quoted(self.1),
            Number((confidence * 1e4).round() / 1e4),
        )
    }
}

/// A warning.
struct WarningLine<'a>(&'a Warning);

impl Display for WarningLine<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Warning { code, time_s, text } = self.0;
        let (code, text) = (Quoted(code.name()), Quoted(text));
        write!(f, "{{\"code\": {code}, \"time_s\": {}, \"text\": {text}}}", Number(to_millisecond(*time_s)))
    }
}

/// An array with an item on each line.
pub(crate) fn list(out: &mut impl Write, items: impl Iterator<Item = impl Display>) -> fmt::Result {
    let mut before = "[\n";
    for item in items {
        write!(out, "{before}    {item}")?;
        before = ",\n";
    }
    out.write_str(if before == ",\n" { "\n  ]" } else { "[]" })
}

/// A text in quotes, with what must be escaped.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                '\u{8}' => f.write_str("\\b")?,
                '\u{c}' => f.write_str("\\f")?,
                control if control < ' ' => write!(f, "\\u{:04x}", u32::from(control))?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

/// Numbers side by side in an array.
pub(crate) struct Numbers<'a>(pub(crate) &'a [f32]);

impl Display for Numbers<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char('[')?;
        for (index, &value) in self.0.iter().enumerate() {
            let before = if index == 0 { "" } else { ", " };
            write!(f, "{before}{}", Number(value))?;
        }
        f.write_char(']')
    }
}

/// A float in its own precision: as a `serde_json::Value`, an f32 would be widened and 0.9 be
/// 0.8999999761581421.
struct Number<T>(T);

impl<T: Debug + Into<f64> + Copy> Display for Number<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // Rust's debug form of a finite float is a JSON number: "1.0", "1e-7".
        if self.0.into().is_finite() { write!(f, "{:?}", self.0) } else { f.write_str("null") }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::types::WarningCode;

    #[test]
    fn quoted_text_is_what_serde_makes_of_it() {
        let all: String = (0..0x300).filter_map(char::from_u32).chain("\u{2028}\u{1f600}".chars()).collect();
        assert_eq!(Quoted(&all).to_string(), Value::from(all.as_str()).to_string());
    }

    #[test]
    fn warnings_stand_behind_the_segments() {
        let warning = Warning { code: WarningCode::LostAudio, time_s: 1.250_4, text: "a \"gap\"".into() };
        let diarization = Diarization { warnings: vec![warning], ..Diarization::default() };
        let text = write(&diarization, "a", JsonOptions::default()).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        let expected = serde_json::json!([{"code": "lost_audio", "time_s": 1.25, "text": "a \"gap\""}]);
        assert_eq!(value["warnings"], expected);
        let none = write(&Diarization::default(), "a", JsonOptions::default()).unwrap();
        assert!(!none.contains("warnings"));
    }

    #[test]
    fn the_text_is_stable() {
        let diarization = Diarization {
            segments: vec![
                Segment { start_s: 0.1, end_s: 0.3, speaker: 0, confidence: 0.9, overlap: false },
                Segment { start_s: 0.52 + 0.1, end_s: 1.5, speaker: 0, confidence: 0.123_46, overlap: true },
                Segment { start_s: 1e-7, end_s: 2.0, speaker: 7, confidence: 1.0, overlap: false },
            ],
            speakers: vec![Speaker {
                label: "a \"b\"\n".into(),
                speech_s: 0.2,
                embedding: vec![0.1, f32::NAN],
            }],
            duration_s: 30.0,
            ..Diarization::default()
        };
        let with_embeddings = JsonOptions { embeddings: true, ..JsonOptions::default() };
        let text = write(&diarization, "Zoé", with_embeddings).unwrap();
        assert_eq!(
            text,
            r#"{
  "format": "voiceflow.diarization",
  "version": 1,
  "recording": "Zoé",
  "duration_s": 30.0,
  "speakers": [
    {"label": "a \"b\"\n", "speech_s": 0.2, "embedding": [0.1, null]}
  ],
  "segments": [
    {"start_s": 0.1, "end_s": 0.3, "speaker": "a \"b\"\n", "confidence": 0.9, "overlap": false},
    {"start_s": 0.62, "end_s": 1.5, "speaker": "a \"b\"\n", "confidence": 0.1235, "overlap": true}
  ]
}
"#
        );
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["segments"][0]["end_s"], 0.3);

        let plain = write(&diarization, "Zoé", JsonOptions::default()).unwrap();
        assert_eq!(plain, text.replace(", \"embedding\": [0.1, null]", ""));
        let line = write(&diarization, "Zoé", JsonOptions { embeddings: true, one_line: true }).unwrap();
        assert_eq!(line.find('\n'), Some(line.len() - 1));
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
    }

    #[test]
    fn a_recording_without_speech() {
        let nothing = Diarization { duration_s: 0.0317, ..Diarization::default() };
        let text = write(&nothing, "", JsonOptions::default()).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["speakers"], serde_json::json!([]));
        assert_eq!(value["duration_s"], 0.032);
    }
}
