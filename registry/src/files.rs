//! Whole files of this machine, up to a limit; never through a link.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::digest::{Digest, Hash};
use crate::error::{Error, Result};

/// Bytes that are read at a time.
const PIECE: usize = 256 << 10;

/// Opens a file that has to be one: no link, no folder, no device.
///
/// # Errors
/// [`Error::Untrusted`] for another kind of file, [`Error::Limit`], [`Error::Io`].
pub(crate) fn open(path: &Path, limit: u64) -> Result<File> {
    let found = fs::symlink_metadata(path).map_err(|error| Error::io(path, error))?;
    if !found.is_file() {
        let kind = if found.is_symlink() { "a link" } else { "another kind of file" };
        return Err(Error::untrusted(path.display().to_string(), "a file", kind));
    }
    if found.len() > limit {
        return Err(Error::Limit { place: path.display().to_string(), limit, unit: "bytes" });
    }
    File::open(path).map_err(|error| Error::io(path, error))
}

/// The contents of a file.
///
/// # Errors
/// Those of [`open`].
pub(crate) fn read(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let mut contents = Vec::new();
    // A file that grows meanwhile is no longer than the limit either.
    let file = open(path, limit)?.take(limit + 1).read_to_end(&mut contents);
    file.map_err(|error| Error::io(path, error))?;
    if contents.len() as u64 > limit {
        return Err(Error::Limit { place: path.display().to_string(), limit, unit: "bytes" });
    }
    Ok(contents)
}

/// The contents of a file; `None` where there is none.
///
/// # Errors
/// Those of [`open`].
pub(crate) fn read_if_there(path: &Path, limit: u64) -> Result<Option<Vec<u8>>> {
    match read(path, limit) {
        Err(Error::Io { source, .. }) if source.kind() == ErrorKind::NotFound => Ok(None),
        contents => contents.map(Some),
    }
}

/// Length and digest of a file.
///
/// # Errors
/// Those of [`open`].
pub(crate) fn digest(path: &Path, limit: u64) -> Result<(u64, Digest)> {
    let mut file = open(path, limit)?;
    let (mut hash, mut length) = (Hash::default(), 0);
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).map_err(|error| Error::io(path, error))?;
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else { break };
        hash.update(read);
        length += read.len() as u64;
    }
    Ok((length, hash.finish()))
}

/// Writes a file that is there as a whole or as it was before, also after a crash.
///
/// # Errors
/// [`Error::Io`].
pub(crate) fn replace(path: &Path, contents: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let written = || {
        let mut file = NamedTempFile::with_prefix_in(".writing-", folder)?;
        file.write_all(contents)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        sync_folder(folder)
    };
    written().map_err(|error| Error::io(path, error))
}

/// Makes the names in a folder last.
pub(crate) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}
