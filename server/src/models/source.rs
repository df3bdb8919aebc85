//! What a bundle is loaded from.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use voiceflow::Error;

use super::shelf::Held;

/// A bundle that was found, and not loaded yet.
#[derive(Clone, Debug)]
pub struct Source {
    /// As the configuration or the operator names it; the library's own models without it.
    pub name: Option<String>,
    /// Its folder, with no link in it that may come to mean another; none of what is compiled in.
    folder: Option<PathBuf>,
    /// What its files looked like before they were read, or what the registry said.
    pub look: Look,
    /// Keeps it in the cache of the registry.
    held: Option<Held>,
    /// What they hold.
    digest: String,
}

/// What a bundle looks like from outside: where that is another one, so may be the bundle.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Look {
    /// There is none.
    #[default]
    Nothing,
    /// What its files look like.
    Files(String),
    /// The version that the registry says.
    Said(String),
}

impl Look {
    /// Whether it may be one of files that are still being written: then it is another one soon.
    pub fn may_be_unfinished(&self) -> bool {
        !matches!(self, Look::Said(_))
    }
}

impl Source {
    /// The same files once more, whatever the name has come to mean.
    ///
    /// # Errors
    /// Files that cannot be read, or are others by now.
    pub fn again(&self) -> Result<Self, String> {
        let Self { name, folder, look, held, .. } = self.clone();
        let again = Self::read(name.as_deref(), folder, look, held).map_err(|error| error.to_string())?;
        if !again.holds_the_same(self) {
            let place = self.folder.as_deref().unwrap_or(Path::new("the library"));
            return Err(format!("{}: expected the files of before, found others", place.display()));
        }
        Ok(again)
    }

    /// Whether this is loaded from the same bytes.
    pub fn holds_the_same(&self, other: &Self) -> bool {
        self.digest == other.digest
    }

    /// What the library is told to load.
    pub(super) fn bundle(&self) -> Option<PathBuf> {
        self.folder.clone().or_else(|| self.name.as_ref().map(PathBuf::from))
    }

    /// The bundle in `folder`, or without one what is compiled in.
    pub(super) fn read(
        name: Option<&str>,
        folder: Option<PathBuf>,
        look: Look,
        held: Option<Held>,
    ) -> voiceflow::Result<Self> {
        let digest = match &folder {
            Some(folder) => digest(folder).map_err(|error| system(folder, error))?,
            None => format!("compiled in: {}", name.unwrap_or_default()),
        };
        Ok(Self { name: name.map(str::to_owned), folder, look, held, digest })
    }
}

/// A failure of the system at a path.
pub(super) fn system(path: &Path, error: io::Error) -> Error {
    Error::Io { path: path.to_owned(), reason: error.to_string(), source: Some(error) }
}

/// What the files of a folder look like.
pub(super) fn look_of(folder: &Path) -> Look {
    let files = files(folder).unwrap_or_default();
    let line = |path: PathBuf| look(&path).map(|(bytes, changed)| format!("{path:?} {bytes} {changed:?}\n"));
    Look::Files(files.into_iter().filter_map(line).collect())
}

fn look(path: &Path) -> Option<(u64, (i64, i64))> {
    use std::os::unix::fs::MetadataExt;
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), (metadata.mtime(), metadata.mtime_nsec())))
}

/// The files of a folder, sorted.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort_unstable();
    Ok(files)
}

/// SHA-256 over the names and the bytes of the files in a folder.
fn digest(folder: &Path) -> io::Result<String> {
    let mut whole = Sha256::new();
    for path in files(folder)? {
        let mut of_file = Sha256::new();
        io::copy(&mut File::open(&path)?, &mut of_file)?;
        whole.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        whole.update([0]);
        whole.update(of_file.finalize());
    }
    Ok(whole.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
