//! SubRip subtitles: a cue for each segment, its text the speaker's label.
//!
//! ```text
//! 1
//! 00:00:01,440 --> 00:00:13,312
//! SPEAKER_00
//! ```

use std::fmt::Write;

use super::milliseconds;
use super::timestamp::Timestamp;
use crate::error::Result;
use crate::memory::Text;
use crate::types::Diarization;

/// The diarization as SubRip text. Cues are numbered from 1 in the order of the segments; those of
/// speakers who talk at once overlap in time, which players show together. Hours have two digits or
/// more. No cue is shorter than a millisecond. Control characters in labels become spaces.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn write(diarization: &Diarization) -> Result<String> {
    let mut text = Text::new("text");
    for (index, (segment, label)) in diarization.labelled().enumerate() {
        let (start, end) = milliseconds(segment.start_s, segment.end_s);
        let (number, start, end) = (index + 1, Timestamp(start, ','), Timestamp(end, ','));
        let label = label.replace(char::is_control, " ");
        // A failure is kept until the end.
        let _ = write!(text, "{number}\n{start} --> {end}\n{label}\n\n");
    }
    text.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Segment, Speaker};

    #[test]
    fn cues_are_numbered_and_end_with_a_blank_line() {
        let segment =
            |start_s, end_s, speaker| Segment { start_s, end_s, speaker, confidence: 1.0, overlap: false };
        let speaker = |label: &str| Speaker { label: label.into(), speech_s: 0.0, embedding: vec![] };
        let diarization = Diarization {
            segments: vec![segment(1.44, 13.3124, 0), segment(3725.9996, 360_000.0, 1)],
            speakers: vec![speaker("SPEAKER_00"), speaker("two\nlines")],
            duration_s: 360_000.0,
            ..Diarization::default()
        };
        assert_eq!(
            write(&diarization).unwrap(),
            "1\n00:00:01,440 --> 00:00:13,312\nSPEAKER_00\n\n\
             2\n01:02:06,000 --> 100:00:00,000\ntwo lines\n\n"
        );
    }
}
