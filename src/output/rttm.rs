//! RTTM, the annotation format of NIST's Rich Transcription evaluations ("The 2009 Rich
//! Transcription Evaluation Plan", appendix A): one line for each turn.
//!
//! ```text
//! SPEAKER <recording> 1 <start> <duration> <NA> <NA> <speaker> <NA> <NA>
//! ```

use std::fmt::{self, Display, Formatter, Write};
use std::path::Path;

use super::line::{Line, lines, quoted, read as read_file};
use super::milliseconds;
use crate::error::Result;
use crate::memory::Text;
use crate::types::{Annotations, Diarization, Turn};

/// Record types of the format beside `SPEAKER`, which say nothing about turns.
const OTHER_TYPES: [&str; 13] = [
    "SEGMENT",
    "NOSCORE",
    "NO_RT_METADATA",
    "LEXEME",
    "NON-LEX",
    "NON-SPEECH",
    "FILLER",
    "EDIT",
    "IP",
    "SU",
    "CB",
    "A/P",
    "SPKR-INFO",
];

/// The diarization as RTTM, a line for each segment in their order, times with three decimals.
///
/// Fields cannot hold white space: in `recording` and in labels it is replaced by `_`, as are
/// control characters; an empty name is written `<NA>`. No line has a duration of 0: a segment
/// shorter than half a millisecond is written with one millisecond.
///
/// # Errors
/// [`Error::Memory`](crate::Error::Memory).
pub fn write(diarization: &Diarization, recording: &str) -> Result<String> {
    let mut text = Text::new("text");
    for (segment, label) in diarization.labelled() {
        // A failure is kept until the end.
        let _ =
            write!(text, "{}", Record { recording, start_s: segment.start_s, end_s: segment.end_s, label });
    }
    text.finish()
}

/// One turn as a line of RTTM, its end included; see [`write()`].
pub fn line(recording: &str, turn: &Turn) -> String {
    let Turn { start_s, end_s, speaker } = turn;
    Record { recording, start_s: *start_s, end_s: *end_s, label: speaker }.to_string()
}

/// A line, its end included.
struct Record<'a> {
    recording: &'a str,
    start_s: f64,
    end_s: f64,
    label: &'a str,
}

impl Display for Record<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (start, end) = milliseconds(self.start_s, self.end_s);
        let (start, duration) = (Decimal(start), Decimal(end - start));
        let (recording, speaker) = (Field(self.recording), Field(self.label));
        writeln!(f, "SPEAKER {recording} 1 {start} {duration} <NA> <NA> {speaker} <NA> <NA>")
    }
}

/// Milliseconds as seconds with three decimals, without rounding.
struct Decimal(u64);

impl Display for Decimal {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// A name as one field of a line.
struct Field<'a>(&'a str);

impl Display for Field<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("<NA>");
        }
        let allowed = |c: char| if c.is_whitespace() || c.is_control() { '_' } else { c };
        self.0.chars().try_for_each(|c| f.write_char(allowed(c)))
    }
}

/// The turns of every recording in `text`, in the order of the lines.
///
/// Blank lines, comments (`;`) and record types other than `SPEAKER` are passed over; fields after
/// the speaker may be absent. The channel is not looked at. A recording without `SPEAKER` lines is
/// absent from the result.
///
/// # Errors
/// [`Error::Annotation`](crate::Error::Annotation) with line, field, expected and found: for an
/// unknown record type (the file is no RTTM), an absent field, or a start or duration that is no
/// number, not finite or negative.
pub fn parse(text: &str) -> Result<Annotations> {
    let mut annotations = Annotations::new();
    for line in lines(text) {
        if let Some((recording, turn)) = parse_line(&line)? {
            annotations.entry(recording.to_owned()).or_default().push(turn);
        }
    }
    Ok(annotations)
}

/// The recording and the turn of a line; nothing where it holds no turn.
fn parse_line<'a>(line: &Line<'a>) -> Result<Option<(&'a str, Turn)>> {
    let kind = line.field(0, "type")?;
    if kind != "SPEAKER" {
        return if OTHER_TYPES.contains(&kind) {
            Ok(None)
        } else {
            Err(line.error("type", "an RTTM record such as SPEAKER", &quoted(kind)))
        };
    }
    let recording = line.field(1, "recording")?;
    let start_s = line.seconds(3, "start")?;
    let end_s = start_s + line.seconds(4, "duration")?;
    let speaker = line.field(7, "speaker")?.to_owned();
    Ok(Some((recording, Turn { start_s, end_s, speaker })))
}

