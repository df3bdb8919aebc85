//! `voiceflow import-model`: what it says, what it writes, and that a diarizer takes it.

use tempfile::TempDir;

use crate::support::{CONVERSATION, failure, output, root, run};

/// A copy of a fixture in a folder of its own.
fn copy(name: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join(format!("{name}.onnx"));
    std::fs::copy(root().join(format!("tests/data/families/{name}.onnx")), &file).unwrap();
    let file = file.to_str().unwrap().to_owned();
    (folder, file)
}

fn names(folder: &TempDir) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_network_that_can_be_split() {
    let (folder, file) = copy("campplus");
    let said = output(&["import-model", &file]);
    let stem = file.strip_suffix(".onnx").unwrap();
    assert_eq!(
        said,
        format!(
            "{file}: split at `/tdnn/tdnn.1/tdnn.1.1/Relu_output_0`\nwrote {stem}.frames.onnx\nwrote \
             {stem}.pooling.onnx\nwrote {stem}.import.json\n"
        )
    );
    let written = ["campplus.frames.onnx", "campplus.import.json", "campplus.onnx", "campplus.pooling.onnx"];
    assert_eq!(names(&folder), written);

    // Once more over what is there, and then in use: the result is that of the file alone.
    assert_eq!(output(&["import-model", &file]), said);
    let diarize = |embedding: &str| {
        let segmentation = "tests/data/families/segmentation.onnx";
        let pair = ["--segmentation-model", segmentation, "--embedding-model", embedding];
        output(&[&["diarize", "--format", "rttm"], &pair[..], &[CONVERSATION]].concat())
    };
    assert_eq!(diarize(&file), diarize("tests/data/families/campplus.onnx"));
    assert_eq!(names(&folder), written);
}

#[test]
fn networks_that_run_as_a_whole() {
    for (name, reason) in [
        ("wespeaker_ecapa", "its frames depend on all others from the first layers on"),
        ("titanet", "it is told the number of frames, on which all of them depend"),
        ("speakernet", "it is told the number of frames, on which all of them depend"),
    ] {
        let (folder, file) = copy(name);
        let stem = file.strip_suffix(".onnx").unwrap();
        assert_eq!(
            output(&["import-model", &file]),
            format!("{file}: runs as a whole: {reason}\nwrote {stem}.import.json\n")
        );
        assert_eq!(names(&folder), [format!("{name}.import.json"), format!("{name}.onnx")]);
    }
}

#[test]
fn what_is_no_embedding_model_is_left_alone() {
    let (folder, file) = copy("segmentation");
    let said = run(&["import-model", &file]);
    let expected = format!("{file}: expected a speaker embedding network with features float32 ");
    assert!(failure(&said).starts_with(&expected), "{said:?}");
    assert_eq!(names(&folder), ["segmentation.onnx"]);

    for (path, reason) in [("nowhere.onnx", "no such file"), ("Cargo.toml", "not a valid ONNX model: ")] {
        let said = run(&["import-model", path]);
        assert!(failure(&said).starts_with(&format!("{path}: {reason}")), "{said:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let (folder, file) = copy("titanet");
    // A folder in the place of the file, as root writes anywhere.
    std::fs::create_dir(folder.path().join("titanet.import.json")).unwrap();
    let said = run(&["import-model", &file]);
    assert!(failure(&said).contains("titanet.import.json: "), "{said:?}");
}
