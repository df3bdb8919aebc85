//! Where a result goes that was given a path of its own.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use voiceflow::files;

use crate::exit::{Failure, Outcome, print};

/// Writes a result to `path`: a file is replaced in one step; a pipe or a device, such as
/// `/dev/null` or what a shell makes of `>(…)`, gets the text; so does standard output, which may
/// be a file that has more than this result.
pub fn write(path: &Path, text: &str) -> Outcome {
    if is_standard_output(path) {
        return print(text);
    }
    match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
            let written = OpenOptions::new()
                .write(true)
                .open(path)
                .and_then(|mut file| file.write_all(text.as_bytes()));
            written.map_err(|error| Failure::Failed(format!("{}: {error}", path.display())))
        }
        _ => Ok(files::write(path, text)?),
    }
}

/// Whether `path` leads to what standard output leads to.
#[cfg(unix)]
fn is_standard_output(path: &Path) -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::MetadataExt;
    let output = std::io::stdout().as_fd().try_clone_to_owned().map(std::fs::File::from);
    let output = output.and_then(|file| file.metadata());
    match (output, std::fs::metadata(path)) {
        (Ok(output), Ok(path)) => (output.dev(), output.ino()) == (path.dev(), path.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_standard_output(_: &Path) -> bool {
    false
}
