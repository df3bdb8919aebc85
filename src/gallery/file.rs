//! The file of a gallery: JSON, version 1. Within a version, members are only ever added.
//!
//! ```json
//! {
//!   "format": "voiceflow-gallery",
//!   "version": 1,
//!   "model": {"name": "fast-cnn", "version": "1.0.0", "sha256": "0a1b…",
//!             "voice_space": "fast-cnn-1", "threshold": 0.5625},
//!   "dimension": 2,
//!   "voices": [
//!     {"name": "ada", "speech_s": 17.5, "recordings": 2, "agreement": 0.93, "embedding": [0.6, -0.8]}
//!   ]
//! }
//! ```
//!
//! [`Enrolled`] says what the members of a voice are. Numbers have the fewest digits that read back
//! as the same value. Nothing of what a file says is believed unchecked.

use std::collections::HashSet;
use std::fmt::{self, Display, Formatter, Write};
use std::path::Path;

use serde::Deserialize;

use super::{Enrolled, Fingerprint, Gallery, MAX_VOICES, norm, roster};
use crate::error::{Error, Result};
use crate::files;
use crate::memory::{self, Text};
use crate::model::USUAL_IDENTITY_THRESHOLD;
use crate::output::json::{Numbers, Quoted, list};

const FORMAT: &str = "voiceflow-gallery";
const VERSION: u64 = 1;

/// The largest file, in bytes: [`MAX_VOICES`] of 128 values, and some.
const MAX_BYTES: u64 = 256 << 20;

/// How far the length of a voice may be from 1.
const UNIT_TOLERANCE: f64 = 1e-3;

/// What every version begins with.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u64,
}

#[derive(Deserialize)]
struct Body {
    model: Model,
    dimension: usize,
    #[serde(deserialize_with = "memory::deserialize")]
    voices: Vec<Entry>,
}

#[derive(Deserialize)]
struct Model {
    name: String,
    version: String,
    sha256: String,
    #[serde(default)]
    voice_space: String,
    #[serde(default = "usual_threshold")]
    threshold: f32,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    speech_s: f64,
    recordings: u32,
    agreement: f64,
    #[serde(deserialize_with = "memory::deserialize")]
    embedding: Vec<f32>,
}

/// That of a file which does not say.
fn usual_threshold() -> f32 {
    USUAL_IDENTITY_THRESHOLD
}

/// Reads and checks `path`; errors name it.
pub(super) fn read(path: &Path) -> Result<Gallery> {
    let bytes =
        files::read(path, MAX_BYTES, |reason| Error::Gallery(format!("{}: {reason}", path.display())))?;
    parse(&bytes).map_err(|error| match error {
        Error::Gallery(text) => Error::Gallery(format!("{}: {text}", path.display())),
        Error::Limit(text) => Error::Limit(format!("{}: {text}", path.display())),
        other => other,
    })
}

/// Writes the text of a gallery whole or not at all.
pub(super) fn write(text: &str, path: &Path) -> Result<()> {
    if text.len() as u64 > MAX_BYTES {
        let (path, size) = (path.display(), text.len());
        return Err(Error::Limit(format!("{path}: expected at most {MAX_BYTES} bytes, got {size}")));
    }
    files::write_private(path, text)
}

/// The gallery as JSON: the same text for the same gallery, a line for each voice.
///
/// # Errors
/// [`Error::Memory`].
pub(super) fn render(gallery: &Gallery) -> Result<String> {
    let Fingerprint { name, version, sha256, voice_space, dimension } = &gallery.model;
    let (name, version) = (Quoted(name), Quoted(version));
    let (sha256, voice_space) = (Quoted(sha256), Quoted(voice_space));
    let threshold = gallery.threshold;
    let mut text = Text::new("gallery");
    // A failure is kept until the end.
    let _ = write!(
        text,
        "{{\n  \"format\": \"{FORMAT}\",\n  \"version\": {VERSION},\n  \
         \"model\": {{\"name\": {name}, \"version\": {version}, \"sha256\": {sha256}, \
         \"voice_space\": {voice_space}, \"threshold\": {threshold:?}}},\n  \
         \"dimension\": {dimension},\n  \"voices\": "
    );
    let _ = list(&mut text, gallery.voices().iter().map(Line));
    let _ = text.write_str("\n}\n");
    text.finish()
}

