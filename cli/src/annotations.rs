//! The annotations that an argument names: an RTTM file or a folder of them.

use std::path::{Path, PathBuf};

use voiceflow::output::rttm;
use voiceflow::{Annotations, Error};

use crate::exit::Failure;

/// The annotations of a file or folder.
pub struct Loaded {
    /// Turns by recording.
    pub recordings: Annotations,
    /// Whether this is one file without turns. Nobody speaks in it, but it cannot say in which
    /// recordings.
    pub silent_file: bool,
}

/// Reads `path`. In a folder these are its files that end in `.rttm`; one of them without turns
/// stands for the recording it is named after, in which nobody speaks.
pub fn load(path: &Path) -> Result<Loaded, Failure> {
    let metadata = std::fs::metadata(path).map_err(|error| Error::from_io(path, error))?;
    if !metadata.is_dir() {
        let recordings = rttm::read(path)?;
        return Ok(Loaded { silent_file: recordings.is_empty(), recordings });
    }
    let files = rttm_files(path)?;
    if files.is_empty() {
        return Err(Failure::Failed(format!(
            "{}: expected files that end in .rttm, found none",
            path.display()
        )));
    }
    let mut recordings = Annotations::new();
    for file in files {
        let mut found = rttm::read(&file)?;
        if found.is_empty() {
            found.insert(stem(&file), Vec::new());
        }
        for (recording, turns) in found {
            if recordings.contains_key(&recording) {
                let file = file.display();
                return Err(Failure::Failed(format!("{file}: recording {recording} is in another file too")));
            }
            recordings.insert(recording, turns);
        }
    }
    Ok(Loaded { recordings, silent_file: false })
}

/// The name that a recording has by its file: without folders and the last extension.
pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn rttm_files(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let io = |error: std::io::Error| Error::from_io(folder, error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let path = entry.map_err(io)?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("rttm")) {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
