//! What a bundle is loaded from.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use voiceflow::Error;
use voiceflow::model::find_bundle;

/// A bundle that was found, and not loaded yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// As the configuration or the operator names it; the library's own models without it.
    pub name: Option<String>,
    /// Its folder, with no link in it that may come to mean another; none of what is compiled in.
    folder: Option<PathBuf>,
    /// What its files looked like before they were read.
    look: Look,
    /// What they hold.
    digest: String,
}

/// What files look like: one that is written has another look.
pub type Look = Vec<(PathBuf, u64, (i64, i64))>;

impl Source {
    /// Finds the bundle of this name, and reads what it holds.
    ///
    /// # Errors
    /// Those of [`find_bundle`]; [`Error::Io`].
    pub fn find(name: Option<&str>) -> voiceflow::Result<Self> {
        Self::read(name, locate(name)?)
    }

    /// What the files of the bundle of this name look like; nothing where there are none.
    pub fn look_at(name: Option<&str>) -> Look {
        locate(name).ok().flatten().map(|folder| look_of(&folder)).unwrap_or_default()
    }

    /// The same files once more, whatever the name has come to mean.
    ///
    /// # Errors
    /// Files that cannot be read, or are others by now.
    pub fn again(&self) -> Result<Self, String> {
        let again =
            Self::read(self.name.as_deref(), self.folder.clone()).map_err(|error| error.to_string())?;
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

    /// Whether its files, or what its name means, look as when they were read.
    pub fn looks_the_same(&self) -> bool {
        Self::look_at(self.name.as_deref()) == self.look
    }

    /// What the library is told to load.
    pub(super) fn bundle(&self) -> Option<PathBuf> {
        self.folder.clone().or_else(|| self.name.as_ref().map(PathBuf::from))
    }

    fn read(name: Option<&str>, folder: Option<PathBuf>) -> voiceflow::Result<Self> {
        let (look, digest) = match &folder {
            Some(folder) => (look_of(folder), digest(folder).map_err(|error| system(folder, error))?),
            None => (Look::new(), format!("compiled in: {}", name.unwrap_or_default())),
        };
        Ok(Self { name: name.map(str::to_owned), folder, look, digest })
    }
}

/// The folder of a bundle; none of what is compiled in.
fn locate(name: Option<&str>) -> voiceflow::Result<Option<PathBuf>> {
    let Some(folder) = name.map(find_bundle).transpose()?.flatten() else { return Ok(None) };
    fs::canonicalize(&folder).map(Some).map_err(|error| system(&folder, error))
}

fn system(path: &Path, error: io::Error) -> Error {
    Error::Io { path: path.to_owned(), reason: error.to_string(), source: Some(error) }
}

fn look_of(folder: &Path) -> Look {
    let files = files(folder).unwrap_or_default();
    files.into_iter().filter_map(|path| look(&path).map(|(bytes, changed)| (path, bytes, changed))).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_what_its_files_hold() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("model.onnx");
        fs::write(&model, b"one").unwrap();
        let find = || Source::find(folder.path().to_str()).unwrap();
        let one = find();
        fs::create_dir(folder.path().join("more")).unwrap();
        assert!(one.holds_the_same(&find()) && one.looks_the_same() && one.again().is_ok());
        fs::write(&model, b"other").unwrap();
        assert!(!one.holds_the_same(&find()) && !one.looks_the_same());
        let error = one.again().unwrap_err();
        assert!(error.ends_with("expected the files of before, found others"), "{error}");
    }

    #[test]
    fn a_link_may_come_to_mean_another_and_what_was_before_stays() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("current");
        for version in ["1", "2"] {
            fs::create_dir(folder.path().join(version)).unwrap();
            fs::write(folder.path().join(version).join("model.onnx"), version).unwrap();
        }
        std::os::unix::fs::symlink("1", &link).unwrap();
        let one = Source::find(link.to_str()).unwrap();
        fs::remove_file(&link).unwrap();
        std::os::unix::fs::symlink("2", &link).unwrap();
        assert!(!one.looks_the_same() && !one.holds_the_same(&Source::find(link.to_str()).unwrap()));
        assert!(one.again().unwrap().holds_the_same(&one));
    }

    #[test]
    fn what_is_compiled_in_never_changes_and_what_is_nowhere_is_an_error() {
        let own = Source::find(None).unwrap();
        assert!(own.looks_the_same() && own.bundle().is_none() && own.again().is_ok());
        assert!(Source::find(Some("/nowhere")).is_err() && Source::look_at(Some("/nowhere")).is_empty());
    }
}
