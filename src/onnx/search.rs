//! Where ONNX Runtime may be: the places in order, and the files in them. Looks at names only;
//! loads nothing.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::{Path, PathBuf};

use crate::process::{Mapped, environment, mapped_files};

/// Environment variables that name the library, in order.
const VARIABLES: [&str; 2] = ["VOICEFLOW_ORT_LIBRARY", "ORT_DYLIB_PATH"];
/// Names left to the system loader, tried last.
#[cfg(all(unix, not(target_vendor = "apple")))]
const SYSTEM_NAMES: &[&str] = &["libonnxruntime.so.1", "libonnxruntime.so"];
#[cfg(target_vendor = "apple")]
const SYSTEM_NAMES: &[&str] = &["libonnxruntime.1.dylib", "libonnxruntime.dylib"];
#[cfg(not(unix))]
const SYSTEM_NAMES: &[&str] = &["onnxruntime.dll"];

/// Folder of a package's own ONNX Runtime in a folder of libraries, where no other program takes it
/// for that of the system.
const PRIVATE: &str = "voiceflow";

/// A place to look at and the libraries found there.
pub(crate) struct Place {
    /// How messages name it.
    pub(crate) name: String,
    /// Files to load, best first; names without a folder are the system loader's.
    pub(crate) files: Vec<PathBuf>,
}

/// What messages say of the places that are passed over in a process with more rights than whoever
/// started it.
pub(crate) const PASSED_OVER: &str = "passed over, as this process has more rights than who started it: \
    VOICEFLOW_ORT_LIBRARY, ORT_DYLIB_PATH, VIRTUAL_ENV, the folder of the program, each folder's ../lib";

/// The place that the caller or the environment names: nothing else is tried beside it.
pub(crate) fn named(option: Option<&PathBuf>) -> Option<Place> {
    if let Some(path) = option {
        return Some(named_file("runtime_library", path.clone()));
    }
    VARIABLES.iter().find_map(|variable| Some(named_file(variable, environment::var(variable)?.into())))
}

/// The other places, best first. Where the process is elevated ([`environment::elevated`]) only
/// those that whoever started it cannot have chosen: a program with a set-user-ID bit can be linked
/// into a folder of anybody's.
pub(crate) fn usual() -> Vec<Place> {
    let elevated = environment::elevated();
    let maps = mapped_files();
    let program = std::env::current_exe().ok();
    let mut places = Vec::new();
    if let Some(folder) = own_folder_in(&maps) {
        push_folder(&mut places, "the folder of libvoiceflow", &folder, elevated);
    }
    let program = program.filter(|_| !elevated);
    if let Some(folder) = program.as_deref().and_then(Path::parent) {
        push_folder(&mut places, "the folder of the program", folder, elevated);
    }
    // What the host has already loaded serves us too: no second runtime in the process.
    let folders =
        maps.iter().filter(|file| is_loaded_runtime(&file.path)).filter_map(|file| file.path.parent());
    for folder in folders {
        push_folder(&mut places, "the ONNX Runtime of this process", folder, elevated);
    }
    if let Some(environment) = environment::var("VIRTUAL_ENV") {
        for folder in python_packages(Path::new(&environment)) {
            push_folder(&mut places, "the Python package onnxruntime", &folder, elevated);
        }
    }
    let files = SYSTEM_NAMES.iter().map(PathBuf::from).collect();
    places.push(Place { name: "the system loader".to_owned(), files });
    places
}

/// A relative path is meant from the working directory; ONNX Runtime's loader would take it from
/// the program's folder.
fn named_file(name: &str, path: PathBuf) -> Place {
    let path = std::path::absolute(&path).unwrap_or(path);
    Place { name: name.to_owned(), files: vec![path] }
}

/// Adds the [`folders_at`] `folder` that are not in the list.
fn push_folder(places: &mut Vec<Place>, name: &str, folder: &Path, alone: bool) {
    for folder in folders_at(folder, alone) {
        let name = format!("{name} ({})", folder.display());
        let known = |place: &Place| place.name.ends_with(&format!("({})", folder.display()));
        if !places.iter().any(known) {
            places.push(Place { name, files: libraries_in(&folder) });
        }
    }
}

/// `folder` and, unless it is to stand `alone`, the `lib` folder beside it; those that a package
/// has to itself there, and in Debian's folder of this architecture, where they exist.
fn folders_at(folder: &Path, alone: bool) -> Vec<PathBuf> {
    let with_private = |folder: PathBuf| {
        let private = folder.join(PRIVATE);
        [Some(folder), Some(private).filter(|it| it.is_dir())].into_iter().flatten()
    };
    let mut folders: Vec<PathBuf> = with_private(folder.to_owned()).collect();
    if let Some(parent) = folder.parent().filter(|_| !alone) {
        let lib = parent.join("lib");
        let debian = lib.join(format!("{}-linux-gnu", std::env::consts::ARCH)).join(PRIVATE);
        folders.extend(with_private(lib));
        folders.extend(Some(debian).filter(|it| it.is_dir()));
    }
    folders
}

/// The runtime libraries in `folder`: the plain name first, then the highest version.
fn libraries_in(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let versioned = |path: PathBuf| Some((version_of(file_name(&path)?, DLL_SUFFIX)?, path));
    let mut found: Vec<_> = entries.filter_map(|entry| versioned(entry.ok()?.path())).collect();
    found.sort_by_key(|(version, _)| (!version.is_empty(), std::cmp::Reverse(version.clone())));
    found.into_iter().map(|(_, path)| path).collect()
}

