//! What goes back by itself, and what a change of models leaves alone: galleries.

use std::path::Path;

use serde_json::{Value, json};

use crate::reload::{answering, bundle, short_recording};
use crate::support::{Server, wait_until};
use crate::voices::speeches;

#[test]
fn models_that_fail_go_back_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (bundle(folder.path(), "1.0.1", &[]), bundle(folder.path(), "1.0.2", &[]));
    let bundle = format!("model.bundle={}", one.display());
    let keys = ["live.capacity=4", "rollout.least=8", bundle.as_str()];
    let server = Server::start_with(&keys, &[("VOICEFLOW_FAULTS", "batch@1.0.2:1+")]);
    (0..8).for_each(|_| assert_eq!(answering(&server), "fast-cnn/1.0.1"));
    let reloaded = server.post_admin("/reload", &json!({"model": two}).to_string());
    assert_eq!(reloaded.status, 200, "{}", reloaded.text());
    let mut failed = 0;
    wait_until("the server goes back", || {
        failed += usize::from(server.diarize("", &short_recording()).status == 500);
        server.metric("voiceflow_model_reloads_total{outcome=\"automatic_rollback\"}") == 1.0
    });
    assert!((8..200).contains(&failed), "{failed}");
    assert_eq!(answering(&server), "fast-cnn/1.0.1");
    assert!(server.metric("voiceflow_panics_total") >= 8.0);
}

#[test]
fn a_new_arm_that_fails_gets_nothing_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (bundle(folder.path(), "1.0.1", &[]), bundle(folder.path(), "1.0.2", &[]));
    let arm = |name: &str, bundle: &Path| {
        format!("[[arms]]\nname = \"{name}\"\nmodel = \"{}\"\n", bundle.display())
    };
    let file = folder.path().join("server.toml");
    std::fs::write(&file, arm("stable", &one) + &arm("next", &two)).unwrap();
    let keys = ["live.capacity=4", "rollout.least=8"];
    let faults = [("VOICEFLOW_FAULTS", "batch@1.0.2:1+")];
    let server = Server::start_from_with(file.to_str().unwrap(), &keys, &faults);
    let share = |arm: &str| server.metric(&format!("voiceflow_arm_share_ratio{{arm=\"{arm}\"}}"));
    assert_eq!((share("stable"), share("next")), (0.5, 0.5));
    wait_until("the arm is given up", || {
        server.diarize("", &short_recording());
        share("next") == 0.0
    });
    (0..8).for_each(|_| assert_eq!(answering(&server), "fast-cnn/1.0.1"));
}

#[test]
fn a_gallery_is_not_left_without_its_model_unless_that_is_asked_for() {
    let (folder, voices) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, two) = (bundle(folder.path(), "1.0.1", &[]), bundle(folder.path(), "1.0.2", &[]));
    let keys =
        [format!("model.bundle={}", one.display()), format!("voices.folder={}", voices.path().display())];
    let server = Server::start(&["live.capacity=4", &keys[0], &keys[1]]);
    let enrol = |name: &str| {
        let head = format!("PUT /v1/voices/team/{name} HTTP/1.1\r\nContent-Type: audio/wav");
        server.ask(&head, &speeches()[0])
    };
    assert_eq!(enrol("Ada").status, 201);
    let reload = |body: Value| server.post_admin("/reload", &body.to_string());
    let refused = reload(json!({"model": two})).json();
    assert_eq!(
        (&refused["error"]["param"], answering(&server).as_str()),
        (&json!("galleries"), "fast-cnn/1.0.1")
    );
    assert_eq!(reload(json!({"model": two, "orphan_galleries": true})).status, 200);
    assert_eq!(answering(&server), "fast-cnn/1.0.2");
    assert_eq!(enrol("Ben").error().1, "VF_E_GALLERY");
    // Back with its model, the gallery is as it was.
    assert_eq!(server.post_admin("/rollback", "").status, 200);
    assert_eq!(enrol("Ben").status, 201);
}

#[test]
fn models_of_one_voice_space_share_galleries() {
    let (folder, voices) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, two) = (bundle(folder.path(), "1.0.1", &[]), bundle(folder.path(), "1.0.2", &[]));
    for bundle in [&one, &two] {
        std::fs::write(bundle.join("metadata.json"), r#"{"voice_space": "of-the-test"}"#).unwrap();
    }
    let keys =
        [format!("model.bundle={}", one.display()), format!("voices.folder={}", voices.path().display())];
    let server = Server::start(&["live.capacity=4", &keys[0], &keys[1]]);
    let head = "PUT /v1/voices/team/Ada HTTP/1.1\r\nContent-Type: audio/wav";
    assert_eq!(server.ask(head, &speeches()[0]).status, 201);
    let reloaded = server.post_admin("/reload", &json!({"model": two}).to_string());
    assert_eq!(reloaded.status, 200, "{}", reloaded.text());
    let answer = server.diarize("gallery=team", &speeches()[0]);
    assert_eq!(answer.header("x-voiceflow-model"), Some("fast-cnn/1.0.2"));
    assert_eq!(answer.json()["speakers"][0]["name"], "Ada");
}

#[test]
fn of_several_arms_that_with_the_model_of_a_gallery_answers() {
    let (folder, voices) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (one, two) = (bundle(folder.path(), "1.0.1", &[]), bundle(folder.path(), "1.0.2", &[]));
    let arm = |name: &str, bundle: &Path| {
        format!("[[arms]]\nname = \"{name}\"\nmodel = \"{}\"\n", bundle.display())
    };
    let file = folder.path().join("server.toml");
    std::fs::write(&file, arm("stable", &one) + &arm("next", &two)).unwrap();
    let voices = format!("voices.folder={}", voices.path().display());
    let server = Server::start_from(file.to_str().unwrap(), &["live.capacity=4", &voices]);
    let speeches = speeches();
    for (index, name) in ["Ada", "Ben"].iter().enumerate() {
        let head = format!("PUT /v1/voices/team/{name} HTTP/1.1\r\nContent-Type: audio/wav");
        assert_eq!(server.ask(&head, &speeches[index]).status, 201);
    }
    for key in 0..4 {
        let answer = server.diarize(&format!("gallery=team&key={key}"), &speeches[1]);
        assert_eq!((answer.status, answer.header("x-voiceflow-arm")), (200, Some("stable")));
        assert_eq!(answer.json()["speakers"][0]["name"], "Ben");
    }
}
