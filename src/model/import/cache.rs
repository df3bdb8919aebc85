//! What an import found, kept beside the model file: `<stem>.import.json`, and where the network
//! was split `<stem>.frames.onnx` and `<stem>.pooling.onnx`. Each file is written whole or not at
//! all, the JSON last; it carries the fingerprints of the model and of both parts, and is not used
//! with others.

use std::path::{Path, PathBuf};

use super::split::{FrameAxis, Split};
use crate::error::{Error, Result};
use crate::files;
use crate::onnx::{self, ModelBytes};

/// Format of the JSON file.
const FORMAT: u32 = 2;

/// Largest JSON file in bytes; it has a few hundred.
const MAX_RECORD_BYTES: u64 = 1 << 16;

/// The JSON file.
#[derive(serde::Deserialize, serde::Serialize)]
struct Record {
    format: u32,
    /// SHA-256 of the model file.
    model_sha256: String,
    /// Where and how it was split.
    #[serde(skip_serializing_if = "Option::is_none")]
    split: Option<SplitRecord>,
    /// Why it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    whole_because: Option<String>,
}

#[derive(serde::Deserialize, serde::Serialize)]
struct SplitRecord {
    tensor: String,
    #[serde(flatten)]
    axis: FrameAxis,
    frames_sha256: String,
    pooling_sha256: String,
}

/// What was found of a network: its parts, or why it is run as a whole.
pub(in crate::model) type Found = std::result::Result<Split, String>;

/// The name of a file beside `model`.
fn beside(model: &Path, ending: &str) -> PathBuf {
    model.with_extension(ending)
}

/// What an earlier import found of the file `model` with this fingerprint; `None` where there was
/// none, or one of another file or library.
pub(in crate::model) fn read(model: &Path, fingerprint: &str) -> Option<Found> {
    let path = beside(model, "import.json");
    if !path.is_file() {
        return None;
    }
    let found = read_record(model, &path, fingerprint);
    found.inspect_err(|reason| log::warn!("{}: {reason}; it is not used", path.display())).ok()
}

fn read_record(model: &Path, path: &Path, fingerprint: &str) -> std::result::Result<Found, String> {
    let text = onnx::read_file(path, MAX_RECORD_BYTES).map_err(|error| error.to_string())?;
    let record = Record::parse(&text)?;
    if record.model_sha256 != fingerprint {
        return Err("it belongs to another model".to_owned());
    }
    let Some(split) = record.split else {
        return record
            .whole_because
            .map(Err)
            .ok_or_else(|| "it says neither how to split nor why not".to_owned());
    };
    let part = |ending: &str, expected: &str| {
        let path = beside(model, ending);
        let bytes = onnx::read_file(&path, onnx::MAX_MODEL_BYTES).map_err(|error| error.to_string())?;
        let bytes = ModelBytes::new(bytes);
        let matches = bytes.sha256() == expected;
        matches.then_some(bytes).ok_or_else(|| format!("{} is another file", path.display()))
    };
    let parts = [part("frames.onnx", &split.frames_sha256)?, part("pooling.onnx", &split.pooling_sha256)?];
    Ok(Ok(split.with(parts)))
}

/// What the text of a JSON file says of these parts, frames first, and the fingerprint of the
/// whole.
///
/// # Errors
/// Why the text is not what an import writes of a network that it splits.
pub(super) fn known(text: &[u8], parts: [ModelBytes; 2]) -> std::result::Result<(Split, String), String> {
    let record = Record::parse(text)?;
    let split = record.split.ok_or("it does not say how to split")?;
    Ok((split.with(parts), record.model_sha256))
}

impl Record {
    fn parse(text: &[u8]) -> std::result::Result<Self, String> {
        let record: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if record.format != FORMAT {
            return Err(format!("expected format {FORMAT}, found {}", record.format));
        }
        match record.split.as_ref().filter(|split| !split.axis.is_possible()) {
            Some(split) => Err(format!("expected the place of frames, found {:?}", split.axis)),
            None => Ok(record),
        }
    }
}

impl SplitRecord {
    fn with(self, [frames, pooling]: [ModelBytes; 2]) -> Split {
        Split { frames, pooling, axis: self.axis, tensor: self.tensor }
    }
}

/// Writes what was found of the file `model`, and tells which files were written.
///
/// # Errors
/// [`Error::Io`] names the file that cannot be written.
pub(in crate::model) fn write(model: &Path, fingerprint: &str, found: &Found) -> Result<Vec<PathBuf>> {
    let mut written = Vec::new();
    let mut record =
        Record { format: FORMAT, model_sha256: fingerprint.to_owned(), split: None, whole_because: None };
    match found {
        Ok(split) => {
            for (ending, bytes) in [("frames.onnx", &split.frames), ("pooling.onnx", &split.pooling)] {
                written.push(replace(beside(model, ending), bytes)?);
            }
            record.split = Some(SplitRecord {
                tensor: split.tensor.clone(),
                axis: split.axis,
                frames_sha256: split.frames.sha256().to_owned(),
                pooling_sha256: split.pooling.sha256().to_owned(),
            });
        }
        Err(reason) => record.whole_because = Some(reason.clone()),
    }
    let text = serde_json::to_vec_pretty(&record).map_err(|error| Error::Model(error.to_string()))?;
    written.push(replace(beside(model, "import.json"), &text)?);
    Ok(written)
}

/// Puts a file in place of another in one step.
fn replace(path: PathBuf, bytes: &[u8]) -> Result<PathBuf> {
    files::write(&path, bytes)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_that_no_import_wrote_is_named_and_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("net.onnx");
        let axis = FrameAxis { axis: 3, stride: 8, offset: 3.5, margin: 80 };
        let split = |axis| {
            let [frames, pooling] = [vec![1], vec![2]].map(ModelBytes::new);
            Split { frames, pooling, axis, tensor: "x".to_owned() }
        };
        let outcome = |found: &Found| {
            write(&model, "own", found).unwrap();
            read_record(&model, &beside(&model, "import.json"), "own")
                .map(|found| found.map(|split| split.axis))
        };
        assert_eq!(outcome(&Ok(split(axis))).unwrap().unwrap(), axis);
        assert_eq!(outcome(&Err("no".to_owned())).unwrap().unwrap_err(), "no");
        for wrong in [
            FrameAxis { axis: 0, ..axis },
            FrameAxis { stride: 0, ..axis },
            FrameAxis { stride: usize::MAX, ..axis },
            FrameAxis { margin: usize::MAX / 8 * 8, ..axis },
            FrameAxis { margin: 81, ..axis },
            FrameAxis { offset: 1e9, ..axis },
        ] {
            let reason = outcome(&Ok(split(wrong))).unwrap_err();
            assert!(reason.starts_with("expected the place of frames, found FrameAxis"), "{reason}");
        }
        std::fs::write(beside(&model, "import.json"), r#"{"format": 2, "model_sha256": "own"}"#).unwrap();
        let reason = read_record(&model, &beside(&model, "import.json"), "own").unwrap_err();
        assert_eq!(reason, "it says neither how to split nor why not");
        std::fs::write(beside(&model, "import.json"), vec![b' '; 1 << 17]).unwrap();
        let reason = read_record(&model, &beside(&model, "import.json"), "own").unwrap_err();
        assert!(reason.ends_with("expected at most 65536 bytes, got 131072"), "{reason}");
    }
}