fn file_name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// The numbers in the name of a runtime library, none in the plain name: behind `suffix`, as in
/// `libonnxruntime.so.1.31.1`, or before it as on macOS. `None` for other files, such as
/// `libonnxruntime_providers_shared.so`.
fn version_of(name: &str, suffix: &str) -> Option<Vec<u64>> {
    let (before, after) = name.strip_prefix(DLL_PREFIX)?.strip_prefix("onnxruntime")?.split_once(suffix)?;
    let mut numbers = Vec::new();
    for part in [before, after].into_iter().filter(|part| !part.is_empty()) {
        for number in part.strip_prefix('.')?.split('.') {
            numbers.push(number.parse().ok()?);
        }
    }
    Some(numbers)
}

/// Whether the host has the runtime loaded by this file: the library, or the Python module that
/// holds a copy.
fn is_loaded_runtime(path: &Path) -> bool {
    let module = |name: &str| name.starts_with("onnxruntime_pybind11_state");
    file_name(path).is_some_and(|name| version_of(name, DLL_SUFFIX).is_some() || module(name))
}

/// The folders with the runtime in a Python environment, one for each Python version in it.
fn python_packages(environment: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(environment.join("lib")) else { return Vec::new() };
    let capi = |entry: std::fs::DirEntry| entry.path().join("site-packages/onnxruntime/capi");
    entries.filter_map(|entry| Some(capi(entry.ok()?))).filter(|path| path.is_dir()).collect()
}

/// The folder of this library, or of the program it is linked into; not the latter in an elevated
/// process.
pub(crate) fn own_folder() -> Option<PathBuf> {
    own_folder_in(&mapped_files())
}

fn own_folder_in(maps: &[Mapped]) -> Option<PathBuf> {
    let own = own_file(maps)?;
    if environment::elevated() && std::env::current_exe().is_ok_and(|program| program == own) {
        return None;
    }
    own.parent().map(Path::to_owned)
}

/// The file that holds the code of this library: the shared library, or the program it is linked
/// into.
fn own_file(maps: &[Mapped]) -> Option<PathBuf> {
    let address = own_file as *const () as usize;
    maps.iter().find(|file| (file.start..file.end).contains(&address)).map(|file| file.path.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_our_own_code_is_the_test_program() {
        let own = own_file(&mapped_files()).unwrap();
        assert_eq!(own, std::env::current_exe().unwrap());
    }

    #[test]
    fn folders_of_a_package_are_looked_at_where_they_exist() {
        let root = tempfile::tempdir().unwrap();
        let at = |path: &str| root.path().join(path);
        assert_eq!(folders_at(&at("bin"), false), [at("bin"), at("lib")]);

        let debian = format!("lib/{}-linux-gnu", std::env::consts::ARCH);
        for folder in [&debian, "lib"] {
            std::fs::create_dir_all(at(folder).join("voiceflow")).unwrap();
        }
        let debian_private = format!("{debian}/voiceflow");
        let expected = [at("bin"), at("lib"), at("lib/voiceflow"), at(&debian_private)];
        assert_eq!(folders_at(&at("bin"), false), expected);
        assert_eq!(folders_at(&at(&debian), true), [at(&debian), at(&debian_private)]);
    }

    #[test]
    fn a_runtime_of_this_process_is_told_by_its_name() {
        assert!(is_loaded_runtime(Path::new("/opt/my app/libonnxruntime.so.1.20.0")));
        assert!(is_loaded_runtime(Path::new(
            "/opt/onnxruntime_pybind11_state.cpython-312-x86_64-linux-gnu.so"
        )));
        assert!(!is_loaded_runtime(Path::new("/opt/libonnxruntime_providers_shared.so")));
    }

    #[test]
    fn a_version_stands_on_either_side_of_the_suffix() {
        assert_eq!(version_of("libonnxruntime.so", ".so"), Some(vec![]));
        assert_eq!(version_of("libonnxruntime.so.1.31.1", ".so"), Some(vec![1, 31, 1]));
        assert_eq!(version_of("libonnxruntime.1.31.1.dylib", ".dylib"), Some(vec![1, 31, 1]));
        for other in ["libonnxruntime.so.", "libonnxruntime.so.bak", "libonnxruntime2.so", "onnxruntime.so"] {
            assert_eq!(version_of(other, ".so"), None, "{other}");
        }
    }

    #[test]
    fn the_plain_name_comes_first_and_then_the_newest() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "libonnxruntime.so.1.9.0",
            "libonnxruntime.so",
            "libonnxruntime.so.1.31.1",
            "libonnxruntime.so.bak",
            "libonnxruntime_providers_shared.so",
        ] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        let found = libraries_in(folder.path());
        let names: Vec<_> = found.iter().filter_map(|path| file_name(path)).collect();
        assert_eq!(names, ["libonnxruntime.so", "libonnxruntime.so.1.31.1", "libonnxruntime.so.1.9.0"]);
    }

    #[test]
    fn relative_paths_are_meant_from_the_working_directory() {
        let place = named(Some(&PathBuf::from("some/libonnxruntime.so"))).unwrap();
        assert_eq!(place.files, [std::env::current_dir().unwrap().join("some/libonnxruntime.so")]);
    }

    #[test]
    fn a_virtual_environment_is_looked_into() {
        let folder = tempfile::tempdir().unwrap();
        let capi = folder.path().join("lib/python3.12/site-packages/onnxruntime/capi");
        std::fs::create_dir_all(&capi).unwrap();
        assert_eq!(python_packages(folder.path()), [capi]);
    }
}
