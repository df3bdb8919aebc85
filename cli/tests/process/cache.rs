//! `--cache`: what is said of a folder of optimised models, and that nothing else shows whether
//! there is one.

use std::path::PathBuf;

use crate::support::{CONVERSATION, failure, output, run};

#[test]
fn the_answer_is_the_same_and_the_folder_keeps_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let cache = folder.path().join("made");
    let name = cache.to_str().unwrap();
    let arguments = ["diarize", "--provider", "cpu", "--format", "json", CONVERSATION];
    let expected = output(&arguments);
    let with_cache = [&arguments[..], &["--cache", name]].concat();
    let files = || -> Vec<PathBuf> {
        std::fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    assert_eq!(output(&with_cache), expected);
    let [file] = files().try_into().unwrap();
    let written = std::fs::read(&file).unwrap();
    assert_eq!(output(&with_cache), expected);
    std::fs::write(&file, "garbage").unwrap();
    let said = run(&with_cache);
    assert_eq!((said.code, said.out), (0, expected));
    let start = format!("voiceflow: warning: cache_folder: {}: damaged: ", file.display());
    assert!(said.err.starts_with(&start) && said.err.lines().count() == 1, "{}", said.err);
    assert_eq!((files(), std::fs::read(&file).unwrap()), (vec![file], written));
}

#[test]
fn what_is_no_folder() {
    let said = run(&["diarize", "--cache", CONVERSATION, CONVERSATION]);
    assert!(failure(&said).starts_with("--cache: expected a folder"), "{said:?}");
}

#[test]
fn number_and_memory_of_a_gpu() {
    let gpu = ["--device-id", "1", "--device-memory", "1048576"];
    output(&[&["validate", "--provider", "cpu"], &gpu[..], &["tests/data/models/good.onnx"]].concat());
    let said = run(&["diarize", "--device-id", "64", CONVERSATION]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("--device-id: expected 0 to 63, got 64"), "{said:?}");
    let said = run(&["diarize", "--device-memory", "5", CONVERSATION]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("--device-memory: expected 0 or 1048576 to 1099511627776 bytes, got 5"));
}
