//! The program as its users run it, with the model that ships.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::fs;
use std::path::Path;

use voiceflow::{Call, Config, Diarizer};
use voiceflow_registry::Digest;

use crate::servers;
use crate::support::{KEY, Key, User, bundle, open, release, root, staged, wait};

const FAST: &str = "models/fast-cnn/1.0.1";

#[test]
fn a_model_is_published_promoted_and_used() {
    let bucket = servers::plain_s3();
    let user = User::new().at(&bucket.url, &bucket.variables);
    let published = user.json(&["publish", FAST]);
    assert_eq!(published["published"]["name"], "fast-cnn");
    assert_eq!(published["new"], true);
    assert_eq!(
        published["left_out"],
        serde_json::json!(["model.fp32.golden.json", "model.fp32.onnx", "weights.pt"])
    );
    assert!(user.run(&["publish", FAST]).starts_with("fast-cnn 1.0.1 is there already"));
    assert_eq!(user.run(&["promote", "fast-cnn@1.0.1", "stable"]), "fast-cnn@stable names 1.0.1 (move 1)\n");
    assert_eq!(user.run(&["promote", "fast-cnn@stable", "canary"]), "fast-cnn@canary names 1.0.1 (move 1)\n");
    let list = user.run(&["list"]);
    let mut rows = list.lines();
    assert_eq!(
        rows.next().unwrap().split_whitespace().collect::<Vec<_>>(),
        ["model", "version", "MB", "written", "channels"]
    );
    let row = rows.next().unwrap();
    assert!(row.starts_with("fast-cnn  1.0.1    3.1") && row.ends_with("canary, stable"), "{row}");
    let shown = user.run(&["show", "fast-cnn"]);
    assert!(shown.contains("\nDER      17.79 % on sim-test\n"), "{shown}");
    assert!(shown.contains("channel  fast-cnn@stable, move 1 of "), "{shown}");
    assert!(
        user.run(&["verify", "fast-cnn"]).starts_with("fast-cnn 1.0.1: signature and files are good, 31")
    );
    let folder = user.run(&["pull", "fast-cnn@stable"]);
    let folder = Path::new(folder.strip_suffix('\n').unwrap());
    assert_eq!(
        fs::read(folder.join("model.onnx")).unwrap(),
        fs::read(root().join(FAST).join("model.onnx")).unwrap()
    );
    // What `--models` takes: the folder, and the link of the cache.
    for bundle in [folder.to_owned(), user.home.path().join("cache/names/fast-cnn")] {
        let mut config = Config::default();
        config.set_bundle(bundle);
        let info = Diarizer::load(&config, &Call::none()).unwrap().model().clone();
        assert_eq!((info.name.as_str(), info.version.as_str()), ("fast-cnn", "1.0.1"));
    }
    let pulled = user.json(&["pull", "fast-cnn"]);
    assert_eq!(pulled["fetched"], false);
    assert_eq!(pulled["stale"], serde_json::Value::Null);
    let nothing = user.run(&["gc", "--keep", "0", "--days", "0", "--delete"]);
    assert_eq!(nothing, "nothing to remove\n");
}

/// The bundle out of published weights, with the report of an evaluation that says what it
/// measured.
#[test]
fn a_pair_is_published_with_both_of_its_models() {
    let made = root().join(".models/accurate");
    assert!(
        made.join("metadata.json").is_file(),
        "{}: not there; run `make models-accurate`",
        made.display()
    );
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(&made).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    let user = User::new();
    let path = folder.path().to_str().unwrap();
    let digest = |file: &str| Digest::of(&fs::read(folder.path().join(file)).unwrap());
    let report = |embedding: Digest| {
        let files = serde_json::json!({"segmentation.onnx": digest("segmentation.onnx"), "embedding.onnx": embedding});
        let evaluation = serde_json::json!({
            "format": "voiceflow.evaluation", "version": 1, "model": {"files": files},
            "diarization": {"tune": {"overall": {"der": 0.2}}},
        });
        let text = serde_json::json!({"evaluation": evaluation}).to_string();
        fs::write(folder.path().join("validation_report.json"), text).unwrap();
    };
    report(Digest::of(b"another"));
    let (_, out, _) = user.fail(&["publish", path]);
    assert!(
        out.starts_with("validation_report.json: evaluation: expected that of embedding.onnx with sha256 "),
        "{out}"
    );
    report(digest("embedding.onnx"));
    let published = user.json(&["publish", path]);
    let (name, version) = (&published["published"]["name"], &published["published"]["version"]);
    assert_eq!(name, "accurate");
    assert_eq!(published["left_out"], serde_json::json!([]));
    let reference = format!("accurate@{}", version.as_str().unwrap());
    let pulled = user.json(&["pull", &reference]);
    let mut config = Config::default();
    config.set_bundle(pulled["folder"].as_str().unwrap());
    let info = Diarizer::load(&config, &Call::none()).unwrap().model().clone();
    assert_eq!((info.name.as_str(), info.version.as_str()), ("accurate", version.as_str().unwrap()));
    // The two models in each other's place.
    let models = ["segmentation.onnx", "embedding.onnx"].map(|file| folder.path().join(file));
    fs::rename(&models[0], folder.path().join("other")).unwrap();
    fs::rename(&models[1], &models[0]).unwrap();
    fs::rename(folder.path().join("other"), &models[1]).unwrap();
    let (_, out, _) = user.fail(&["publish", path]);
    assert!(
        out.contains("segmentation.onnx: expected a model of kind Segmentation, found Embedding"),
        "{out}"
    );
}

