//! The folder of optimised models: what is written there, when it is used, and that nothing shows
//! which way a model came.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::time::SystemTime;

use voiceflow::model::{Inference, Session};
use voiceflow::{Call, Config, Error, ModelSource};

use crate::support::{config, fixture, noise};

thread_local! {
    /// Warnings of the calling thread. Models are loaded on the thread that asks for them.
    static WARNINGS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Logger;

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        if record.level() <= log::Level::Warn {
            WARNINGS.with_borrow_mut(|warnings| warnings.push(record.args().to_string()));
        }
    }
    fn flush(&self) {}
}

/// Runs `work` and tells what it warned of.
fn warnings<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    static LOGGER: Once = Once::new();
    LOGGER.call_once(|| {
        log::set_logger(&Logger).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
    });
    WARNINGS.take();
    let result = work();
    (result, WARNINGS.take())
}

/// What `work` gives, which must warn of nothing.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let (result, warnings) = warnings(work);
    assert!(warnings.is_empty(), "{warnings:?}");
    result
}

fn cached(name: &str, folder: &Path) -> Config {
    let mut config = config(name);
    config.set_cache_folder(folder.to_owned());
    config
}

fn load(config: &Config) -> Session {
    Session::new(config).unwrap()
}

/// The files of a folder with when they were written and their contents: another write shows, of
/// the same contents too.
fn files(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let described = entries.map(|entry| {
        let metadata = entry.metadata().unwrap();
        let inode = std::os::unix::fs::MetadataExt::ino(&metadata);
        (entry.path(), (inode, metadata.modified().unwrap(), std::fs::read(entry.path()).unwrap()))
    });
    described.collect()
}

/// The only file of a folder.
fn only_file(folder: &Path) -> PathBuf {
    let files = files(folder);
    assert_eq!(files.len(), 1, "{:?}", files.keys());
    let path = files.into_keys().next().unwrap();
    let name = path.file_name().unwrap().to_str().unwrap();
    let key = name.strip_suffix(".onnx.cache").expect(name);
    assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    path
}

/// Bytes before the network in a file: magic, SHA-256, key.
const HEAD: usize = 8 + 32 + 64;

/// The contents of `file` with another network, all else as it has to be.
fn with_head(file: &Path, network: &[u8]) -> Vec<u8> {
    use sha2::{Digest, Sha256};
    let whole = std::fs::read(file).unwrap();
    let bound = [&whole[HEAD - 64..HEAD], network].concat();
    [&whole[..8], &Sha256::digest(&bound), &bound].concat()
}

fn infer(session: &Session) -> Inference {
    let mut out = Inference::default();
    session.infer(noise(3, 24_000, 5).view(), &mut out, &Call::none()).unwrap();
    out
}

/// All that a caller sees of a session is the same.
fn assert_same(session: &Session, other: &Session) {
    assert_eq!(format!("{:?}", session.info()), format!("{:?}", other.info()));
    assert_eq!(format!("{:?}", session.vbx()), format!("{:?}", other.vbx()));
    assert!(infer(session) == infer(other), "the results differ");
}

/// The embedded model has a PLDA in its metadata and a golden vector, the fixture neither.
#[test]
fn a_model_from_the_folder_is_the_same_to_the_bit() {
    let mut embedded = config("good.onnx");
    embedded.set_model(ModelSource::Embedded);
    for mut config in [config("good.onnx"), embedded] {
        let folder = tempfile::tempdir().unwrap();
        let plain = load(&config);
        config.set_cache_folder(folder.path().join("made/below"));
        let first = quietly(|| load(&config));
        let written = files(&folder.path().join("made/below"));
        only_file(&folder.path().join("made/below"));
        let second = quietly(|| load(&config));
        assert_eq!(files(&folder.path().join("made/below")), written);
        assert_same(&plain, &first);
        assert_same(&plain, &second);
    }
}

/// A network that answers otherwise, bound to this model's key, is what runs: so it is the file
/// that is used.
#[test]
fn the_file_is_what_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    load(&cached("nan.onnx", folder.path()));
    let other = only_file(folder.path());
    let network = std::fs::read(&other).unwrap()[HEAD..].to_vec();
    std::fs::remove_file(&other).unwrap();
    let config = cached("good.onnx", folder.path());
    load(&config);
    let file = only_file(folder.path());
    std::fs::write(&file, with_head(&file, &network)).unwrap();
    let session = quietly(|| load(&config));
    assert!(infer(&session).embedding.iter().any(|value| value.is_nan()));
}

/// Another model's file under this one's name is not run.
#[test]
fn a_file_of_another_model_is_told_and_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let config = cached("good.onnx", folder.path());
    let plain = load(&config);
    let file = only_file(folder.path());
    let whole = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    load(&cached("nan.onnx", folder.path()));
    std::fs::rename(only_file(folder.path()), &file).unwrap();
    let (session, warnings) = warnings(|| load(&config));
    assert_same(&plain, &session);
    let start = format!("cache_folder: {}: of another model: expected the key ", file.display());
    assert!(warnings.len() == 1 && warnings[0].starts_with(&start), "{warnings:?}");
    assert!(warnings[0].ends_with("; the file is not used, and written anew"), "{warnings:?}");
    assert_eq!(std::fs::read(&file).unwrap(), whole);
}

