//! checksum.sha256: the digest of every file of a version, in the form of the tool `sha256sum`. Its
//! own digest names the version's contents.

use std::collections::BTreeMap;

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::layout::{CHECKSUMS, CHECKSUMS_SIGNATURE, METADATA, limits};

/// The files of a version and their digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksums(BTreeMap<String, Digest>);

/// Whether a file of a version may be called so: one component, of letters, digits, `-`, `_` and
/// `.`, with no `.` in front.
pub(crate) fn is_file_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    !name.is_empty()
        && name.len() <= 128
        && !name.starts_with(['.', '-'])
        && name.bytes().all(allowed)
        && ![CHECKSUMS, CHECKSUMS_SIGNATURE].contains(&name)
}

impl Checksums {
    /// Of these files, among which metadata.json has to be.
    ///
    /// # Errors
    /// [`Error::Untrusted`], which calls the list `place`, for a name that is none, for too many
    /// and for none.
    pub(crate) fn new(files: BTreeMap<String, Digest>, place: &str) -> Result<Self> {
        if let Some(name) = files.keys().find(|name| !is_file_name(name)) {
            let expected = "names of letters, digits, '-', '_' and '.', without folders";
            return Err(Error::untrusted(place, expected, format!("{name:?}")));
        }
        if files.len() > limits::FILES {
            return Err(Error::Limit { place: place.to_owned(), limit: limits::FILES as u64, unit: "files" });
        }
        if !files.contains_key(METADATA) {
            return Err(Error::untrusted(place, format!("{METADATA} among the files"), "none"));
        }
        Ok(Self(files))
    }

    /// Reads a checksum.sha256, which messages call `place`.
    ///
    /// # Errors
    /// As for [`Checksums::new`]; for lines of another form, and for a file that is listed twice.
    pub(crate) fn parse(text: &[u8], place: &str) -> Result<Self> {
        let mut files = BTreeMap::new();
        let text =
            std::str::from_utf8(text).map_err(|error| Error::untrusted(place, "UTF-8", error.to_string()))?;
        for line in text.lines() {
            let wrong = || Error::untrusted(place, "lines of `<sha256>  <file>`", format!("{line:?}"));
            // Text and binary mode, which are the same everywhere but on Windows.
            let (digest, name) = line.split_once("  ").or_else(|| line.split_once(" *")).ok_or_else(wrong)?;
            let digest = digest.parse().map_err(|_| wrong())?;
            if files.insert(name.to_owned(), digest).is_some() {
                return Err(Error::untrusted(place, "each file once", format!("{name:?} twice")));
            }
        }
        Self::new(files, place)
    }

    /// The file.
    pub fn text(&self) -> String {
        self.0.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect()
    }

    /// The files, sorted by name.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Digest)> {
        self.0.iter().map(|(name, digest)| (name.as_str(), digest))
    }

    /// The digest of a file.
    pub fn of(&self, file: &str) -> Option<&Digest> {
        self.0.get(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_reads_back_and_paths_are_refused() {
        let digest = Digest::of(b"x");
        let good = format!("{digest}  metadata.json\n{digest}  model.onnx\n");
        assert_eq!(Checksums::parse(good.as_bytes(), "x").unwrap().text(), good);
        let names = [
            "../model.onnx",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "..",
            ".",
            ".hidden",
            "",
            "-rf",
            "a b",
            "a\0",
            "checksum.sha256",
            "checksum.sha256.minisig",
            "é",
        ];
        for name in names {
            let text = format!("{good}{digest}  {name}\n");
            let error = Checksums::parse(text.as_bytes(), "place").unwrap_err().to_string();
            assert!(error.starts_with("place: not trusted: expected"), "{name:?}: {error}");
        }
        let text = format!("{good}{digest}  model.onnx\n");
        assert!(Checksums::parse(text.as_bytes(), "x").unwrap_err().to_string().contains("twice"));
        assert!(Checksums::parse(format!("{digest}  a\n").as_bytes(), "x").is_err());
        assert!(Checksums::parse(b"0123  metadata.json\n", "x").is_err());
        let many: String = (0..65).map(|i| format!("{digest}  f{i}\n")).collect();
        assert!(
            Checksums::parse((good + &many).as_bytes(), "x").unwrap_err().to_string().contains("64 files")
        );
    }
}