#[test]
fn a_registry_that_is_down_is_told_with_what_is_done_about_it() {
    let user = User::new().at(
        "s3://models/x",
        &[
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1".to_owned()),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_ACCESS_KEY_ID", "a".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "b".to_owned()),
        ],
    );
    let (code, out, error) = user.fail(&["--timeout", "2", "pull", "tiny"]);
    assert_eq!((code, out.as_str()), (1, ""), "{error}");
    let place = "voiceflow-models: s3://models/x/tiny/channels/stable.json: cannot be reached: ";
    assert!(error.starts_with(place) && error.lines().count() == 1, "{error}");
    // The same user with a warm cache of that registry.
    let bucket = servers::plain_s3();
    let user = User::new().at(&bucket.url, &bucket.variables);
    release(&servers::open(&bucket), "1.0.0", "one");
    let folder = user.run(&["pull", "tiny"]);
    let down =
        user.program(&["pull", "tiny"]).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").output().unwrap();
    assert!(down.status.success());
    assert_eq!(String::from_utf8(down.stdout).unwrap(), folder);
    let error = String::from_utf8(down.stderr).unwrap();
    assert!(
        error.starts_with("voiceflow-models: warning: s3://")
            && error.ends_with("going on with tiny 1.0.0\n"),
        "{error}"
    );
}

#[test]
fn arguments_that_make_no_sense_end_with_2() {
    let user = User::new();
    let registry = open(user.home.path().join("registry").to_str().unwrap());
    release(&registry, "1.0.0", "one");
    let cases: [(&[&str], &str); 9] = [
        (&["pull", "Tiny"], "model: expected a lowercase letter"),
        (&["pull", "tiny@1.0"], "version: expected one of semver"),
        (&["promote", "tiny@0.1.0", "stable"], "expected one above 1.0.0"),
        (&["rollback", "tiny@1.0.0"], "expected MODEL@CHANNEL"),
        (&["rollback", "tiny", "--to", "2.0.0"], "expected one below 1.0.0"),
        (&["gc", "--days=-1"], "--days: expected a time of 0 or more, got -1"),
        (&["--timeout", "0", "list"], "--timeout: expected 0.1 to 3600, got 0"),
        (&["--key", "nothing", "list"], "trusted key: expected a public key of minisign"),
        (&["--registry", "ftp://x", "list"], "registry: expected a folder"),
    ];
    for (arguments, expected) in cases {
        let (code, _, error) = user.fail(arguments);
        assert!(code == 2 && error.contains(expected), "{arguments:?}: {code}: {error}");
    }
    let bare = user
        .program(&["promote", "tiny@1.0.0", "canary"])
        .env_remove("VOICEFLOW_SIGNING_KEY")
        .output()
        .unwrap();
    let error = String::from_utf8(bare.stderr).unwrap();
    assert!(
        bare.status.code() == Some(2) && error.contains("secret key: expected one whose public key"),
        "{error}"
    );
    Key::new().write(&user.home.path().join("secret.key"));
    let (code, _, error) = user.fail(&["promote", "tiny@1.0.0", "canary"]);
    assert!(code == 1 && error.contains("found one of another key"), "{error}");
}

#[test]
fn settings_come_from_flags_then_variables_then_the_file() {
    let mut user = User::new();
    let home = user.home.path().to_owned();
    let registry = open(home.join("elsewhere").to_str().unwrap());
    release(&registry, "1.0.0", "one");
    user.variables.retain(|(name, _)| name == "HOME");
    let (code, _, error) = user.fail(&["list"]);
    assert!(
        code == 2 && error.contains("expected a registry: --registry URL or VOICEFLOW_REGISTRY"),
        "{error}"
    );
    fs::create_dir_all(home.join(".config/voiceflow")).unwrap();
    let text = format!("registry = {:?}\ntrusted_keys = [{:?}]\n", home.join("elsewhere"), KEY.public());
    fs::write(home.join(".config/voiceflow/models.toml"), &text).unwrap();
    let folder = user.run(&["pull", "tiny"]);
    assert!(folder.starts_with(home.join(".cache/voiceflow/models").to_str().unwrap()), "{folder}");
    let empty = home.join("empty").display().to_string();
    user.variables.push(("VOICEFLOW_REGISTRY".into(), empty));
    assert!(!user.run(&["list"]).contains("tiny"));
    let flag = home.join("elsewhere").display().to_string();
    assert!(user.run(&["--registry", &flag, "list"]).contains("tiny"));
    fs::write(home.join("wrong.toml"), "registy = \"x\"").unwrap();
    let wrong = home.join("wrong.toml").display().to_string();
    let (code, _, error) = user.fail(&["--config", &wrong, "list"]);
    assert!(
        code == 2 && error.contains("wrong.toml") && error.contains("unknown field `registy`"),
        "{error}"
    );
}

#[test]
fn a_folder_of_ones_own_needs_no_signatures() {
    let mut user = User::new();
    user.variables
        .retain(|(name, _)| !["VOICEFLOW_TRUSTED_KEYS", "VOICEFLOW_SIGNING_KEY"].contains(&name.as_str()));
    let url = user.home.path().join("registry").display().to_string();
    let trust = voiceflow_registry::Trust::default();
    let registry = voiceflow_registry::Registry::open(&url, trust, crate::support::PATIENCE).unwrap();
    wait(registry.publish(&staged(&bundle("1.0.0", "one")), None)).unwrap();
    user.run(&["promote", "tiny@1.0.0", "stable"]);
    user.run(&["pull", "tiny"]);
    assert!(user.run(&["verify", "tiny"]).contains("no key is trusted, so no signature was checked"));
    let gone = user.run(&["gc", "--keep", "0", "--days", "0", "--delete"]);
    assert_eq!(gone, "nothing to remove\n");
    assert!(user.fail(&["--key", &KEY.public(), "pull", "tiny"]).2.contains("found no signature"));
}
