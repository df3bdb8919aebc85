//! Several models that share the requests: who gets which, what is told of it, and a candidate that
//! only listens.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::reload::{bundle, short_recording};
use crate::streams::{Client, as_i16, bytes_of, expected_segments, samples};
use crate::support::{Server, conversation, expected, wait_until};

/// A model that hears less speech than the other one.
const DEAF: [(&str, &str); 2] =
    [("\"onset\": 0.5,", "\"onset\": 0.9,"), ("\"offset\": 0.4,", "\"offset\": 0.8,")];

/// A file with an arm for each of these bundles, and their weights.
fn configuration(folder: &Path, arms: &[(&str, &Path, f64)]) -> String {
    let arm = |(name, bundle, weight): &(&str, &Path, f64)| {
        format!("[[arms]]\nname = \"{name}\"\nmodel = \"{}\"\nweight = {weight}\n", bundle.display())
    };
    let path = folder.join("server.toml");
    fs::write(&path, arms.iter().map(arm).collect::<String>()).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The arm and the model that answer a recording.
fn answered(server: &Server, query: &str) -> (String, String) {
    let answer = server.diarize(query, &short_recording());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let header = |name: &str| answer.header(name).unwrap().to_owned();
    (header("x-voiceflow-arm"), header("x-voiceflow-model"))
}

/// The arm and the model of a stream.
fn of_stream(server: &Server, query: &str) -> (String, String) {
    let mut client = Client::open(server, query);
    // Without anything asked for, the stream says once more what it is.
    client.say(json!({"type": "session.update"}));
    let updated = client.next().unwrap();
    let text = |member: &str| updated[member].as_str().unwrap().to_owned();
    (text("arm"), text("model"))
}

#[test]
fn a_key_goes_to_one_arm_wherever_it_asks() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (bundle(folder.path(), "1.0.1", &[]), bundle(folder.path(), "1.0.2", &[]));
    let file = configuration(folder.path(), &[("stable", &one, 1.0), ("next", &two, 1.0)]);
    let start = || Server::start_from(&file, &["live.capacity=4"]);
    let (server, other) = (start(), start());
    let mut arms = HashSet::new();
    for key in 0..8 {
        let query = format!("key=call-{key}");
        let found = answered(&server, &query);
        assert_eq!((found.clone(), found.clone()), (answered(&other, &query), of_stream(&server, &query)));
        arms.insert(found);
    }
    let pair = |arm: &str, version: &str| (arm.to_owned(), format!("fast-cnn/{version}"));
    assert_eq!(arms, HashSet::from([pair("stable", "1.0.1"), pair("next", "1.0.2")]));
    // Who names a model has it.
    for key in 0..4 {
        let asked = answered(&server, &format!("key=call-{key}&model=fast-cnn/1.0.2"));
        assert_eq!(asked, pair("next", "1.0.2"));
    }
    assert_eq!(server.diarize("model=fast-cnn/1.0.3", &short_recording()).error().1, "model_not_found");
    // No model has answered this.
    assert_eq!(server.get("/health").header("x-voiceflow-arm"), None);
}

#[test]
fn a_stream_takes_its_key_until_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (bundle(folder.path(), "1.0.1", &[]), bundle(folder.path(), "1.0.2", &[]));
    let file = configuration(folder.path(), &[("stable", &one, 1.0), ("next", &two, 1.0)]);
    let server = Server::start_from(&file, &["live.capacity=4"]);
    let key_of = |arm: &str| {
        let mut keys = (0..).map(|key| format!("key=call-{key}"));
        keys.find(|key| answered(&server, key).0 == arm).unwrap().replace("key=", "")
    };
    let (stable, next) = (key_of("stable"), key_of("next"));
    let mut client = Client::open(&server, &format!("key={stable}"));
    client.say(json!({"type": "session.update", "key": next}));
    assert_eq!(client.next().unwrap()["arm"], "next");
    let speech = as_i16(&samples());
    client.send_all(&bytes_of(&speech), &[16_000]);
    client.say(json!({"type": "audio.end"}));
    client.read_all();
    assert_eq!(client.segments(), expected_segments(&speech, 1.0));
    let done = |arm: &str| {
        server.metric(&format!("voiceflow_answers_total{{kind=\"live\",arm=\"{arm}\",outcome=\"done\"}}"))
    };
    wait_until("the stream is counted", || done("next") == 1.0);
    assert_eq!(done("stable"), 0.0);
    assert!(server.metric("voiceflow_audio_seconds_total{kind=\"live\",arm=\"next\"}") > 30.0);
}

