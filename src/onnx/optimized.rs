//! The folder of optimised models: each file is a model as ONNX Runtime has optimised it for one
//! kind of processor, so that it need not do so again. Knows files; how a session is made of them
//! is told by the caller.
//!
//! ```text
//! file:  magic and format, 8 bytes │ SHA-256 of the rest, 32 bytes │ key, 64 bytes │ optimised ONNX model
//! ```

use std::fmt::Display;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::bytes::{self, MAX_MODEL_BYTES, ModelBytes, sha256};
use super::runtime;
use crate::error::{Error, Result};
use crate::files::{self, Draft};
use crate::process;

/// Format of the files and of what they depend on: a new one for other session options that change
/// the graph.
const FORMAT: u8 = 3;
/// What files begin with.
const MAGIC: [u8; 8] = [b'v', b'f', b'-', b'o', b'n', b'n', b'x', FORMAT];
/// Bytes of the digest after the magic.
const DIGEST: usize = 32;
/// Bytes of the key: a SHA-256 in hexadecimal digits. It is in the file's name too, which anybody
/// can change.
const KEY: usize = 64;

/// What ONNX Runtime does with the graph of a model.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Graph<'a> {
    /// Optimises it.
    Original,
    /// Optimises it, and saves it to this file as ONNX.
    SavedTo(&'a Path),
    /// Runs it as it is: it was optimised before.
    Optimized,
}

/// Makes the folder where it does not exist.
///
/// # Errors
/// [`Error::InvalidArgument`] where it is no folder, or cannot be made.
pub(crate) fn prepare(folder: &Path) -> Result<()> {
    let made = std::fs::create_dir_all(folder);
    if folder.is_dir() {
        return Ok(());
    }
    let found = match made {
        _ if folder.exists() => "it is not a folder".to_owned(),
        Err(error) => error.to_string(),
        Ok(()) => "the path is empty".to_owned(),
    };
    let folder = folder.display();
    let reason = format!("expected a folder, or where one can be made, got {folder}: {found}");
    Err(Error::invalid("cache_folder", reason))
}

