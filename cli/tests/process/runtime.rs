//! No ONNX Runtime, or one that cannot be used: the error says where it was looked for and how to
//! name one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{CONVERSATION, bare, failure, root, say};

const COMMANDS: [&[&str]; 3] =
    [&["diarize", CONVERSATION], &["validate", "tests/data/models/good.onnx"], &["info"]];

/// A library that says it is ONNX Runtime 1.10.0.
fn too_old(folder: &Path) -> PathBuf {
    let (code, library) = (folder.join("old.c"), folder.join("libonnxruntime.so"));
    let source = "static const void *api(unsigned v) { (void)v; return 0; }\n\
                  static const char *version(void) { return \"1.10.0\"; }\n\
                  static const struct { const void *(*a)(unsigned); const char *(*v)(void); } it = {api, version};\n\
                  const void *OrtGetApiBase(void) { return &it; }\n";
    std::fs::write(&code, source).unwrap();
    let status = Command::new("gcc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&code).status();
    assert!(status.expect("gcc is needed").success());
    library
}

#[test]
fn not_found_lists_the_places_and_says_how_to_name_one() {
    // A program of its own place: `make build` puts a runtime beside the one that it builds.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("voiceflow");
    std::fs::copy(env!("CARGO_BIN_EXE_voiceflow"), &program).unwrap();
    for arguments in COMMANDS {
        let said = say(Command::new(&program).env_clear().current_dir(root()).args(arguments));
        let line = failure(&said);
        let folder = folder.path();
        let start = "no usable ONNX Runtime library was found; name one with --runtime FILE or VOICEFLOW_ORT_LIBRARY, \
                     or have `pip install onnxruntime` bring one, which is found while its environment is active. \
                     Places tried: ";
        assert!(line.starts_with(start) && !line.contains("runtime_library"), "{line}");
        for part in ["the system loader: libonnxruntime.so.1", folder.to_str().unwrap()] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
}

/// As `make build` leaves it.
#[test]
fn a_library_beside_the_program_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("voiceflow");
    std::fs::copy(env!("CARGO_BIN_EXE_voiceflow"), &program).unwrap();
    let runtime = root().join(".runtime/onnxruntime-1.31.1/libonnxruntime.so.1.31.1");
    std::os::unix::fs::symlink(runtime, folder.path().join("libonnxruntime.so.1.31.1")).unwrap();
    let said = say(Command::new(&program).env_clear().current_dir(root()).arg("info"));
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert!(said.out.contains("ONNX Runtime  1.31.1 ("), "{}", said.out);
}

#[test]
fn a_named_library_that_is_not_there() {
    let said = say(bare().args(["info", "--runtime", "/nowhere/libonnxruntime.so"]));
    assert!(failure(&said).contains("--runtime: /nowhere/libonnxruntime.so: no such file"), "{}", said.err);
    let said = say(bare().arg("info").env("VOICEFLOW_ORT_LIBRARY", "/nowhere/libonnxruntime.so"));
    assert!(failure(&said).contains("VOICEFLOW_ORT_LIBRARY: /nowhere/libonnxruntime.so: no such file"));
}

#[test]
fn too_old_names_both_versions() {
    let folder = tempfile::tempdir().unwrap();
    let library = too_old(folder.path());
    for arguments in COMMANDS {
        let said = say(bare().args(arguments).arg("--runtime").arg(&library));
        let line = failure(&said);
        assert!(line.contains("ONNX Runtime 1.10.0 is too old, 1.18 or newer is needed"), "{line}");
        assert!(line.contains("--runtime FILE"), "{line}");
    }
}
