//! Temporary files of this library, which are no burden when their maker was killed: each is locked
//! while its maker lives, and whoever makes the next one in the same folder removes those that
//! nobody has locked.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use tempfile::NamedTempFile;

/// How the names of drafts begin and end; between them stand [`RANDOM`] letters and digits.
const PREFIX: &str = ".voiceflow-";
const SUFFIX: &str = ".draft";
const RANDOM: usize = 12;

/// Tries to make a draft that nobody takes for a left-over before it is locked.
const ATTEMPTS: usize = 16;

/// Most entries of a folder that are looked at for left-overs: a folder may hold millions, and a
/// write should not take seconds for it.
const MAX_ENTRIES: usize = 10_000;

/// A temporary file, which is removed with this.
pub(crate) struct Draft {
    file: NamedTempFile,
}

impl Draft {
    /// An empty file in `folder`, and no left-overs beside it. `mode` is what Unix grants, less the
    /// process's mask.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn new(folder: &Path, mode: u32) -> io::Result<Self> {
        // A relative path of one name has the folder "".
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        for _ in 0..ATTEMPTS {
            let draft = Self { file: create(folder, mode)? };
            if draft.claim()? {
                draft.remove_leftovers(folder);
                return Ok(draft);
            }
        }
        Err(io::Error::other("other processes remove the temporary files that this one makes"))
    }

    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    pub(crate) fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Gives the draft the name `path`, in place of what has it, in one step.
    ///
    /// # Errors
    /// Those of the system.
    pub(crate) fn persist(self, path: &Path) -> io::Result<()> {
        self.file.persist(path).map(drop).map_err(|error| error.error)
    }

    /// Locks the draft. `false` where another process was faster, took it for a left-over and
    /// removes it.
    fn claim(&self) -> io::Result<bool> {
        match self.file.as_file().try_lock() {
            Ok(()) => is_named(self.file.as_file(), self.path()),
            Err(std::fs::TryLockError::WouldBlock) => Ok(false),
            // A filesystem without locks: nobody can lock a left-over there either, so nobody
            // removes this.
            Err(std::fs::TryLockError::Error(_)) => Ok(true),
        }
    }

    /// Removes the drafts of makers that are gone. What cannot be removed stays: it harms nothing
    /// but the order.
    fn remove_leftovers(&self, folder: &Path) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries.take(MAX_ENTRIES).flatten() {
            let path = entry.path();
            if is_draft(&path) && path.file_name() != self.path().file_name() {
                _ = self.remove_leftover(&path);
            }
        }
    }

    /// Removes `path`, a name that only drafts have, if it is this user's file and nobody has it
    /// locked.
    fn remove_leftover(&self, path: &Path) -> io::Result<()> {
        // Neither a link nor a pipe is followed or waited for, whoever put it there.
        if !std::fs::symlink_metadata(path)?.is_file() {
            return Ok(());
        }
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOFOLLOW);
        let file = options.open(path)?;
        let ours = same_owner(&file.metadata()?, &self.file.as_file().metadata()?);
        if ours && file.try_lock().is_ok() {
            // Its maker, should it live after all, finds the lock taken or the name gone, and makes
            // another.
            std::fs::remove_file(path)?;
        }
        Ok(())
    }
}

fn create(folder: &Path, mode: u32) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX).rand_bytes(RANDOM);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(mode));
    #[cfg(not(unix))]
    let _ = mode;
    builder.tempfile_in(folder)
}

/// Whether a file has a name that drafts have.
fn is_draft(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let random = name.and_then(|name| name.strip_prefix(PREFIX)?.strip_suffix(SUFFIX));
    random.is_some_and(|random| {
        random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Whether `path` still leads to `file`.
fn is_named(file: &File, path: &Path) -> io::Result<bool> {
    match std::fs::symlink_metadata(path) {
        Ok(named) => Ok(same_file(&named, &file.metadata()?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(unix)]
pub(super) fn same_file(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
pub(super) fn same_file(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
    true
}

#[cfg(unix)]
fn same_owner(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(one) == std::os::unix::fs::MetadataExt::uid(other)
}

#[cfg(not(unix))]
fn same_owner(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_go_and_what_is_in_use_or_not_ours_stays() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str| std::fs::write(folder.path().join(name), "left").unwrap();
        put(".voiceflow-0123456789aB.draft");
        let others = [".voiceflow-0123456789aB", ".voiceflow-0123.draft", ".voiceflow-0123456789a_.draft"];
        others.iter().for_each(|name| put(name));
        #[cfg(unix)]
        std::os::unix::fs::symlink("/dev/zero", folder.path().join(".voiceflow-aaaaaaaaaaaa.draft")).unwrap();
        let first = Draft::new(folder.path(), 0o600).unwrap();
        let second = Draft::new(folder.path(), 0o600).unwrap();
        assert!(first.path().exists() && second.path().exists() && is_draft(second.path()));
        let left = std::fs::read_dir(&folder).unwrap().count();
        assert_eq!(left, 2 + others.len() + usize::from(cfg!(unix)));
        drop((first, second));
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), left - 2);
    }

    #[test]
    fn a_draft_taken_for_a_leftover_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        // The other process has it locked, or is done with it.
        let draft = Draft { file: create(folder.path(), 0o600).unwrap() };
        let other = File::open(draft.path()).unwrap();
        other.lock().unwrap();
        assert!(!draft.claim().unwrap());
        std::fs::remove_file(draft.path()).unwrap();
        drop(other);
        assert!(!draft.claim().unwrap());
    }
}
