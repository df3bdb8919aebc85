//! Compare and swap in a folder, which object_store has not: a lock file and a rename.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::files;
use crate::layout::limits;

/// How long is slept between two looks at a lock.
const LOOK: Duration = Duration::from_millis(20);

/// Replaces the file where it holds `expected`; tells whether it did.
pub(super) fn swap(path: &Path, bytes: &[u8], expected: &[u8], patience: Duration) -> Result<bool> {
    let lock_path = path.with_extension("lock");
    let lock = lock_file(&lock_path)?;
    exclusive(&lock, &lock_path, patience)?;
    let current = files::read_if_there(path, limits::CHANNEL_BYTES)?;
    if current.as_deref() != Some(expected) {
        return Ok(false);
    }
    files::replace(path, bytes)?;
    Ok(true)
}

/// Opens a file that is there only to be locked.
pub(crate) fn lock_file(path: &Path) -> Result<File> {
    let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
    file.map_err(|error| Error::io(path, error))
}

/// Locks a file for this process alone.
///
/// # Errors
/// [`Error::Busy`] where others have it for longer than `patience`.
pub(crate) fn exclusive(file: &File, path: &Path, patience: Duration) -> Result<()> {
    wait(path, patience, || file.try_lock())
}

/// Locks a file beside others that do the same.
///
/// # Errors
/// Those of [`exclusive`].
pub(crate) fn shared(file: &File, path: &Path, patience: Duration) -> Result<()> {
    wait(path, patience, || file.try_lock_shared())
}

fn wait(
    path: &Path,
    patience: Duration,
    attempt: impl Fn() -> std::result::Result<(), std::fs::TryLockError>,
) -> Result<()> {
    let end = Instant::now() + patience;
    loop {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(std::fs::TryLockError::Error(error)) => return Err(Error::io(path, error)),
            Err(std::fs::TryLockError::WouldBlock) if Instant::now() >= end => {
                return Err(Error::Busy { place: path.display().to_string(), seconds: patience.as_secs() });
            }
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(LOOK),
        }
    }
}
