//! No ONNX Runtime, or one that cannot be used: the error says where it was looked for and how to name one.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{CONVERSATION, bare, failure, say};

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
    for arguments in COMMANDS {
        let said = say(bare().args(arguments));
        let line = failure(&said);
        let folder = Path::new(env!("CARGO_BIN_EXE_voiceflow")).parent().unwrap();
        let start = "no usable ONNX Runtime library was found; name one with --runtime FILE or VOICEFLOW_ORT_LIBRARY. \
                     Places tried: ";
        assert!(line.starts_with(start) && !line.contains("runtime_library"), "{line}");
        for part in ["the system loader: libonnxruntime.so.1", folder.to_str().unwrap()] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
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
