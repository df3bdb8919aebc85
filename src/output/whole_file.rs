//! Files that are there whole or not at all, and reading of no more than a limit. Knows nothing of what they hold.

use std::io::{Read, Write};
use std::path::Path;

use crate::error::{Error, Result};
use crate::files::open_regular;

/// Writes `path` whole or not at all: to a file beside it, which then takes its place. An older file's permissions
/// are kept; a new one's are as wide as the process lets them be.
///
/// # Errors
/// [`Error::NotFound`] for a folder that does not exist; [`Error::Io`].
pub fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<()> {
    let io = |error: std::io::Error| Error::from_io(path, &error);
    let folder = path.parent().unwrap_or(Path::new("."));
    let older = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file);
    let mut builder = tempfile::Builder::new();
    // Temporary files are private; others are as readable as the user's mask lets them be.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.prefix(".voiceflow-").tempfile_in(folder).map_err(io)?;
    if let Some(older) = older {
        file.as_file().set_permissions(older.permissions()).map_err(io)?;
    }
    file.write_all(contents.as_ref()).map_err(io)?;
    // Without this the name may reach the disk before the contents do.
    file.as_file().sync_all().map_err(io)?;
    file.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

/// Reads a regular file of at most `max_bytes`. A pipe or a device is refused, as it could block or go on for ever:
/// `refuse` makes the error of the reason, which does not name the path.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Io`], [`Error::Limit`], and that of `refuse`.
pub fn read(path: &Path, max_bytes: u64, refuse: impl FnOnce(String) -> Error) -> Result<Vec<u8>> {
    let io = |error: std::io::Error| Error::from_io(path, &error);
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

fn check_size(path: &Path, max_bytes: u64, size: u64) -> Result<()> {
    if size > max_bytes {
        let path = path.display();
        return Err(Error::Limit(format!("{path}: expected at most {max_bytes} bytes, got {size}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_and_nothing_is_left_beside_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.rttm");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "two");
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_stays_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        write(&path, "one").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        write(&path, "two").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_failed_write_leaves_the_older_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(write(&folder.path().join("no/a.json"), "x").unwrap_err(), Error::NotFound(_)));
        let occupied = folder.path().join("occupied");
        std::fs::create_dir(&occupied).unwrap();
        assert!(matches!(write(&occupied, "x").unwrap_err(), Error::Io { .. }));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    }
}
