//! The folder of a tenant: what its galleries are called there, and who may change them.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use voiceflow::Error;

use super::Refusal;

/// Longest name of a gallery, in bytes.
pub(super) const MAX_NAME_BYTES: usize = 64;
/// How the file of a gallery ends.
const ENDING: &str = ".json";
/// The folder of those who need no token.
const EVERYBODY: &str = "everybody";
/// Held by whoever changes something in the folder; no gallery has such a name.
const LOCK: &str = ".lock";

/// Whether a gallery may have this name. It becomes that of a file, so that it holds nothing which
/// a file system or a shell reads as anything else.
pub(super) fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('.')
}

/// Makes a folder that others may not look into, and those above it.
pub(super) fn make(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// What changes with a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Stamp {
    inode: u64,
    bytes: u64,
    changed: (i64, i64),
}

impl Stamp {
    /// That of the gallery at `path`.
    pub(super) fn of(path: &Path) -> Result<Self, Refusal> {
        let metadata = fs::metadata(path).map_err(|error| refused(path, error))?;
        let changed = (metadata.mtime(), metadata.mtime_nsec());
        Ok(Self { inode: metadata.ino(), bytes: metadata.len(), changed })
    }
}

/// The folder of one tenant, which may not be there yet.
pub(super) struct Folder(PathBuf);

/// Nobody else changes anything in the folder while this is kept: no thread, and no other server.
pub(super) struct Locked(#[expect(dead_code, reason = "closing it gives the lock back")] File);

impl Folder {
    /// That of the tenant of this name below `root`. Whatever the name is, the folder's is of
    /// hexadecimal digits: names may come from certificates.
    pub(super) fn of(root: &Path, tenant: Option<&str>) -> Self {
        let name = match tenant {
            Some(name) => Sha256::digest(name.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect(),
            None => EVERYBODY.to_owned(),
        };
        Self(root.join(name))
    }

    /// The file of a gallery whose name is one.
    pub(super) fn file(&self, gallery: &str) -> PathBuf {
        self.0.join(format!("{gallery}{ENDING}"))
    }

    /// The names of the galleries that are there, sorted.
    pub(super) fn names(&self) -> Result<Vec<String>, Error> {
        let io = |error| system(&self.0, error);
        let entries = match fs::read_dir(&self.0) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(io)?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(io)?.file_name();
            let name = entry.to_str().and_then(|name| name.strip_suffix(ENDING));
            names.extend(name.filter(|name| is_name(name)).map(str::to_owned));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Makes the folder.
    pub(super) fn make(&self) -> Result<(), Error> {
        make(&self.0).map_err(|error| system(&self.0, error))
    }

    /// Waits until nobody else changes anything here.
    pub(super) fn lock(&self) -> Result<Locked, Refusal> {
        let path = self.0.join(LOCK);
        let opened = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
        let file = opened.map_err(|error| refused(&path, error))?;
        file.lock().map_err(|error| system(&path, error))?;
        Ok(Locked(file))
    }

    /// Removes a gallery.
    pub(super) fn remove(&self, gallery: &str) -> Result<(), Refusal> {
        let path = self.file(gallery);
        fs::remove_file(&path).map_err(|error| refused(&path, error))
    }
}

/// The files of all galleries of all tenants below `root`, and what of that cannot be listed.
pub(super) fn all_files(root: &Path) -> Vec<Result<PathBuf, Error>> {
    let entries = match fs::read_dir(root) {
        Err(error) => return vec![Err(system(root, error))],
        Ok(entries) => entries,
    };
    let mut found = Vec::new();
    for entry in entries {
        match entry.map(|entry| entry.path()) {
            Err(error) => found.push(Err(system(root, error))),
            Ok(path) if path.is_dir() => {
                let folder = Folder(path);
                match folder.names() {
                    Err(error) => found.push(Err(error)),
                    Ok(names) => found.extend(names.iter().map(|name| Ok(folder.file(name)))),
                }
            }
            Ok(_) => {}
        }
    }
    found
}

fn refused(path: &Path, error: io::Error) -> Refusal {
    match error.kind() {
        ErrorKind::NotFound => Refusal::NoGallery,
        _ => Refusal::Library(system(path, error)),
    }
}

fn system(path: &Path, error: io::Error) -> Error {
    Error::Io { path: path.to_owned(), reason: error.to_string(), source: Some(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_galleries_are_names_of_files_and_no_paths() {
        for name in ["team", "Team-1.b_c", "0", &"x".repeat(MAX_NAME_BYTES)] {
            assert!(is_name(name), "{name}");
        }
        let long = "x".repeat(MAX_NAME_BYTES + 1);
        for name in ["", ".", "..", ".lock", "../b", "a/b", "a\\b", "a b", "a\0", "ä", "a%2fb", long.as_str()]
        {
            assert!(!is_name(name), "{name:?}");
        }
    }

    #[test]
    fn tenants_have_folders_of_their_own_whatever_they_are_called() {
        let root = Path::new("/voices");
        let names = [None, Some("acme"), Some("../acme"), Some("everybody"), Some("")];
        let folders: Vec<PathBuf> = names.iter().map(|name| Folder::of(root, *name).0).collect();
        for (index, folder) in folders.iter().enumerate() {
            assert_eq!(folder.parent(), Some(root));
            assert!(!folders[..index].contains(folder), "{folder:?}");
        }
    }
}