/// Makes a session with `create` of what the folder keeps of `model`; of the model itself where it
/// keeps nothing that can be used, and keeps that for the next time. No fault of the folder is an
/// error: it is never needed.
///
/// # Errors
/// Those of `create` for the model itself; [`Error::Forked`].
pub(crate) fn open<S>(
    folder: &Path,
    model: &ModelBytes,
    create: impl Fn(&[u8], Graph<'_>) -> Result<S>,
) -> Result<S> {
    let processor = match process::model_and_features() {
        Ok(processor) => processor,
        Err(reason) => {
            log::warn!("cache_folder: not used, as the kind of processor is not known: {reason}");
            return create(model, Graph::Original);
        }
    };
    let entry = Entry::new(folder, key(model, &runtime::identity()?, &processor));
    let file = &entry.file;
    let reason = match entry.read() {
        Ok(Some(optimized)) => match create(&optimized, Graph::Optimized) {
            Ok(session) => return Ok(session),
            Err(error @ Error::Forked(_)) => return Err(error),
            Err(error) => Some(error.to_string()),
        },
        Ok(None) => None,
        Err(reason) => Some(reason),
    };
    if let Some(reason) = reason {
        log::warn!("cache_folder: {}: {reason}; the file is not used, and written anew", file.display());
    }
    fill(folder, &entry, model, create)
}

/// Makes the session of the model itself, and `entry` of how it is optimised.
fn fill<S>(
    folder: &Path,
    entry: &Entry,
    model: &ModelBytes,
    create: impl Fn(&[u8], Graph<'_>) -> Result<S>,
) -> Result<S> {
    let not_kept = |reason: &dyn Display| {
        let file = entry.file.display();
        log::warn!("cache_folder: {file}: cannot be written: {reason}; the model is not kept");
    };
    // Removed when it is dropped, on every way out.
    let draft = match Draft::new(folder, 0o600) {
        Ok(draft) => draft,
        Err(error) => {
            not_kept(&error);
            return create(model, Graph::Original);
        }
    };
    let session = match create(model, Graph::SavedTo(draft.path())) {
        Ok(session) => session,
        Err(error @ Error::Forked(_)) => return Err(error),
        Err(error) => {
            // Whether the model or the disk is at fault shows without the disk.
            let session = create(model, Graph::Original)?;
            not_kept(&error);
            return Ok(session);
        }
    };
    let kept = bytes::read_file(draft.path(), MAX_MODEL_BYTES).and_then(|model| entry.write(&model));
    kept.unwrap_or_else(|error| not_kept(&error));
    Ok(session)
}

/// What an optimised model depends on, as a name: what was optimised, and by which ONNX Runtime on
/// which processor.
fn key(model: &ModelBytes, runtime: &str, processor: &str) -> String {
    let parts = [model.sha256(), runtime, env!("CARGO_PKG_VERSION"), std::env::consts::ARCH, processor];
    let mut text = format!("{FORMAT}");
    for part in parts {
        // With its length, so that no two lists of parts are one text.
        text.push_str(&format!("\n{} {part}", part.len()));
    }
    sha256(text.as_bytes())
}

/// What the folder keeps of one model.
struct Entry {
    file: PathBuf,
    key: String,
}

impl Entry {
    fn new(folder: &Path, key: String) -> Self {
        Self { file: folder.join(format!("{key}.onnx.cache")), key }
    }

    /// The optimised model; `None` where there is no such file. The error says why it cannot be
    /// used.
    fn read(&self) -> std::result::Result<Option<Vec<u8>>, String> {
        let head = MAGIC.len() + DIGEST + KEY;
        let mut bytes = match bytes::read_file(&self.file, MAX_MODEL_BYTES + head as u64) {
            Ok(bytes) => bytes,
            Err(Error::NotFound(_)) => return Ok(None),
            Err(Error::Io { reason, .. }) => return Err(reason),
            Err(error) => return Err(error.to_string()),
        };
        let Some(rest) = bytes.strip_prefix(&MAGIC) else {
            return Err(format!("damaged: expected an optimised model of format {FORMAT}"));
        };
        let bound = match rest.split_first_chunk::<DIGEST>() {
            Some((digest, bound)) if Sha256::digest(bound)[..] == digest[..] => bound,
            _ => return Err("damaged: expected contents with the SHA-256 in its head".to_owned()),
        };
        // A whole file under another's name would run another model in silence.
        if !bound.starts_with(self.key.as_bytes()) {
            let found = String::from_utf8_lossy(bound.get(..KEY).unwrap_or(bound));
            return Err(format!(
                "of another model: expected the key {} in its head, found {found:?}",
                self.key
            ));
        }
        bytes.drain(..head);
        Ok(Some(bytes))
    }

    /// Writes the file whole or not at all.
    fn write(&self, model: &[u8]) -> Result<()> {
        let bound = [self.key.as_bytes(), model].concat();
        files::write(&self.file, [&MAGIC[..], &Sha256::digest(&bound), &bound].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written_and_damage_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let entry = Entry::new(folder.path(), sha256(b"key"));
        assert_eq!(entry.read().unwrap(), None);
        entry.write(b"model").unwrap();
        assert_eq!(entry.read().unwrap().unwrap(), b"model");
        let whole = std::fs::read(&entry.file).unwrap();
        for byte in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[byte] ^= 1;
            std::fs::write(&entry.file, damaged).unwrap();
            let expected = if byte < MAGIC.len() { "an optimised model of format 3" } else { "the SHA-256" };
            assert!(entry.read().unwrap_err().contains(expected), "byte {byte}");
        }
        for size in 0..whole.len() {
            std::fs::write(&entry.file, &whole[..size]).unwrap();
            assert!(entry.read().unwrap_err().starts_with("damaged: "), "{size} bytes");
        }
        std::fs::remove_file(&entry.file).unwrap();
        std::fs::create_dir(&entry.file).unwrap();
        assert_eq!(entry.read().unwrap_err(), "expected a regular file, found a folder");
    }

    #[test]
    fn a_file_of_another_model_is_refused_under_any_name() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = [b"one", b"two"].map(|key| Entry::new(folder.path(), sha256(key)));
        one.write(b"model").unwrap();
        std::fs::rename(&one.file, &other.file).unwrap();
        let expected =
            format!("of another model: expected the key {} in its head, found {:?}", other.key, one.key);
        assert_eq!(other.read().unwrap_err(), expected);
        // Whole by its digest, but with no room for a key.
        std::fs::write(&one.file, [&MAGIC[..], &Sha256::digest(b"no key"), b"no key"].concat()).unwrap();
        assert!(one.read().unwrap_err().starts_with("of another model: "));
    }

    #[test]
    fn the_key_tells_models_runtimes_and_processors_apart() {
        let (one, other) = (ModelBytes::new(b"one".to_vec()), ModelBytes::new(b"other".to_vec()));
        let known = key(&one, "runtime", "processor");
        assert_eq!(known, key(&one.clone(), "runtime", "processor"));
        assert!(known.len() == 64 && known.bytes().all(|byte| byte.is_ascii_hexdigit()));
        for key in [
            key(&other, "runtime", "processor"),
            key(&one, "runtime 2", "processor"),
            key(&one, "runtime", "processor 2"),
            key(&one, "runtimeprocessor", ""),
        ] {
            assert_ne!(key, known);
        }
    }

    #[test]
    fn what_is_no_folder_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b/c");
        prepare(&deep).unwrap();
        prepare(&deep).unwrap();
        assert!(deep.is_dir());
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refused = |path: &Path| prepare(path).unwrap_err().to_string();
        let expected = "cache_folder: expected a folder, or where one can be made, got ";
        assert_eq!(refused(&file), format!("{expected}{}: it is not a folder", file.display()));
        assert!(refused(&file.join("below")).starts_with(expected));
        assert_eq!(refused(Path::new("")), format!("{expected}: the path is empty"));
    }
}
