//! Finding and loading ONNX Runtime. It is loaded once for a process, so each of these runs in a
//! process of its own: this test program again, with only the test that is named.

use std::path::{Path, PathBuf};
use std::process::Command;

use voiceflow::model::Session;
use voiceflow::{Config, Error, ModelSource};

use crate::support::{fixture, runtime};

/// Set in the process that does the work.
const CHILD: &str = "VOICEFLOW_TEST_CHILD";

/// Runs the test `name` in a fresh process with `variables`; true in that process.
fn in_child(name: &str, variables: &[(&str, &Path)]) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("loading::{name}"), "--nocapture", "--test-threads=1"]);
    for variable in ["VOICEFLOW_ORT_LIBRARY", "ORT_DYLIB_PATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH"] {
        command.env_remove(variable);
    }
    command.env(CHILD, "1").envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    assert!(!text.contains("onnxruntime:"), "ONNX Runtime printed by itself: {text}");
    false
}

/// The fixture on the runtime in `library`, or in the usual places.
fn load(library: Option<&Path>) -> voiceflow::Result<Session> {
    let mut config = Config::default();
    config.set_model(ModelSource::File(fixture("good.onnx")));
    config.set_threads(1).unwrap();
    if let Some(library) = library {
        config.set_runtime_library(library.to_owned());
    }
    Session::new(&config)
}

/// Compiles `source` into a shared library in `folder`.
fn compile(folder: &Path, name: &str, source: &str) -> PathBuf {
    let (code, library) = (folder.join(format!("{name}.c")), folder.join(name));
    std::fs::write(&code, source).unwrap();
    let status = Command::new("gcc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&code).status();
    assert!(status.expect("gcc is needed").success());
    library
}

/// An ONNX Runtime that says it is `version` and has no interface.
fn fake(folder: &Path, name: &str, version: &str) -> PathBuf {
    let source = format!(
        "static const void *api(unsigned v) {{ (void)v; return 0; }}\n\
         static const char *version(void) {{ return \"{version}\"; }}\n\
         struct base {{ const void *(*api)(unsigned); const char *(*version)(void); }};\n\
         static const struct base it = {{ api, version }};\n\
         const struct base *OrtGetApiBase(void) {{ return &it; }}\n"
    );
    compile(folder, name, &source)
}

#[test]
fn not_found_lists_the_places() {
    if !in_child("not_found_lists_the_places", &[]) {
        return;
    }
    let error = load(None).unwrap_err();
    assert!(matches!(error, Error::RuntimeNotFound { .. }), "{error}");
    let error = error.to_string();
    let program = std::env::current_exe().unwrap();
    let folder = program.parent().unwrap();
    assert!(error.contains(&format!("the folder of libvoiceflow ({})", folder.display())), "{error}");
    assert!(error.contains("the system loader: libonnxruntime.so.1: cannot be loaded"), "{error}");

    let error = load(Some(Path::new("nowhere/libonnxruntime.so"))).unwrap_err();
    assert!(matches!(error, Error::RuntimeNotFound { .. }), "{error}");
    let path = std::env::current_dir().unwrap().join("nowhere/libonnxruntime.so");
    let text = format!("runtime_library: {}: no such file", path.display());
    assert!(error.to_string().contains(&text), "{error}");
    // A failed load can be tried again.
    load(Some(&runtime())).unwrap();
}

#[test]
fn what_is_no_runtime_is_named_with_the_reason() {
    if !in_child("what_is_no_runtime_is_named_with_the_reason", &[]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("libonnxruntime.so");
    std::fs::write(&text, "not a library").unwrap();
    let mut wrong_machine = vec![0u8; 4096];
    // An ELF header of a 64-bit library for AArch64 (machine 183), or x86-64 (62) there.
    wrong_machine[..20]
        .copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 183, 0]);
    wrong_machine[18] = if cfg!(target_arch = "aarch64") { 62 } else { 183 };
    wrong_machine[20] = 1;
    let other = folder.path().join("libother.so");
    std::fs::write(&other, wrong_machine).unwrap();
    let empty = compile(folder.path(), "libempty.so", "int nothing;");
    for (path, reason) in [
        (text.as_path(), "cannot be loaded: "),
        (other.as_path(), "cannot be loaded: "),
        (folder.path(), "cannot be loaded: "),
        (empty.as_path(), "not an ONNX Runtime (it has no OrtGetApiBase)"),
    ] {
        let error = load(Some(path)).unwrap_err();
        assert!(matches!(error, Error::RuntimeNotFound { .. }), "{error}");
        let text = format!("runtime_library: {}: {reason}", path.display());
        assert!(error.to_string().contains(&text), "{error}");
    }
    load(Some(&runtime())).unwrap();
}

