//! Where a command's audio comes from: a file, a pipe, or standard input.

use std::fs::File;
use std::io::{IsTerminal, Seek, stdin};
use std::path::{Path, PathBuf};

use voiceflow::audio::{FileSource, Pipe};
use voiceflow::{Call, Error};

use crate::exit::{Failure, Outcome};

/// What standard input is called, as an argument and as a path.
const STDIN: [&str; 2] = ["-", "/dev/stdin"];
/// What errors call it.
pub const STDIN_NAME: &str = "standard input";

/// Whether `path` stands for standard input.
pub fn is_stdin(path: &Path) -> bool {
    STDIN.iter().any(|name| path == Path::new(name))
}

/// The name of the recording at `path`: without folders and the last extension; "stdin" for
/// standard input.
pub fn recording(path: &Path) -> String {
    if is_stdin(path) { "stdin".to_owned() } else { crate::annotations::stem(path) }
}

/// Refuses standard input twice, and a terminal.
pub fn check(paths: &[PathBuf]) -> Outcome {
    match paths.iter().filter(|path| is_stdin(path)).count() {
        0 => Ok(()),
        1 if stdin().is_terminal() => {
            Err(Failure::Usage("-: expected audio on standard input, got a terminal".to_owned()))
        }
        1 => Ok(()),
        count => Err(Failure::Usage(format!("-: expected standard input once, got it {count} times"))),
    }
}

/// The audio at `path`: a regular file, a pipe that is read to its end, or standard input.
///
/// # Errors
/// Those of [`FileSource::from_reader`].
pub fn open<'a>(path: &Path, call: &Call<'a>) -> voiceflow::Result<FileSource<'a>> {
    if is_stdin(path) {
        let mut file = standard_input()?;
        return match file.stream_position() {
            Ok(0) if file.metadata().is_ok_and(|metadata| metadata.is_file()) => {
                FileSource::from_seekable(STDIN_NAME, file, call)
            }
            _ => FileSource::from_reader(STDIN_NAME, Pipe::of(file), call),
        };
    }
    if is_pipe(path) {
        return FileSource::from_reader(path, Pipe::open(path)?, call);
    }
    FileSource::open_until(path, call)
}

/// Standard input, to be read without the buffer of the standard library.
pub fn standard_input() -> voiceflow::Result<File> {
    #[cfg(unix)]
    let owned = std::os::fd::AsFd::as_fd(&stdin()).try_clone_to_owned();
    #[cfg(windows)]
    let owned = std::os::windows::io::AsHandle::as_handle(&stdin()).try_clone_to_owned();
    owned.map(File::from).map_err(|error| Error::from_io(Path::new(STDIN_NAME), error))
}

/// Whether `path` is a FIFO, as the shell makes one of `<(command)`.
#[cfg(unix)]
pub fn is_pipe(path: &Path) -> bool {
    std::fs::metadata(path)
        .is_ok_and(|metadata| std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type()))
}

/// Other systems have none.
#[cfg(not(unix))]
pub fn is_pipe(_: &Path) -> bool {
    false
}
