//! UEM, NIST's evaluation map: the stretches of each recording that are scored, one on a line.
//!
//! ```text
//! <recording> <channel> <start> <end>
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use super::line::{lines, read as read_file};
use crate::error::Result;

/// Stretches to evaluate, (start, end) in seconds, by recording.
pub type EvaluationMap = BTreeMap<String, Vec<(f64, f64)>>;

/// The stretches of every recording in `text`. Blank lines and comments (`;`) are passed over; the
/// channel is not looked at.
///
/// # Errors
/// [`Error::Annotation`](crate::Error::Annotation) with line, field, expected and found: for an
/// absent field, a time that is no number, not finite or negative, or an end before the start.
pub fn parse(text: &str) -> Result<EvaluationMap> {
    let mut map = EvaluationMap::new();
    for line in lines(text) {
        let recording = line.field(0, "recording")?;
        let start = line.seconds(2, "start")?;
        let end = line.seconds(3, "end")?;
        if end < start {
            return Err(line.error("end", &format!("a time from the start {start} on"), &end.to_string()));
        }
        map.entry(recording.to_owned()).or_default().push((start, end));
    }
    Ok(map)
}

/// Reads the UEM file at `path`: see [`parse`].
///
/// # Errors
/// Those of [`parse`], with the file's name; [`Error::NotFound`](crate::Error::NotFound) or
/// [`Error::Io`](crate::Error::Io) where it cannot be read;
/// [`Error::Annotation`](crate::Error::Annotation) where it is no regular file;
/// [`Error::Limit`](crate::Error::Limit) above 256 MiB.
pub fn read(path: impl AsRef<Path>) -> Result<EvaluationMap> {
    let path = path.as_ref();
    read_file(path, parse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_are_kept_by_recording() {
        let map = parse(";; map\na 1 0 10.5\nb NA 1 2\na 1 20 30\n").unwrap();
        assert_eq!(map["a"], [(0.0, 10.5), (20.0, 30.0)]);
        assert_eq!(map["b"], [(1.0, 2.0)]);
    }

    #[test]
    fn errors_name_line_field_expected_and_found() {
        let message = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(message("a 1 5 4"), "line 1: end: expected a time from the start 5 on, found 4");
        assert_eq!(message("a 1 x 4"), "line 1: start: expected seconds, 0 or more, found \"x\"");
        assert_eq!(message("a 1 0"), "line 1: end: expected a value, found the end of the line");
    }
}
