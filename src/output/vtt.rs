//! WebVTT subtitles: a cue for each segment, spoken by the speaker, whose label is its text too.
//!
//! ```text
//! WEBVTT
//!
//! 00:00:01.440 --> 00:00:13.312
//! <v SPEAKER_00>SPEAKER_00</v>
//! ```

use std::fmt::{self, Display, Formatter, Write};

use super::milliseconds;
use super::timestamp::Timestamp;
use crate::error::Result;
use crate::memory::Text;
use crate::types::Diarization;

/// The first lines of a file.
pub const HEADER: &str = "WEBVTT\n\n";

/// The diarization as WebVTT text. Cues stand in the order of the segments; those of speakers who
/// talk at once overlap in time. Hours have two digits or more. No cue is shorter than a
/// millisecond. Control characters in labels become spaces.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn write(diarization: &Diarization) -> Result<String> {
    let mut text = Text::new("text");
    // A failure is kept until the end.
    let _ = text.write_str(HEADER);
    for (segment, label) in diarization.labelled() {
        let _ =
            text.write_fmt(format_args!("{}", Cue::new(segment.start_s, segment.end_s, Some(label), label)));
    }
    text.finish()
}

/// A cue with the blank line behind it.
pub(crate) struct Cue<'a> {
    times: (u64, u64),
    voice: Option<&'a str>,
    text: &'a str,
}

impl<'a> Cue<'a> {
    /// What `voice`, if it is known, says from `start_s` to `end_s`.
    pub(crate) fn new(start_s: f64, end_s: f64, voice: Option<&'a str>, text: &'a str) -> Self {
        Self { times: milliseconds(start_s, end_s), voice, text }
    }
}

impl Display for Cue<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let [start, end] = [self.times.0, self.times.1].map(|time| Timestamp(time, '.'));
        let text = Escaped(self.text);
        match self.voice {
            Some(voice) => writeln!(f, "{start} --> {end}\n<v {}>{text}</v>\n", Escaped(voice)),
            None => writeln!(f, "{start} --> {end}\n{text}\n"),
        }
    }
}

/// Text as a cue may hold it: without tags, and in one line, as a blank one would end the cue.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for character in self.0.chars() {
            match character {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                control if control.is_control() => f.write_char(' ')?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Segment, Speaker};

    #[test]
    fn cues_have_voices_and_no_tags_of_names() {
        let segment =
            |start_s, end_s, speaker| Segment { start_s, end_s, speaker, confidence: 1.0, overlap: false };
        let speaker = |label: &str| Speaker { label: label.into(), speech_s: 0.0, embedding: vec![] };
        let diarization = Diarization {
            segments: vec![segment(1.44, 13.3124, 0), segment(3725.9996, 360_000.0, 1)],
            speakers: vec![speaker("SPEAKER_00"), speaker("A & <b>\n--> c")],
            duration_s: 360_000.0,
            ..Diarization::default()
        };
        assert_eq!(
            write(&diarization).unwrap(),
            "WEBVTT\n\n00:00:01.440 --> 00:00:13.312\n<v SPEAKER_00>SPEAKER_00</v>\n\n\
             01:02:06.000 --> 100:00:00.000\n\
             <v A &amp; &lt;b&gt; --&gt; c>A &amp; &lt;b&gt; --&gt; c</v>\n\n"
        );
        assert_eq!(write(&Diarization::default()).unwrap(), HEADER);
    }
}
