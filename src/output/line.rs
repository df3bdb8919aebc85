//! Reading of line-based annotation files: fields between white space, errors that name line and
//! field.

use std::path::Path;

use crate::error::{Error, Result};
use crate::files;

/// The largest file that is read, in bytes: millions of turns.
const MAX_BYTES: u64 = 256 << 20;

/// One line with something in it.
pub(super) struct Line<'a> {
    number: usize,
    /// The fields between white space; at least one.
    pub(super) fields: Vec<&'a str>,
}

/// The lines of `text` but for blank ones and comments (`;` first). A byte order mark is passed
/// over.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().enumerate().filter_map(|(index, line)| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let first = fields.first()?;
        (!first.starts_with(';')).then_some(Line { number: index + 1, fields })
    })
}

impl<'a> Line<'a> {
    /// The field at `index`, called `name` in errors.
    pub(super) fn field(&self, index: usize, name: &str) -> Result<&'a str> {
        let nothing = || self.error(name, "a value", "the end of the line");
        self.fields.get(index).copied().ok_or_else(nothing)
    }

    /// The field at `index` as finite seconds, 0 or more.
    pub(super) fn seconds(&self, index: usize, name: &str) -> Result<f64> {
        let text = self.field(index, name)?;
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value >= 0.0);
        value.ok_or_else(|| self.error(name, "seconds, 0 or more", &quoted(text)))
    }

    /// The error for a field that is not what was `expected`.
    pub(super) fn error(&self, field: &str, expected: &str, found: &str) -> Error {
        let number = self.number;
        Error::Annotation(format!("line {number}: {field}: expected {expected}, found {found}"))
    }
}

/// What a file says, for an error: in quotes, without control characters, cut after 40 characters.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{:?}…", text.get(..end).unwrap_or_default()),
        None => format!("{text:?}"),
    }
}

/// Reads and parses `path`; the errors of `parse` get the file's name in front.
pub(super) fn read<T>(path: &Path, parse: impl Fn(&str) -> Result<T>) -> Result<T> {
    let bytes =
        files::read(path, MAX_BYTES, |reason| Error::Annotation(format!("{}: {reason}", path.display())))?;
    let parsed = match std::str::from_utf8(&bytes) {
        Ok(text) => parse(text),
        Err(error) => {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let number = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
            Err(Error::Annotation(format!("line {number}: expected UTF-8 text, found other bytes")))
        }
    };
    parsed.map_err(|error| match error {
        Error::Annotation(text) => Error::Annotation(format!("{}: {text}", path.display())),
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn refusal(path: &Path) -> Error {
        read(path, |_| Ok(())).unwrap_err()
    }

    #[test]
    fn what_is_no_regular_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let expected = format!("{}: expected a regular file, found a folder", folder.path().display());
        assert_eq!(refusal(folder.path()).to_string(), expected);
        #[cfg(unix)]
        {
            let pipe = folder.path().join("pipe.rttm");
            assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
            for (path, found) in [(pipe.as_path(), "a pipe (FIFO)"), (Path::new("/dev/zero"), "a device")] {
                let error = refusal(path);
                assert!(matches!(error, Error::Annotation(_)), "{error:?}");
                let expected = format!("{}: expected a regular file, found {found}", path.display());
                assert_eq!(error.to_string(), expected);
            }
        }
    }

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.rttm");
        File::create(&path).unwrap().set_len(MAX_BYTES + 1).unwrap();
        let error = refusal(&path);
        assert!(matches!(error, Error::Limit(_)), "{error:?}");
        let expected = format!("{}: expected at most 268435456 bytes, got 268435457", path.display());
        assert_eq!(error.to_string(), expected);
    }
}