#[test]
fn a_runtime_too_old_is_refused_with_both_versions() {
    if !in_child("a_runtime_too_old_is_refused_with_both_versions", &[]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let library = fake(folder.path(), "libonnxruntime.so", "1.10.0");
    let error = load(Some(&library)).unwrap_err();
    assert!(matches!(error, Error::RuntimeVersion { .. }), "{error}");
    assert!(error.to_string().contains("ONNX Runtime 1.10.0 is too old, 1.18 or newer is needed"), "{error}");
    load(Some(&runtime())).unwrap();
}

#[test]
fn a_runtime_without_its_interface_is_an_error() {
    if !in_child("a_runtime_without_its_interface_is_an_error", &[]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let library = fake(folder.path(), "libonnxruntime.so", "1.40.0");
    for _ in 0..2 {
        let error = load(Some(&library)).unwrap_err();
        assert!(matches!(error, Error::Runtime(_)), "{error}");
        assert!(error.to_string().contains("does not offer interface 18"), "{error}");
    }
}

#[test]
fn a_second_runtime_is_refused_with_both_named() {
    if !in_child("a_second_runtime_is_refused_with_both_named", &[]) {
        return;
    }
    let first = load(Some(&runtime())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("libonnxruntime.so");
    std::fs::copy(runtime(), &other).unwrap();
    let error = load(Some(&other)).unwrap_err();
    assert!(matches!(error, Error::InvalidArgument(_)), "{error}");
    let error = error.to_string();
    assert!(error.contains(&runtime().display().to_string()), "{error}");
    assert!(error.contains(&other.display().to_string()), "{error}");
    // The same file by another name, and no name at all, are the same runtime.
    let link = folder.path().join("link.so");
    std::os::unix::fs::symlink(runtime(), &link).unwrap();
    load(Some(&link)).unwrap();
    assert_eq!(load(None).unwrap().info(), first.info());
}

#[test]
fn the_environment_names_the_runtime() {
    let nowhere = Path::new("/nowhere/libonnxruntime.so");
    let library = runtime();
    let variables = [("VOICEFLOW_ORT_LIBRARY", library.as_path()), ("ORT_DYLIB_PATH", nowhere)];
    if in_child("the_environment_names_the_runtime", &variables) {
        load(None).unwrap();
    }
}

#[test]
fn the_variable_of_ort_comes_second() {
    let (library, empty) = (runtime(), Path::new(""));
    let variables = [("VOICEFLOW_ORT_LIBRARY", empty), ("ORT_DYLIB_PATH", library.as_path())];
    if in_child("the_variable_of_ort_comes_second", &variables) {
        load(None).unwrap();
    }
}

#[test]
fn the_system_loader_comes_last_and_the_file_it_found_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("libonnxruntime.so.1");
    std::os::unix::fs::symlink(runtime(), &link).unwrap();
    let name = "the_system_loader_comes_last_and_the_file_it_found_is_known";
    if in_child(name, &[("LD_LIBRARY_PATH", folder.path())]) {
        load(None).unwrap();
        load(Some(&runtime())).unwrap();
    }
}

#[test]
fn the_python_environment_is_looked_into() {
    let folder = tempfile::tempdir().unwrap();
    let capi = folder.path().join("lib/python3.11/site-packages/onnxruntime/capi");
    std::fs::create_dir_all(&capi).unwrap();
    std::os::unix::fs::symlink(runtime(), capi.join("libonnxruntime.so.1.31.1")).unwrap();
    if in_child("the_python_environment_is_looked_into", &[("VIRTUAL_ENV", folder.path())]) {
        load(None).unwrap();
    }
}

#[test]
fn a_runtime_that_the_host_has_loaded_serves() {
    let library = runtime();
    if in_child("a_runtime_that_the_host_has_loaded_serves", &[("LD_PRELOAD", library.as_path())]) {
        load(None).unwrap();
        load(Some(&runtime())).unwrap();
    }
}

/// Collects the records of ONNX Runtime.
struct Collect(std::sync::Mutex<Vec<String>>);

impl log::Log for Collect {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }
    fn log(&self, record: &log::Record) {
        if record.target() == "onnxruntime" {
            self.0.lock().unwrap().push(record.args().to_string());
            // Called from C++: this must not get through to it.
            panic!("a logger that panics");
        }
    }
    fn flush(&self) {}
}

#[test]
fn the_log_of_the_runtime_goes_to_the_log_crate() {
    if !in_child("the_log_of_the_runtime_goes_to_the_log_crate", &[]) {
        return;
    }
    static COLLECT: Collect = Collect(std::sync::Mutex::new(Vec::new()));
    std::panic::set_hook(Box::new(|_| {}));
    log::set_logger(&COLLECT).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    load(Some(&runtime())).unwrap();
    let records = COLLECT.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    assert!(records.iter().any(|text| text.contains("Session successfully initialized")), "{records:?}");
}