/// A voice as it stands in the file.
struct Line<'a>(&'a Enrolled);

impl Display for Line<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // Rust's debug form of a finite float is a JSON number, and all are finite.
        let Enrolled { name, speech_s, recordings, agreement, embedding } = self.0;
        let (name, embedding) = (Quoted(name), Numbers(embedding));
        write!(
            f,
            "{{\"name\": {name}, \"speech_s\": {speech_s:?}, \"recordings\": {recordings}, \
             \"agreement\": {agreement:?}, \"embedding\": {embedding}}}"
        )
    }
}

/// A gallery out of the bytes of a file.
fn parse(bytes: &[u8]) -> Result<Gallery> {
    let head: Head = json(bytes)?;
    if head.format != FORMAT {
        return Err(refused("format", &format!("{FORMAT:?}"), &cut(&head.format)));
    }
    if head.version != VERSION {
        return Err(refused("version", &VERSION.to_string(), &head.version.to_string()));
    }
    let Body { model, dimension, voices } = json(bytes)?;
    let Model { name, version, sha256, voice_space, threshold } = model;
    if sha256.len() != 64 || !sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(refused("model.sha256", "64 lower-case hexadecimal digits", &cut(&sha256)));
    }
    if !(-1.0..=1.0).contains(&threshold) {
        return Err(refused("model.threshold", "-1 to 1", &threshold.to_string()));
    }
    if voices.len() > MAX_VOICES {
        let found = voices.len();
        return Err(Error::Limit(format!("voices: expected at most {MAX_VOICES}, found {found}")));
    }
    let mut names = HashSet::new();
    names.try_reserve(voices.len()).map_err(|_| Error::Memory {
        what: "gallery",
        bytes: voices.len().saturating_mul(size_of::<&str>()),
    })?;
    for (index, entry) in voices.iter().enumerate() {
        check(entry, dimension).map_err(|text| Error::Gallery(format!("voices[{index}]: {text}")))?;
        if !names.insert(entry.name.as_str()) {
            let text = format!("voices[{index}]: name: expected each once, found {:?} again", entry.name);
            return Err(Error::Gallery(text));
        }
    }
    let enrolled = |Entry { name, speech_s, recordings, agreement, embedding }: Entry| Enrolled {
        name,
        speech_s,
        recordings,
        agreement,
        embedding,
    };
    let model = Fingerprint { name, version, sha256, voice_space, dimension };
    Ok(Gallery { model, threshold, known: roster::of(voices.into_iter().map(enrolled))? })
}

/// What is wrong with a voice.
fn check(entry: &Entry, dimension: usize) -> std::result::Result<(), String> {
    Gallery::check_name(&entry.name).map_err(|error| error.to_string())?;
    if !(entry.speech_s.is_finite() && entry.speech_s > 0.0) {
        return Err(format!("speech_s: expected more than 0, found {}", entry.speech_s));
    }
    if entry.recordings == 0 {
        return Err("recordings: expected at least 1, found 0".to_owned());
    }
    if !(entry.agreement > 0.0 && entry.agreement <= 1.0) {
        return Err(format!("agreement: expected more than 0, up to 1, found {}", entry.agreement));
    }
    let found = entry.embedding.len();
    if found != dimension {
        return Err(format!("embedding: expected {dimension} values, found {found}"));
    }
    let length = norm(entry.embedding.iter().copied().map(f64::from));
    // A value that is not finite makes no finite length.
    if !(length.is_finite() && (length - 1.0).abs() <= UNIT_TOLERANCE) {
        return Err(format!("embedding: expected unit length, found {length}"));
    }
    Ok(())
}

/// Reads the members of `T`; others are passed over.
fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::Gallery(format!("expected a gallery as JSON, which it is not: {error}")))
}

fn refused(field: &str, expected: &str, found: &str) -> Error {
    Error::Gallery(format!("{field}: expected {expected}, found {found}"))
}

/// What a file says, for an error: in quotes, cut after 40 characters.
fn cut(text: &str) -> String {
    format!("{:?}", text.chars().take(40).collect::<String>())
}