#[test]
fn a_damaged_file_is_told_and_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let config = cached("good.onnx", folder.path());
    let plain = load(&config);
    let file = only_file(folder.path());
    let whole = std::fs::read(&file).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for (damaged, reason) in [
        (b"garbage".to_vec(), "damaged: expected an optimised model of format 3"),
        (Vec::new(), "damaged: expected an optimised model of format 3"),
        (whole[..whole.len() - 1].to_vec(), "damaged: expected contents with the SHA-256 in its head"),
        (flipped, "damaged: expected contents with the SHA-256 in its head"),
    ] {
        std::fs::write(&file, damaged).unwrap();
        let (session, warnings) = warnings(|| load(&config));
        assert_eq!(
            warnings,
            [format!("cache_folder: {}: {reason}; the file is not used, and written anew", file.display())]
        );
        assert_same(&plain, &session);
        assert_eq!(std::fs::read(only_file(folder.path())).unwrap(), whole);
        quietly(|| load(&config));
    }
}

/// Whole by its digest, but no model.
#[test]
fn what_onnx_runtime_refuses_is_told_and_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let config = cached("good.onnx", folder.path());
    load(&config);
    let file = only_file(folder.path());
    let whole = std::fs::read(&file).unwrap();
    let model = b"no model";
    std::fs::write(&file, with_head(&file, model)).unwrap();
    let (session, warnings) = warnings(|| load(&config));
    let warning = warnings.iter().find(|warning| warning.contains("written anew")).expect("a warning");
    assert!(warning.starts_with(&format!("cache_folder: {}: ", file.display())), "{warning}");
    assert_same(&load(&config), &session);
    assert_eq!(std::fs::read(&file).unwrap(), whole);
}

/// A folder in the way of the file: nobody can write it, not even root.
#[test]
fn a_file_that_cannot_be_written_is_told_and_not_needed() {
    let folder = tempfile::tempdir().unwrap();
    let config = cached("good.onnx", folder.path());
    let plain = load(&config);
    let file = only_file(folder.path());
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let (session, warnings) = warnings(|| load(&config));
    assert_same(&plain, &session);
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(
        warnings[0].contains("expected a regular file, found a folder; the file is not used"),
        "{warnings:?}"
    );
    let start = format!("cache_folder: {}: cannot be written: ", file.display());
    assert!(
        warnings[1].starts_with(&start) && warnings[1].ends_with("the model is not kept"),
        "{warnings:?}"
    );
    // The drafts are gone.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Where no file can be made at all: /proc takes none, from root neither.
#[test]
fn a_folder_that_takes_no_files_is_told_and_not_needed() {
    let (session, warnings) = warnings(|| load(&cached("good.onnx", Path::new("/proc/self"))));
    assert_same(&load(&config("good.onnx")), &session);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("cache_folder: /proc/self/"), "{warnings:?}");
    assert!(warnings[0].contains("cannot be written: "), "{warnings:?}");
}

#[test]
fn what_is_no_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "kept").unwrap();
    for path in [file.clone(), file.join("below"), PathBuf::from("/proc/none")] {
        let error = Session::new(&cached("good.onnx", &path)).unwrap_err();
        assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
        let expected = "cache_folder: expected a folder, or where one can be made, got ";
        assert!(error.to_string().starts_with(&format!("{expected}{}: ", path.display())), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
}

#[test]
fn a_model_that_cannot_be_opened_is_refused_as_without_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    for model in [b"no model".to_vec(), std::fs::read(fixture("good.onnx")).unwrap()[..3000].to_vec()] {
        let mut plain = config("good.onnx");
        plain.set_model(ModelSource::Memory(model.into()));
        let mut cached = plain.clone();
        cached.set_cache_folder(folder.path().to_owned());
        let expected = Session::new(&plain).unwrap_err().to_string();
        assert_eq!(Session::new(&cached).unwrap_err().to_string(), expected);
        assert!(files(folder.path()).is_empty());
    }
}

#[test]
fn further_slots_come_from_the_folder_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = cached("good.onnx", folder.path());
    config.set_slots(4).unwrap();
    let expected = infer(&load(&config));
    let written = files(folder.path());
    let session = load(&config);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (session, expected) = (&session, &expected);
            scope.spawn(move || quietly(|| (0..5).for_each(|_| assert!(infer(session) == *expected))));
        }
    });
    assert_eq!(files(folder.path()), written);
}

#[test]
fn threads_may_fill_a_folder_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let expected = infer(&load(&config("good.onnx")));
    let barrier = std::sync::Barrier::new(4);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (folder, expected, barrier) = (folder.path(), &expected, &barrier);
            scope.spawn(move || {
                barrier.wait();
                assert!(infer(&quietly(|| load(&cached("good.onnx", folder)))) == *expected);
            });
        }
    });
    only_file(folder.path());
}

/// Set in a child: its folder.
const FOLDER: &str = "VOICEFLOW_TEST_CACHE";

/// The folder of this process, where it is a child.
fn given_folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// This program again in `folder`, with only the test `name`.
fn start_child(name: &str, folder: &Path) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("optimized::{name}")]).current_dir(folder).env(FOLDER, folder);
    command.stdout(Stdio::null()).spawn().unwrap()
}

fn finish(mut child: Child) {
    assert!(child.wait().unwrap().success());
}

#[test]
fn without_a_folder_nothing_is_written() {
    if given_folder().is_some() {
        infer(&load(&config("good.onnx")));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    finish(start_child("without_a_folder_nothing_is_written", folder.path()));
    assert!(files(folder.path()).is_empty());
}

#[test]
fn processes_share_a_folder() {
    if let Some(folder) = given_folder() {
        let session = quietly(|| load(&cached("good.onnx", &folder)));
        assert_same(&load(&config("good.onnx")), &session);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let start = || start_child("processes_share_a_folder", folder.path());
    // Two at once fill it; another, like this one, finds it filled.
    let (one, other) = (start(), start());
    finish(one);
    finish(other);
    let written = files(folder.path());
    only_file(folder.path());
    finish(start());
    quietly(|| load(&cached("good.onnx", folder.path())));
    assert_eq!(files(folder.path()), written);
}