/// Reads the RTTM file at `path`: see [`parse`].
///
/// # Errors
/// Those of [`parse`], with the file's name; [`Error::NotFound`](crate::Error::NotFound) or
/// [`Error::Io`](crate::Error::Io) where it cannot be read;
/// [`Error::Annotation`](crate::Error::Annotation) where it is no regular file;
/// [`Error::Limit`](crate::Error::Limit) above 256 MiB.
pub fn read(path: impl AsRef<Path>) -> Result<Annotations> {
    let path = path.as_ref();
    read_file(path, parse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Segment, Speaker};

    fn diarization(spans: &[(f64, f64)]) -> Diarization {
        let segment =
            |&(start_s, end_s)| Segment { start_s, end_s, speaker: 0, confidence: 1.0, overlap: false };
        let speaker = Speaker { label: "SPEAKER_00".into(), speech_s: 0.0, embedding: vec![] };
        Diarization {
            segments: spans.iter().map(segment).collect(),
            speakers: vec![speaker],
            duration_s: 100.0,
            ..Diarization::default()
        }
    }

    #[test]
    fn lines_have_three_decimals_and_some_length() {
        let text =
            write(&diarization(&[(0.0, 1.0006), (1.0006, 2.0), (7.00001, 7.00002)]), "a\tb c").unwrap();
        assert_eq!(
            text,
            "SPEAKER a_b_c 1 0.000 1.001 <NA> <NA> SPEAKER_00 <NA> <NA>\n\
             SPEAKER a_b_c 1 1.001 0.999 <NA> <NA> SPEAKER_00 <NA> <NA>\n\
             SPEAKER a_b_c 1 7.000 0.001 <NA> <NA> SPEAKER_00 <NA> <NA>\n"
        );
    }

    #[test]
    fn what_is_written_is_read_back() {
        let turns = parse(&write(&diarization(&[(0.25, 1.5), (2.0, 4.0)]), "").unwrap()).unwrap();
        let expected = diarization(&[(0.25, 1.5), (2.0, 4.0)]).turns();
        assert_eq!(turns.get("<NA>"), Some(&expected));
    }

    #[test]
    fn other_records_and_comments_are_passed_over() {
        let text = "\u{feff};; by hand\r\nSPKR-INFO a 1 <NA> <NA> <NA> unknown x <NA> <NA>\r\n\r\n\
                    SPEAKER a 1 1 2.5 <NA> <NA> Zoé\r\n LEXEME a 1 0 1 hello lex x\n";
        let turns = parse(text).unwrap();
        assert_eq!(turns["a"], [Turn { start_s: 1.0, end_s: 3.5, speaker: "Zoé".into() }]);
        assert!(parse("").unwrap().is_empty());
    }

    #[test]
    fn errors_name_line_field_expected_and_found() {
        let message = |line: &str| parse(&format!(";;\n{line}\n")).unwrap_err().to_string();
        let at = |start: &str, duration: &str| {
            message(&format!("SPEAKER a 1 {start} {duration} <NA> <NA> b <NA> <NA>"))
        };
        assert_eq!(at("abc", "1"), "line 2: start: expected seconds, 0 or more, found \"abc\"");
        assert_eq!(at("NaN", "1"), "line 2: start: expected seconds, 0 or more, found \"NaN\"");
        assert_eq!(at("-0.5", "1"), "line 2: start: expected seconds, 0 or more, found \"-0.5\"");
        assert_eq!(at("1", "-2"), "line 2: duration: expected seconds, 0 or more, found \"-2\"");
        assert_eq!(at("1", "inf"), "line 2: duration: expected seconds, 0 or more, found \"inf\"");
        assert_eq!(
            message("SPEAKER a 1 0 1 <NA> <NA>"),
            "line 2: speaker: expected a value, found the end of the line"
        );
        assert_eq!(
            message("{\"format\": 1}"),
            "line 2: type: expected an RTTM record such as SPEAKER, found \"{\\\"format\\\":\""
        );
        let long = message(&"é".repeat(200));
        assert!(long.ends_with("é\"…") && long.chars().count() < 110, "{long}");
    }

    #[test]
    fn files_are_named_in_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.rttm");
        std::fs::write(&path, b"SPEAKER a 1 0 1 <NA> <NA> b\n\xff\n").unwrap();
        let expected = format!("{}: line 2: expected UTF-8 text, found other bytes", path.display());
        assert_eq!(read(&path).unwrap_err().to_string(), expected);
        let missing = read(folder.path().join("none.rttm")).unwrap_err();
        assert!(matches!(missing, crate::Error::NotFound(_)), "{missing}");
    }
}
