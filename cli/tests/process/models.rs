//! `voiceflow diarize` with two public models. The fixtures have random weights: what they find is
//! noise, but the same noise every time.

use std::path::Path;

use serde_json::Value;
use tempfile::TempDir;
use voiceflow::output::rttm;

use crate::support::{CONVERSATION, Said, failure, output, root, run, say, voiceflow};

const SEGMENTATION: &str = "tests/data/families/segmentation.onnx";
const EMBEDDING: &str = "tests/data/families/campplus.onnx";
const PAIR: [&str; 4] = ["--segmentation-model", SEGMENTATION, "--embedding-model", EMBEDDING];
/// A model of another kind.
const JOINT: &str = "tests/data/models/good.onnx";

/// `diarize` of the conversation as RTTM, with more arguments.
fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["diarize", "--format", "rttm"], more, &[CONVERSATION]].concat()
}

/// A folder as `--models` wants it, in `parent`.
fn pair_in(parent: &Path) -> String {
    std::fs::create_dir_all(parent).unwrap();
    std::fs::copy(root().join(SEGMENTATION), parent.join("segmentation.onnx")).unwrap();
    std::fs::copy(root().join(EMBEDDING), parent.join("embedding.onnx")).unwrap();
    parent.to_str().unwrap().to_owned()
}

/// Asserts that clap refuses `arguments`, and that its first lines hold each of `parts`.
fn refused_by_clap(arguments: &[&str], parts: &[&str]) {
    let said = run(arguments);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    let reason = said.err.split("\n\n").next().unwrap();
    assert!(parts.iter().all(|part| reason.contains(part)), "{reason}");
}

/// Asserts that the arguments are refused as making no sense, and gives the reason.
fn usage(said: &Said) -> &str {
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{said:?}");
    said.err.strip_prefix("voiceflow: ").unwrap().trim_end()
}

#[test]
fn every_format() {
    let text = output(&with(&PAIR));
    let turns = &rttm::parse(&text).unwrap()["conversation"];
    assert!(turns.len() > 1, "{text}");

    let format = |name: &str| output(&[&["diarize", "--format", name], &PAIR[..], &[CONVERSATION]].concat());
    let json: Value = serde_json::from_str(&format("json")).unwrap();
    assert_eq!(json["segments"].as_array().unwrap().len(), turns.len());
    assert!(json["speakers"][0]["embedding"].is_null(), "not asked for");
    let arguments = [&["diarize", "--format", "json", "--embeddings"], &PAIR[..], &[CONVERSATION]].concat();
    let json: Value = serde_json::from_str(&output(&arguments)).unwrap();
    assert_eq!(json["speakers"][0]["embedding"].as_array().unwrap().len(), 16, "the fixture's dimension");
    assert_eq!(format("srt").matches(" --> ").count(), turns.len());
    assert!(format("table").starts_with("start s "));
}

#[test]
fn a_folder_by_path_and_by_name() {
    let expected = output(&with(&PAIR));
    let folder = TempDir::new().unwrap();
    let named = pair_in(&folder.path().join(".models/mine"));
    assert_eq!(output(&with(&["--models", &named])), expected);

    let by_variable = say(voiceflow()
        .env("VOICEFLOW_MODELS", folder.path().join(".models"))
        .args(with(&["--models", "mine"])));
    assert_eq!((by_variable.code, by_variable.out.as_str()), (0, expected.as_str()), "{by_variable:?}");

    let recording = root().join(CONVERSATION);
    let by_place = say(voiceflow()
        .current_dir(&folder)
        .args(["diarize", "--format", "rttm", "--models", "mine"])
        .arg(recording));
    assert_eq!((by_place.code, by_place.out), (0, expected));
}

#[test]
fn each_option_of_clustering_takes_effect() {
    for more in [
        &["--clustering", "centroid", "--min-cluster-size", "2"][..],
        &["--clustering", "average", "--clustering-threshold", "1.5"],
        &["--frontend", "sherpa"],
        &["--embedding-family", "3d-speaker"],
        &["--receptive-field", "991", "270"],
        &["--num-speakers", "2", "--hop", "5"],
    ] {
        let text = output(&with(&[&PAIR, more].concat()));
        assert!(text.lines().count() > 1, "{more:?}: {text}");
    }
    let without_metadata = SEGMENTATION.replace(".onnx", "_no_metadata.onnx");
    output(&with(&["--segmentation-model", &without_metadata, "--embedding-model", EMBEDDING]));
}