#[test]
fn weights_change_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (bundle(folder.path(), "1.0.1", &[]), bundle(folder.path(), "1.0.2", &[]));
    let file = configuration(folder.path(), &[("stable", &one, 1.0), ("next", &two, 0.0)]);
    let server = Server::start_from(&file, &["live.capacity=4"]);
    let all = |arm: &str| (0..4).all(|key| answered(&server, &format!("key={key}")).0 == arm);
    assert!(all("stable"));
    let answer = server.post_admin("/arms", r#"{"weights":{"stable":0,"next":3}}"#).json();
    let share = |answer: &Value| [0_usize, 1].map(|arm| answer["arms"][arm]["share"].as_f64().unwrap());
    assert_eq!(share(&answer), [0.0, 1.0]);
    assert!(all("next"));
    assert_eq!(server.metric("voiceflow_arm_share_ratio{arm=\"next\"}"), 1.0);

    // SIGHUP reads the file again: another arm, and one less.
    let three = bundle(folder.path(), "1.0.3", &[]);
    configuration(folder.path(), &[("third", &three, 1.0), ("stable", &two, 1.0)]);
    server.signal("-HUP");
    let models = || {
        let list = server.get("/v1/models").json();
        let text = |model: &Value, member: &str| model[member].as_str().unwrap().to_owned();
        let data = list["data"].as_array().unwrap();
        data.iter().map(|model| (text(model, "arm"), text(model, "version"))).collect::<Vec<_>>()
    };
    let pair = |arm: &str, version: &str| (arm.to_owned(), version.to_owned());
    let expected = [pair("third", "1.0.3"), pair("stable", "1.0.2")];
    wait_until("the file is read again", || models() == expected);
    let arms: HashSet<String> = (0..8).map(|key| answered(&server, &format!("key={key}")).0).collect();
    assert_eq!(arms, HashSet::from(["third".to_owned(), "stable".to_owned()]));
    assert_eq!(server.metric("voiceflow_arm_share_ratio{arm=\"next\"}"), 0.0);
}

#[test]
fn a_candidate_listens_and_is_told_of_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let candidate = bundle(folder.path(), "1.0.2", &DEAF);
    let shadow = format!("shadow.model={}", candidate.display());
    let server = Server::start(&["live.capacity=4", "shadow.share=1", "shadow.niceness=0", &shadow]);
    let answer = server.diarize("", &conversation());
    assert_eq!(answer.header("x-voiceflow-model"), Some("fast-cnn/1.0.1"));
    assert_eq!(answer.json()["segments"].as_array().unwrap().len(), expected().segments.len());
    let done = "voiceflow_shadow_runs_total{outcome=\"done\"}";
    server.wait_for_metric(done, 1.0);
    let speech = as_i16(&samples());
    let mut client = Client::open(&server, "");
    client.send_all(&bytes_of(&speech), &[16_000]);
    client.say(json!({"type": "audio.end"}));
    client.read_all();
    assert_eq!(client.segments(), expected_segments(&speech, 1.0));
    server.wait_for_metric(done, 2.0);
    let divergence = |what: &str| {
        server.metric(&format!("voiceflow_shadow_divergence_ratio_{what}{{candidate=\"fast-cnn/1.0.2\"}}"))
    };
    assert_eq!(divergence("count"), 2.0);
    let sum = divergence("sum");
    assert!((0.02..1.5).contains(&sum), "{sum}");
    assert_eq!(server.get("/v1/models").json()["data"].as_array().unwrap().len(), 1);

    // The same model has nothing to differ in.
    let same = bundle(folder.path(), "1.0.3", &[]);
    let body = json!({"arm": "shadow", "model": same}).to_string();
    assert_eq!(server.post_admin("/reload", &body).status, 200);
    assert_eq!(server.get_admin("/arms").json()["shadow"]["model"], "fast-cnn/1.0.3");
    assert_eq!(server.diarize("", &conversation()).status, 200);
    server.wait_for_metric(done, 3.0);
    let line = "voiceflow_shadow_divergence_ratio_sum{candidate=\"fast-cnn/1.0.3\"}";
    assert_eq!(server.metric(line), 0.0);
}
