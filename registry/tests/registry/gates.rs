//! What `publish` refuses.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::fs;
use std::path::Path;

use serde_json::Value;
use voiceflow_registry::Digest;

use crate::support::{User, root};

/// A copy of the model that ships.
struct Copy {
    user: User,
    folder: tempfile::TempDir,
}

impl Copy {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in ["model.onnx", "golden.json", "metadata.json", "validation_report.json"] {
            fs::copy(root().join("models/fast-cnn/1.0.1").join(file), folder.path().join(file)).unwrap();
        }
        Self { user: User::new(), folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn edit(&self, file: &str, change: impl Fn(&mut Value)) {
        let path = self.path().join(file);
        let mut value: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        fs::write(path, value.to_string()).unwrap();
    }

    /// The reasons for which it is not published; nothing is written.
    fn refused(&self) -> String {
        let (code, out, error) = self.user.fail(&["publish", self.path().to_str().unwrap()]);
        assert_eq!(code, 1, "{out}{error}");
        assert!(error.contains("not published, for "), "{error}");
        assert!(!self.user.home.path().join("registry/fast-cnn/1.0.2").exists());
        out
    }
}

#[test]
fn bundles_that_do_not_agree_with_themselves_are_refused() {
    let copy = Copy::new();
    copy.edit("metadata.json", |metadata| metadata["version"] = "1.0.2".into());
    assert_eq!(
        copy.refused(),
        "expected fast-cnn 1.0.2 of metadata.json, found fast-cnn 1.0.1 in the models\n"
    );
    let copy = Copy::new();
    copy.edit("metadata.json", |metadata| metadata["sha256"] = "0".into());
    copy.edit("golden.json", |golden| golden["model_sha256"] = "1".into());
    fs::write(copy.path().join("checksum.sha256"), format!("{}  model.onnx\n", Digest::of(b""))).unwrap();
    let out = copy.refused();
    for expected in [
        "metadata.json: expected sha256 945ab8d4",
        "golden.json: expected that of model.onnx",
        "model.onnx: expected sha256 e3b0c442",
    ] {
        assert!(out.lines().any(|line| line.starts_with(expected)), "{expected}: {out}");
    }
    fs::remove_file(copy.path().join("golden.json")).unwrap();
    assert!(copy.refused().contains("golden.json: expected the golden vector of model.onnx, there is none"));
    fs::remove_file(copy.path().join("model.onnx")).unwrap();
    assert!(
        copy.refused().contains("expected model.onnx, or segmentation.onnx and embedding.onnx, found none")
    );
}

#[test]
fn models_that_compute_something_else_are_refused() {
    let copy = Copy::new();
    copy.edit("golden.json", |golden| golden["activity"]["data"][0] = 0.1.into());
    let out = copy.refused();
    assert!(
        out.starts_with("model.onnx: ") && out.contains("activity: expected the known values within"),
        "{out}"
    );
    let broken = root().join("tests/data/models/nan.onnx");
    fs::copy(&broken, copy.path().join("model.onnx")).unwrap();
    let out = copy.refused();
    assert!(
        out.contains("model.onnx: output `embedding` on silence: expected finite values, found NaN"),
        "{out}"
    );
}

#[test]
fn models_without_a_good_report_are_refused() {
    let copy = Copy::new();
    copy.edit("validation_report.json", |report| {
        report["evaluation"]["model"]["sha256"] = "0".into();
        report["largest_difference_from_pytorch"] = 1.0.into();
        report["evaluation"]["diarization"]["test"]["overall"]["der"] = 0.5.into();
        report["evaluation"]["diarization"].as_object_mut().unwrap().remove("sim-test");
    });
    let out = copy.refused();
    for expected in [
        "validation_report.json: evaluation: expected that of model.onnx with sha256 945ab8d4",
        "validation_report.json: largest_difference_from_pytorch: expected at most 0.0001, found 1",
        "DER on test: expected at most 38.00 %, found 50.00 %",
        "DER on sim-test: expected at most 19.00 %, found none",
    ] {
        assert!(out.lines().any(|line| line.starts_with(expected)), "{expected}: {out}");
    }
    fs::write(copy.path().join("validation_report.json"), "{}").unwrap();
    assert!(
        copy.refused()
            .contains("validation_report.json: expected a report with an evaluation: missing field")
    );
    fs::remove_file(copy.path().join("validation_report.json")).unwrap();
    assert!(
        copy.refused()
            .contains("validation_report.json: expected the report of an evaluation, there is none")
    );
}

#[test]
fn a_version_has_to_be_above_the_present_one_and_no_worse() {
    let copy = Copy::new();
    let folder = copy.path().to_str().unwrap();
    copy.user.run(&["publish", folder]);
    copy.user.run(&["promote", "fast-cnn@1.0.1", "stable"]);
    // The same version with other contents, and a higher DER.
    copy.edit("validation_report.json", |report| {
        report["evaluation"]["diarization"]["tune"]["overall"]["der"] = 0.3294.into();
    });
    let out = copy.refused();
    assert_eq!(
        out,
        "version: expected one above 1.0.1, which fast-cnn@stable names, found 1.0.1\nDER on tune: expected at \
         most 0.50 % above the 31.94 % of the present version, found 32.94 %\n"
    );
    let gates = copy.user.home.path().join("gates.toml");
    fs::write(&gates, "[all]\nworse = 0.02\n").unwrap();
    let (_, out, _) = copy.user.fail(&["publish", folder, "--gates", gates.to_str().unwrap()]);
    assert!(out.starts_with("version: ") && out.lines().count() == 1, "{out}");
    // Another channel names nothing yet, but a version never changes.
    let (code, _, error) = copy.user.fail(&["publish", folder, "--channel", "canary"]);
    assert!(code == 1 && error.contains("versions never change"), "{error}");
    fs::write(&gates, "[all]\nworst = 0.02\n").unwrap();
    let (code, _, error) = copy.user.fail(&["publish", folder, "--gates", gates.to_str().unwrap()]);
    assert!(code == 2 && error.contains("unknown field `worst`"), "{error}");
}