#[test]
fn a_bundle_that_is_not_there_names_the_places_and_the_way_out() {
    // A program of its own place, as the one under test may lie beside such a folder.
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("voiceflow");
    std::fs::copy(env!("CARGO_BIN_EXE_voiceflow"), &program).unwrap();
    let say_in = |variable: Option<&str>, name: &str| {
        let mut command = std::process::Command::new(&program);
        command.env_clear().current_dir(&folder).args(["diarize", "--models", name, "a.wav"]);
        failure(&say(command.envs(variable.map(|value| ("VOICEFLOW_MODELS", value))))).to_owned()
    };
    let expected =
        "expected a folder with model.onnx, or with segmentation.onnx and embedding.onnx, found none in";
    let own = folder.path().canonicalize().unwrap();
    let beside = format!(
        "{0}/models/accurate, {0}/../share/voiceflow/models/accurate, \
             {0}/../../share/voiceflow/models/accurate, .models of a folder above {0}",
        own.display()
    );
    let hint = "; this library was built without it: `pip install libvoiceflow-models-accurate` or \
                `make models-accurate` brings it";
    assert_eq!(
        say_in(None, "accurate"),
        format!("--models accurate: {expected} accurate, .models/accurate, {beside}{hint}")
    );
    assert_eq!(
        say_in(Some("/mine"), "accurate"),
        format!("--models accurate: {expected} /mine/accurate, accurate, .models/accurate, {beside}{hint}")
    );
    assert_eq!(say_in(Some("/mine"), "a/b"), format!("--models a/b: {expected} a/b"));
}

#[test]
fn arguments_that_exclude_or_need_each_other() {
    for (first, second) in
        [("--model", "--models"), ("--model", "--segmentation-model"), ("--models", "--embedding-model")]
    {
        let parts = [first, second, "cannot be used with"];
        refused_by_clap(&["diarize", first, "a", second, "b", CONVERSATION], &parts);
    }
    for (given, missing) in
        [("--segmentation-model", "--embedding-model"), ("--embedding-model", "--segmentation-model")]
    {
        let parts = ["required arguments were not provided", missing];
        refused_by_clap(&["diarize", given, "a", CONVERSATION], &parts);
    }
    for (argument, value) in
        [("--clustering", "ward"), ("--embedding-family", "speechbrain"), ("--frontend", "htk")]
    {
        refused_by_clap(&with(&[argument, value]), &["invalid value", value, "possible values"]);
    }
}

#[test]
fn arguments_without_effect_or_out_of_range() {
    let public = "--embedding-family, --frontend and --receptive-field: expected --models, or --segmentation-model and \
                  --embedding-model, with them";
    for more in
        [&["--embedding-family", "nemo"][..], &["--frontend", "sherpa"], &["--receptive-field", "991", "270"]]
    {
        assert_eq!(usage(&run(&with(more))), public);
    }
    for more in [&["--plda", "tests"][..], &["--plda", "tests", "--clustering", "centroid"]] {
        assert_eq!(usage(&run(&with(more))), "--plda: expected --clustering vbx with it");
    }
    for (more, reason) in [
        (&["--receptive-field", "270", "991"][..], "--receptive-field STEP: expected 1 to 270, got 991"),
        (&["--min-cluster-size", "0"], "--min-cluster-size: expected 1 to 1000, got 0"),
        (&["--min-cluster-size", "1001"], "--min-cluster-size: expected 1 to 1000, got 1001"),
        (&["--clustering-threshold", "2.5"], "--clustering-threshold: expected 0 to 2, got 2.5"),
    ] {
        assert_eq!(usage(&run(&with(&[&PAIR, more].concat()))), reason);
    }
    let said = run(&with(&[&PAIR, &["--hop", "20"][..]].concat()));
    assert_eq!(failure(&said), "--hop: expected at most the model's window (10 s), got 20");
}

#[test]
fn models_in_the_wrong_place_and_files_that_are_no_models() {
    let segmentation = "expected a segmentation network with one input float32 [batch, 1, samples] and an output \
                        float32 [batch, frames, classes], found the inputs `";
    let embedding = "expected a speaker embedding network with features float32 [batch, frames, bins] or [batch, bins, \
                     frames] as its first input, found the inputs `";
    let garbage = "not a valid ONNX model: ";
    for (first, second, file, reason) in [
        (EMBEDDING, SEGMENTATION, EMBEDDING, segmentation),
        (JOINT, EMBEDDING, JOINT, segmentation),
        (SEGMENTATION, SEGMENTATION, SEGMENTATION, embedding),
        (SEGMENTATION, JOINT, JOINT, embedding),
        ("Cargo.toml", EMBEDDING, "Cargo.toml", garbage),
        (SEGMENTATION, "Cargo.toml", "Cargo.toml", garbage),
        ("nowhere.onnx", EMBEDDING, "nowhere.onnx", "no such file"),
        (SEGMENTATION, "tests", "tests", "expected a regular file, found a folder"),
    ] {
        let said = run(&with(&["--segmentation-model", first, "--embedding-model", second]));
        assert!(failure(&said).starts_with(&format!("{file}: {reason}")), "{said:?}");
        assert_eq!(said.out, "");
    }
    let said = run(&with(&[&PAIR, &["--embedding-family", "nemo"][..]].concat()));
    let reason =
        "expected a speaker embedding network of the family nemo with inputs float32 [batch, bins, frames]";
    assert!(failure(&said).starts_with(&format!("{EMBEDDING}: {reason}")), "{said:?}");

    let half = TempDir::new().unwrap();
    std::fs::copy(root().join(SEGMENTATION), half.path().join("segmentation.onnx")).unwrap();
    let said = run(&with(&["--models", half.path().to_str().unwrap()]));
    let expected =
        "expected a folder with model.onnx, or with segmentation.onnx and embedding.onnx, found none in";
    let folder = half.path().display();
    assert_eq!(failure(&said), format!("--models {folder}: {expected} {folder}"));
}

