//! The library's own JSON, version 1. Within a version, members are only ever added.
//!
//! ```json
//! {
//!   "format": "voiceflow.diarization",
//!   "version": 1,
//!   "recording": "meeting",
//!   "duration_s": 30.0,
//!   "speakers": [
//!     {"label": "SPEAKER_00", "speech_s": 11.9, "embedding": [0.01, -0.2]}
//!   ],
//!   "segments": [
//!     {"start_s": 1.44, "end_s": 13.34, "speaker": "SPEAKER_00", "confidence": 0.97, "overlap": false}
//!   ]
//! }
//! ```
//!
//! Times are seconds from the beginning of the recording; `confidence` is 0 to 1; `embedding` is of unit
//! length. Speakers stand in the order of first appearance, segments by start, end and speaker. Numbers have
//! the fewest digits that read back as the same value; one that is not finite is `null`.

use std::fmt::Debug;

use serde_json::Value;

use crate::types::{Diarization, Segment, Speaker};

/// The diarization as JSON: the same text for the same input, a line for each speaker and segment, a line
/// break at the end.
pub fn write(diarization: &Diarization, recording: &str) -> String {
    let speakers = diarization.speakers.iter().map(speaker);
    let labelled = |segment: &Segment| Some((*segment, diarization.speakers.get(segment.speaker)?));
    let segments =
        diarization.segments.iter().filter_map(labelled).map(|(item, speaker)| segment(&item, speaker));
    format!(
        "{{\n  \"format\": \"voiceflow.diarization\",\n  \"version\": 1,\n  \"recording\": {},\n  \
         \"duration_s\": {},\n  \"speakers\": {},\n  \"segments\": {}\n}}\n",
        string(recording),
        number(diarization.duration_s),
        list(speakers),
        list(segments)
    )
}

fn speaker(speaker: &Speaker) -> String {
    let embedding: Vec<String> = speaker.embedding.iter().copied().map(number).collect();
    format!(
        "{{\"label\": {}, \"speech_s\": {}, \"embedding\": [{}]}}",
        string(&speaker.label),
        number(speaker.speech_s),
        embedding.join(", ")
    )
}

fn segment(segment: &Segment, speaker: &Speaker) -> String {
    format!(
        "{{\"start_s\": {}, \"end_s\": {}, \"speaker\": {}, \"confidence\": {}, \"overlap\": {}}}",
        number(segment.start_s),
        number(segment.end_s),
        string(&speaker.label),
        number(segment.confidence),
        segment.overlap
    )
}

/// An array with an item on each line.
fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.map(|item| format!("    {item}")).collect();
    if items.is_empty() { "[]".to_owned() } else { format!("[\n{}\n  ]", items.join(",\n")) }
}

/// A quoted string with what must be escaped.
fn string(text: &str) -> String {
    Value::from(text).to_string()
}

/// A float in its own precision: as a `serde_json::Value`, an f32 would be widened and 0.9 be 0.8999999761581421.
fn number<T: Debug + Into<f64> + Copy>(value: T) -> String {
    // Rust's debug form of a finite float is a JSON number: "1.0", "1e-7".
    if value.into().is_finite() { format!("{value:?}") } else { "null".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_stable() {
        let diarization = Diarization {
            segments: vec![
                Segment { start_s: 0.1, end_s: 0.3, speaker: 0, confidence: 0.9, overlap: false },
                Segment { start_s: 1e-7, end_s: 2.0, speaker: 7, confidence: 1.0, overlap: false },
            ],
            speakers: vec![Speaker {
                label: "a \"b\"\n".into(),
                speech_s: 0.2,
                embedding: vec![0.1, f32::NAN],
            }],
            duration_s: 30.0,
        };
        let text = write(&diarization, "Zoé");
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
    {"start_s": 0.1, "end_s": 0.3, "speaker": "a \"b\"\n", "confidence": 0.9, "overlap": false}
  ]
}
"#
        );
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["segments"][0]["end_s"], 0.3);
    }

    #[test]
    fn a_recording_without_speech() {
        let text = write(&Diarization { duration_s: 1e-7, ..Diarization::default() }, "");
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["speakers"], serde_json::json!([]));
        assert_eq!(value["duration_s"], 1e-7);
    }
}
