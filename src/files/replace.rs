//! Files that are there whole or not at all: what is written takes the place of an older file in
//! one step.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::draft::{Draft, same_file};
use super::{Unopened, attributes, expect_regular};
use crate::error::{Error, Result};

/// Most links that lead to each other: as many as Linux follows.
const MAX_LINKS: usize = 40;

/// Writes `path` whole or not at all: to a file beside it, which then takes its place. Links are
/// followed: the file that they lead to is replaced or made, and they stay. An older file's mode,
/// owner, access list and `user.` attributes are kept; a new one's mode is as wide as the process's
/// mask lets it be. Other hard links to the older file keep the older contents.
///
/// # Errors
/// [`Error::NotFound`] for a folder that does not exist; [`Error::Io`], also for a path that names
/// no regular file (a folder, pipe, socket or device), or an older file that this process may not
/// write or whose owner it cannot keep.
pub fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> Result<()> {
    replace(path.as_ref(), contents.as_ref(), 0o666)
}

/// As [`write()`], but a new file is its owner's alone from the first byte on.
///
/// # Errors
/// Those of [`write()`].
pub fn write_private(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> Result<()> {
    replace(path.as_ref(), contents.as_ref(), 0o600)
}

/// Tries to open the older file while others replace it.
const ATTEMPTS: usize = 100;

fn replace(path: &Path, contents: &[u8], new_mode: u32) -> Result<()> {
    let io = |error: io::Error| Error::from_io(path, error);
    let refuse = |reason| Error::Io { path: path.to_owned(), reason, source: None };
    let (target, older) = target(path).map_err(|unopened| unopened.into_error(path, refuse))?;
    let folder = target.parent().unwrap_or(Path::new("."));
    // Never wider than the older file while it is written.
    let mode = if older.is_some() { 0o600 } else { new_mode };
    let mut draft = Draft::new(folder, mode).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::NotFound(path.to_owned()),
        _ => refuse(format!("its folder takes no new file, which takes its place once it is whole: {error}")),
    })?;
    draft.file().write_all(contents).map_err(io)?;
    if let Some(older) = &older {
        attributes::keep(older, draft.file()).map_err(refuse)?;
    }
    // Without this the name may reach the disk before the contents do.
    draft.file().sync_all().map_err(io)?;
    draft.persist(&target).map_err(io)?;
    // And without this a crash may bring the older file back. The new one is in place whether or
    // not it succeeds.
    _ = File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })
        .and_then(|folder| folder.sync_all());
    Ok(())
}

/// The file that `path` leads to, and the older file there, which this process may write.
fn target(path: &Path) -> std::result::Result<(PathBuf, Option<File>), Unopened> {
    for _ in 0..ATTEMPTS {
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((missing(path)?, None)),
            Err(error) => return Err(Unopened::System(error)),
        };
        expect_regular(&metadata)?;
        let target = std::fs::canonicalize(path).map_err(Unopened::System)?;
        if let Some(older) = open_older(&target, &metadata)? {
            return Ok((target, Some(older)));
        }
    }
    Err(Unopened::System(io::Error::other("others replace it all the time")))
}

/// Opens the file that `path` named, for writing: whoever may not change it may not replace it.
/// `None` where another took its place meanwhile.
fn open_older(target: &Path, expected: &Metadata) -> std::result::Result<Option<File>, Unopened> {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOFOLLOW);
    let file = options.open(target).map_err(Unopened::System)?;
    let metadata = file.metadata().map_err(Unopened::System)?;
    Ok(same_file(&metadata, expected).then_some(file))
}

/// The file to make where `path` leads to none: itself, or what a link names that leads nowhere
/// yet.
fn missing(path: &Path) -> std::result::Result<PathBuf, Unopened> {
    // "a/" names a folder, and a path that ends in ".." or "." too.
    if path.file_name().is_none() || path.as_os_str().as_encoded_bytes().ends_with(b"/") {
        let expected = "expected the path of a file, found that of a folder which does not exist";
        return Err(Unopened::NotRegular(expected.to_owned()));
    }
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match std::fs::read_link(&path) {
            Ok(link) => path = path.parent().unwrap_or(Path::new(".")).join(link),
            // It is no link: nothing is there, or something by now.
            Err(_) => return Ok(path),
        }
    }
    Err(Unopened::NotRegular("expected a file, found links that lead to each other".to_owned()))
}

#[cfg(test)]
mod tests;
