//! What the tests of the C interface share: where things lie, and how tools are run.

#![allow(dead_code, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

pub mod hostile;
pub mod installed;
pub mod looks;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use voiceflow::audio::{AudioSource, FileSource};

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The shared library as it is built together with this test: Cargo makes the library's two forms,
/// the one this test is linked to and the shared one, in one go, and leaves the latter beside the
/// test.
pub fn shared_library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let library = test.parent().unwrap().join("libvoiceflow.so");
    assert!(library.is_file(), "{}: not there; expected Cargo to build it with the tests", library.display());
    library
}

/// The ONNX Runtime that the tests use.
pub fn runtime_library() -> PathBuf {
    if let Some(path) = std::env::var_os("VOICEFLOW_ORT_LIBRARY") {
        return path.into();
    }
    let path = root().join(".runtime/onnxruntime-1.31.1/libonnxruntime.so.1.31.1");
    assert!(path.is_file(), "{}: not there; run scripts/fetch_runtime.sh", path.display());
    path
}

/// Says that a check is left out, where `make test-rust` says it again at its end.
#[allow(clippy::print_stdout, reason = "the run says what it leaves out")]
pub fn skipped(what: &str) {
    println!("skipped: {what}");
    if let Some(path) = std::env::var_os("VOICEFLOW_SKIPPED") {
        let file = std::fs::OpenOptions::new().create(true).append(true).open(path);
        // In one write, since other tests write too.
        file.and_then(|mut file| file.write_all(format!("{what}\n").as_bytes())).unwrap();
    }
}

/// The samples of the example recording.
pub fn conversation() -> Vec<f32> {
    let mut samples = Vec::new();
    let mut file = FileSource::open(root().join("examples/data/conversation.flac")).unwrap();
    while file.read(&mut samples).unwrap() > 0 {}
    samples
}

/// A tool of Debian's, or a message that says how to get it.
pub fn tool(name: &str, package: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    assert!(found, "{name} not found: install it, for example with `apt-get install {package}`");
    Command::new(name)
}

/// Runs a command and returns what it said; a failure shows the command and all of it.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Runs a command and returns its standard output.
pub fn stdout(command: &mut Command) -> String {
    String::from_utf8(run(command).stdout).unwrap()
}

/// An empty folder for `name` in Cargo's folder for tests.
pub fn fresh_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Rust files under `folder`, sorted.
pub fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in
            std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The files of the C interface in the order of the header; not `mod.rs`, from which cbindgen would
/// go on to all of them once more.
pub fn ffi_files() -> Vec<PathBuf> {
    const ORDER: [&str; 20] = [
        "version.rs",
        "status.rs",
        "last_error.rs",
        "callback.rs",
        "cancel.rs",
        "log.rs",
        "options.rs",
        "runtime_options.rs",
        "model_options.rs",
        "stream_options.rs",
        "model_info.rs",
        "session.rs",
        "infer.rs",
        "segment.rs",
        "diarization.rs",
        "diarizer.rs",
        "reload.rs",
        "voice_space.rs",
        "stream.rs",
        "gallery.rs",
    ];
    let place = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        (ORDER.iter().position(|known| *known == name).unwrap_or(ORDER.len()), name.to_owned())
    };
    let mut files = rust_files(&root().join("src/ffi"));
    files.retain(|path| !path.ends_with("mod.rs"));
    files.sort_by_key(place);
    files
}

/// The part of a source file before its unit tests.
pub fn without_tests(source: &str) -> &str {
    source.split("\n#[cfg(test)]\nmod tests").next().unwrap()
}

/// A file's code without comments and without its unit tests; none of a file of unit tests.
pub fn code(path: &Path) -> String {
    if path.file_name().unwrap().to_str().unwrap().ends_with("tests.rs") {
        return String::new();
    }
    code_of(&std::fs::read_to_string(path).unwrap())
}

/// The code of `source` without comments and without its unit tests.
pub fn code_of(source: &str) -> String {
    let lines = without_tests(source).lines();
    lines.filter(|line| !line.trim_start().starts_with("//")).map(|line| format!("{line}\n")).collect()
}

/// Functions that the header declares, each with the comment above it, sorted by name.
pub fn header_functions() -> Vec<(String, String, String)> {
    let header = std::fs::read_to_string(root().join("include/voiceflow.h")).unwrap();
    let mut functions = Vec::new();
    for (comment, rest) in header.split("/**").skip(1).filter_map(|part| part.split_once("*/")) {
        let Some((declaration, _)) = rest.trim_start().split_once(';') else { continue };
        if declaration.starts_with("typedef") || declaration.starts_with('#') {
            continue;
        }
        if let Some((head, _)) = declaration.split_once('(') {
            let name = head.rsplit([' ', '*']).next().unwrap().to_owned();
            functions.push((name, comment.to_owned(), declaration.to_owned()));
        }
    }
    functions.sort();
    functions
}
