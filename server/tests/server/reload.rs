//! Models that change while the server runs: what is under way stays, what fails changes nothing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread::scope;
use std::time::Duration;

use serde_json::{Value, json};

use crate::streams::{Client, as_i16, bytes_of, expected_segments, samples};
use crate::support::{Server, root, wait_until, wav};

/// The model that the library has, in the repository.
const MODEL: &str = "models/fast-cnn/1.0.1/model.onnx";
/// A bundle of that model as `version` below `folder`, with these of its numbers written as others
/// of the same length.
pub fn bundle(folder: &Path, version: &str, changes: &[(&str, &str)]) -> PathBuf {
    let mut bytes = fs::read(root().join(MODEL)).unwrap();
    let own = [("\u{5}1.0.1", format!("\u{5}{version}"))];
    let own = own.iter().map(|(old, new)| (*old, new.as_str()));
    for (old, new) in own.chain(changes.iter().copied()) {
        assert_eq!(old.len(), new.len(), "{old} {new}");
        let found: Vec<usize> =
            (0..bytes.len() - old.len()).filter(|at| bytes[*at..].starts_with(old.as_bytes())).collect();
        assert_eq!(found.len(), 1, "{old}");
        bytes[found[0]..found[0] + new.len()].copy_from_slice(new.as_bytes());
    }
    let bundle = folder.join(version);
    fs::create_dir(&bundle).unwrap();
    fs::write(bundle.join("model.onnx"), bytes).unwrap();
    bundle
}

/// A bundle that is none.
pub fn broken(folder: &Path) -> PathBuf {
    let bundle = folder.join("broken");
    fs::create_dir(&bundle).unwrap();
    let bytes = fs::read(root().join(MODEL)).unwrap();
    fs::write(bundle.join("model.onnx"), &bytes[..bytes.len() / 2]).unwrap();
    bundle
}

/// Lets `link` mean `bundle` from now on, at once.
pub fn point(link: &Path, bundle: &Path) {
    let new = link.with_extension("new");
    symlink(bundle, &new).unwrap();
    fs::rename(new, link).unwrap();
}

/// The start of the recording, which is answered soon.
pub fn short_recording() -> Vec<u8> {
    wav(&as_i16(&samples()[..4 * 16_000]), 16_000)
}

/// The model that answers a recording.
pub fn answering(server: &Server) -> String {
    let answer = server.diarize("", &short_recording());
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.header("x-voiceflow-model").unwrap().to_owned()
}

fn reload(server: &Server, body: &Value) -> (u16, Value) {
    let answer = server.post_admin("/reload", &body.to_string());
    (answer.status, answer.json())
}

