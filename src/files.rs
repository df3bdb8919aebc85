//! Reading and writing whole files, and opening them without waiting for anybody. Any room may use
//! it; it knows nothing of what they hold.

mod attributes;
mod draft;
mod replace;

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::Path;

use crate::error::Error;

pub(crate) use draft::Draft;
pub use replace::{write, write_private};

/// Why a path is not read.
#[derive(Debug)]
pub(crate) enum Unopened {
    /// The system refuses.
    System(io::Error),
    /// It is no regular file: what was expected and what it is, without the path.
    NotRegular(String),
}

impl Unopened {
    /// The error that names `path`; that of a path which is no regular file is made by `refuse`.
    pub(crate) fn into_error(self, path: &Path, refuse: impl FnOnce(String) -> Error) -> Error {
        match self {
            Self::System(error) => Error::from_io(path, error),
            Self::NotRegular(reason) => refuse(reason),
        }
    }
}

/// Opens the regular file at `path` for reading, and says what the system knows of it. Returns at
/// once, whatever the path names: open(2) waits for the other end of a FIFO, reading a device may
/// never end, and some devices act when they are opened. So the path is looked at before it is
/// opened, and what was opened is looked at again, since the path may name something else by then.
/// The file does not wait either: files of `/proc` that look regular and wait for news fail with
/// [`io::ErrorKind::WouldBlock`] when they are read.
///
/// # Errors
/// [`Unopened::System`]; [`Unopened::NotRegular`] for a folder, a FIFO, a socket or a device.
pub(crate) fn open_regular(path: &Path) -> Result<(File, Metadata), Unopened> {
    expect_regular(&std::fs::metadata(path).map_err(Unopened::System)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
    let file = options.open(path).map_err(Unopened::System)?;
    let metadata = file.metadata().map_err(Unopened::System)?;
    expect_regular(&metadata)?;
    Ok((file, metadata))
}

/// Reads a regular file of at most `max_bytes`. A pipe or a device is refused, as it could block or
/// go on for ever: `refuse` makes the error of the reason, which does not name the path.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Io`], [`Error::Limit`], and that of `refuse`.
pub fn read(
    path: impl AsRef<Path>,
    max_bytes: u64,
    refuse: impl FnOnce(String) -> Error,
) -> crate::error::Result<Vec<u8>> {
    let path = path.as_ref();
    let io = |error: io::Error| Error::from_io(path, error);
    let (file, metadata) = match open_regular(path) {
        Ok(opened) => opened,
        Err(unopened) => return Err(unopened.into_error(path, refuse)),
    };
    check_size(path, max_bytes, metadata.len())?;
    let mut bytes = Vec::new();
    let no_memory =
        |_| Error::Limit(format!("{}: no memory for its {} bytes", path.display(), metadata.len()));
    bytes.try_reserve_exact(metadata.len() as usize + 1).map_err(no_memory)?;
    // One byte more than allowed: a file that grows while it is read is noticed too.
    file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(io)?;
    check_size(path, max_bytes, bytes.len() as u64)?;
    Ok(bytes)
}

fn check_size(path: &Path, max_bytes: u64, size: u64) -> crate::error::Result<()> {
    if size > max_bytes {
        let path = path.display();
        return Err(Error::Limit(format!("{path}: expected at most {max_bytes} bytes, got {size}")));
    }
    Ok(())
}

/// Refuses what is no regular file.
fn expect_regular(metadata: &Metadata) -> Result<(), Unopened> {
    if metadata.is_file() {
        return Ok(());
    }
    Err(Unopened::NotRegular(format!("expected a regular file, found {}", kind(metadata))))
}

/// What a path that is no regular file names.
fn kind(metadata: &Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a pipe (FIFO)";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if metadata.is_dir() { "a folder" } else { "neither a file nor a folder" }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    fn refused(path: &Path) -> String {
        let error = open_regular(path).unwrap_err().into_error(path, Error::Audio);
        assert!(matches!(error, Error::Audio(_)), "{}: {error:?}", path.display());
        error.to_string()
    }

    #[test]
    fn what_is_no_regular_file_is_refused_by_its_kind_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
        assert!(made.success());
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&fifo, &link).unwrap();
        assert_eq!(refused(&fifo), "expected a regular file, found a pipe (FIFO)");
        assert_eq!(refused(&link), "expected a regular file, found a pipe (FIFO)");
        assert_eq!(refused(&socket), "expected a regular file, found a socket");
        assert_eq!(refused(Path::new("/dev/zero")), "expected a regular file, found a device");
        assert_eq!(refused(folder.path()), "expected a regular file, found a folder");
    }

    #[test]
    fn a_regular_file_is_read_and_one_that_is_missing_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let missing = open_regular(&path).unwrap_err().into_error(&path, Error::Audio);
        assert!(matches!(missing, Error::NotFound(_)), "{missing:?}");
        std::fs::write(&path, "four").unwrap();
        let (mut file, metadata) = open_regular(&path).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), metadata.len()), ("four", 4));
    }
}