#[test]
fn a_bundle_of_a_joint_model_is_that_model() {
    let fast = root().join("models/fast-cnn/1.0.1");
    assert_eq!(output(&with(&["--models", fast.to_str().unwrap()])), output(&with(&[])));
}

#[test]
fn options_that_are_not_set_follow_the_bundle() {
    let folder = TempDir::new().unwrap();
    let name = pair_in(folder.path());
    let tuning = r#"{"clustering": "average", "clustering_threshold": 0.3, "hop_s": 1.0, "min_speech_s": 0.5,
        "min_silence_s": 0.4}"#;
    std::fs::write(folder.path().join("metadata.json"), format!(r#"{{"tuning": {tuning}}}"#)).unwrap();
    let tuned = output(&with(&["--models", &name]));
    let options = ["--clustering", "average", "--clustering-threshold", "0.3", "--hop", "1"];
    let smoothing = ["--min-speech", "0.5", "--min-silence", "0.4"];
    assert_eq!(tuned, output(&with(&[&PAIR[..], &options, &smoothing].concat())));
    assert_ne!(tuned, output(&with(&PAIR)));
    let none = ["--min-speech", "0", "--min-silence", "0"];
    let unsmoothed = output(&with(&[&["--models", &name][..], &none].concat()));
    assert_eq!(unsmoothed, output(&with(&[&PAIR[..], &options].concat())));
}

#[test]
fn public_models_bring_no_plda_and_the_embedded_one_does() {
    let said = run(&with(&[&PAIR, &["--clustering", "vbx"][..]].concat()));
    let expected = "--plda: expected the folder of a PLDA for the clustering method vbx, got none";
    assert!(said.err.contains(expected), "{said:?}");
    assert_eq!(output(&with(&["--clustering", "vbx"])), output(&with(&[])));
}

#[test]
fn a_plda_that_cannot_be_read() {
    let folder = TempDir::new().unwrap();
    let name = folder.path().to_str().unwrap();
    let said = || run(&with(&[&PAIR, &["--clustering", "vbx", "--plda", name][..]].concat()));
    assert_eq!(failure(&said()), format!("{name}/xvec_transform.npz: no such file"));
    std::fs::write(folder.path().join("xvec_transform.npz"), "no archive").unwrap();
    let expected = format!("{name}/xvec_transform.npz: expected a NumPy archive, found no readable ZIP file");
    assert!(failure(&said()).starts_with(&expected));
}

#[test]
fn a_result_does_not_overwrite_what_the_models_are_read_from() {
    let folder = TempDir::new().unwrap();
    let name = pair_in(folder.path());
    std::fs::write(folder.path().join("embedding.import.json"), "{}").unwrap();
    let recording = folder.path().join("embedding.import.flac");
    std::fs::copy(root().join(CONVERSATION), &recording).unwrap();
    let recording = recording.to_str().unwrap();
    let (segmentation, embedding) = (format!("{name}/segmentation.onnx"), format!("{name}/embedding.onnx"));
    let written = format!("{name}/embedding.import.json would overwrite an input file");
    for models in
        [&["--models", &name][..], &["--segmentation-model", &segmentation, "--embedding-model", &embedding]]
    {
        let said = run(&[&["diarize", "--format", "json", "--output", &name], models, &[recording]].concat());
        assert_eq!(usage(&said), written);
    }
    // A result would take the place of what a link leads to.
    #[cfg(unix)]
    {
        let link = folder.path().join("conversation.rttm");
        std::os::unix::fs::symlink(&segmentation, &link).unwrap();
        let said = run(&with(&["--models", &name, "--output", &name]));
        assert_eq!(usage(&said), format!("{} would overwrite an input file", link.display()));
    }
}