#[test]
fn a_reload_is_for_what_is_new_and_a_rollback_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (bundle(folder.path(), "1.0.1", &[]), bundle(folder.path(), "1.0.2", &[]));
    let link = folder.path().join("current");
    point(&link, &one);
    let server = Server::start(&["live.capacity=4", &format!("model.bundle={}", link.display())]);
    assert_eq!(answering(&server), "fast-cnn/1.0.1");

    // Under way on the first one.
    let mut stream = Client::open(&server, "");
    let speech = as_i16(&samples());
    let bytes = bytes_of(&speech);
    stream.send_all(&bytes[..bytes.len() / 2], &[16_000]);

    let unchanged = server.post_admin("/reload", "");
    assert_eq!((unchanged.status, &unchanged.json()["arms"][0]["changed"]), (200, &json!(false)));
    point(&link, &two);
    let (status, changed) = reload(&server, &json!({}));
    let arm = &changed["arms"][0];
    assert_eq!((status, &arm["arm"], &arm["model"]), (200, &json!("stable"), &json!("fast-cnn/1.0.2")));
    assert!(arm["changed"] == true && arm["seconds"].as_f64().unwrap() > 0.0, "{changed}");
    assert_eq!(answering(&server), "fast-cnn/1.0.2");
    assert_eq!(server.get("/v1/models").json()["data"][0]["version"], "1.0.2");
    assert_eq!(server.get_admin("/arms").json()["loaded"], 2);

    // The stream ends as it began, and the old model is freed.
    stream.send_all(&bytes[bytes.len() / 2..], &[16_000]);
    stream.say(json!({"type": "audio.end"}));
    stream.read_all();
    assert_eq!(stream.segments(), expected_segments(&speech, 1.0));
    wait_until("the old model is freed", || server.get_admin("/arms").json()["loaded"] == 1);

    // What cannot be loaded changes nothing.
    let broken = broken(folder.path());
    let (status, refused) = reload(&server, &json!({"model": broken}));
    let error = &refused["error"];
    assert_eq!((status, &error["code"], &error["param"]), (409, &json!("reload_failed"), &json!("load")));
    let (_, refused) = reload(&server, &json!({"model": "/nowhere"}));
    assert_eq!(refused["error"]["param"], "resolve");
    assert_eq!(answering(&server), "fast-cnn/1.0.2");
    assert_eq!(server.metric("voiceflow_model_reloads_total{outcome=\"failed\"}"), 2.0);
    assert_eq!(server.metric("voiceflow_model_reloads_total{outcome=\"done\"}"), 1.0);

    let back = server.post_admin("/rollback", "").json();
    assert_eq!(back["arms"][0]["model"], "fast-cnn/1.0.1", "{back}");
    assert_eq!(answering(&server), "fast-cnn/1.0.1");
    assert_eq!(server.metric("voiceflow_model_reloads_total{outcome=\"rolled_back\"}"), 1.0);

    for (path, body, param) in [
        ("/reload", r#"{"arm":"other"}"#, "arm"),
        ("/rollback", r#"{"arm":"other"}"#, "arm"),
        ("/arms", r#"{"weights":{"other":1}}"#, "weights"),
        ("/arms", r#"{"weights":{"stable":0}}"#, "weights"),
    ] {
        let answer = server.post_admin(path, body);
        assert_eq!((answer.status, &answer.json()["error"]["param"]), (400, &json!(param)), "{body}");
    }
    assert_eq!(server.post_admin("/reload", r#"{"arms":"stable"}"#).error().1, "malformed_request");
    assert_eq!(server.ask("POST /reload HTTP/1.1", b"").status, 404);
}

#[test]
fn there_must_be_room_for_another_model() {
    let folder = tempfile::tempdir().unwrap();
    let one = bundle(folder.path(), "1.0.1", &[]);
    let two = bundle(folder.path(), "1.0.2", &[]);
    let server =
        Server::start(&["live.capacity=4", "rollout.bundles=2", &format!("model.bundle={}", one.display())]);
    let stream = Client::open(&server, "");
    assert_eq!(reload(&server, &json!({"model": two})).0, 200);
    // The stream still uses the first one.
    let (status, refused) = reload(&server, &json!({"model": one}));
    assert_eq!((status, &refused["error"]["param"]), (409, &json!("memory")));
    drop(stream);
    wait_until("the first one is freed", || reload(&server, &json!({"model": one})).0 == 200);
    assert_eq!(answering(&server), "fast-cnn/1.0.1");
}

#[test]
fn files_are_looked_at_and_what_is_rejected_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (bundle(folder.path(), "1.0.1", &[]), bundle(folder.path(), "1.0.2", &[]));
    let link = folder.path().join("current");
    point(&link, &one);
    let server = Server::start(&[
        "live.capacity=4",
        "rollout.poll_s=0.2",
        &format!("model.bundle={}", link.display()),
    ]);
    point(&link, &two);
    wait_until("the server finds the new model", || answering(&server) == "fast-cnn/1.0.2");
    assert_eq!(server.post_admin("/rollback", "").status, 200);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(answering(&server), "fast-cnn/1.0.1");

    let failed = "voiceflow_model_reloads_total{outcome=\"failed\"}";
    point(&link, &broken(folder.path()));
    server.wait_for_metric(failed, 1.0);
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!((server.metric(failed), answering(&server).as_str()), (1.0, "fast-cnn/1.0.1"));
    // Whoever asks for it gets it.
    assert_eq!(reload(&server, &json!({"model": two})).0, 200);
    assert_eq!(answering(&server), "fast-cnn/1.0.2");
}

#[test]
fn under_load_nothing_fails_while_models_change() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (bundle(folder.path(), "1.0.1", &[]), bundle(folder.path(), "1.0.2", &[]));
    // On a slow machine streams still hold the models of the reload before last.
    let model = format!("model.bundle={}", one.display());
    let server = Server::start(&["live.capacity=8", "rollout.bundles=8", &model]);
    let speech = as_i16(&samples()[..20 * 16_000]);
    let (expected, bytes) = (expected_segments(&speech, 1.0), bytes_of(&speech));
    let server = &server;
    scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2 {
                    let mut stream = Client::open(server, "");
                    // Ten times as fast as it was spoken.
                    for piece in bytes.chunks(3200) {
                        stream.send(piece);
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    stream.say(json!({"type": "audio.end"}));
                    stream.read_all();
                    assert_eq!((stream.segments(), stream.reason()), (expected.clone(), "done"));
                }
            });
        }
        scope.spawn(|| (0..6).for_each(|_| drop(answering(server))));
        for bundle in [&two, &one, &two] {
            let (status, answer) = reload(server, &json!({"model": bundle}));
            assert_eq!(status, 200, "{answer}");
        }
    });
    assert_eq!(answering(server), "fast-cnn/1.0.2");
    for outcome in ["failed", "refused"] {
        for kind in ["live", "batch"] {
            let line =
                format!("voiceflow_answers_total{{kind=\"{kind}\",arm=\"stable\",outcome=\"{outcome}\"}}");
            assert_eq!(server.metric(&line), 0.0, "{line}");
        }
    }
    wait_until("old models are freed", || server.get_admin("/arms").json()["loaded"] == 1);
}
