//! A server that is told of no model and has the accurate ones: recordings have those, streams the
//! fast one, and who names a model gets it.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use voiceflow::Config;
use voiceflow::output::rttm;

use crate::reload::{answering, bundle, short_recording};
use crate::streams::{Client, as_i16, bytes_of, expected_segments, samples};
use crate::support::{Answer, Server, conversation, expected, expected_with, root};
use crate::tokens;
use crate::voices::speeches;

const ACCURATE: &str = "accurate/1.1.0";
const FAST: &str = "fast-cnn/1.0.1";

/// The folder of bundles, which has the accurate one.
fn bundles() -> PathBuf {
    let folder = root().join(".models");
    let there = folder.join("accurate/metadata.json").is_file();
    assert!(there, "{}: no accurate bundle; run `make models-accurate`", folder.display());
    folder
}

/// A server that finds the accurate models where they are installed for the library.
fn start(keys: &[&str]) -> Server {
    let variables = [("VOICEFLOW_MODELS", bundles())];
    let variables = variables.each_ref().map(|(name, folder)| (*name, folder.to_str().unwrap()));
    Server::start_with(&[&["live.capacity=4"], keys].concat(), &variables)
}

/// What the library says of the recording with the accurate models, as `voiceflow diarize` writes
/// it.
fn accurate_rttm() -> String {
    let mut config = Config::default();
    config.set_bundle(bundles().join("accurate"));
    rttm::write(&expected_with(config), "recording").unwrap()
}

fn model_of(answer: &Answer) -> &str {
    assert!(answer.status < 300, "{}", answer.text());
    answer.header("x-voiceflow-model").unwrap()
}

/// The models, and what each is for where nobody asks for another.
fn listed(server: &Server) -> Value {
    let list = server.get("/v1/models").json();
    list["data"].as_array().unwrap().iter().map(|it| json!([it["id"], it["default_for"]])).collect()
}

fn both() -> Value {
    json!([[ACCURATE, ["recordings"]], [FAST, ["streams"]]])
}

/// The model of a stream.
fn of_stream(server: &Server) -> String {
    let mut client = Client::open(server, "");
    client.say(json!({"type": "session.update"}));
    client.next().unwrap()["model"].as_str().unwrap().to_owned()
}

fn enrol(server: &Server, path: &str, speech: &[u8]) -> Answer {
    server.ask(&format!("PUT /v1/voices/{path} HTTP/1.1\r\nContent-Type: audio/wav"), speech)
}

#[test]
fn recordings_and_streams_have_models_of_their_own() {
    let server = start(&[]);
    assert_eq!(listed(&server), both());
    let (recording, rttm) = (conversation(), "response_format=rttm");
    let answer = server.diarize(rttm, &recording);
    assert_eq!((model_of(&answer), answer.text()), (ACCURATE, accurate_rttm()));
    let verbose = server.diarize("response_format=verbose_json&model=accurate", &recording).json();
    assert_eq!(verbose["model"], ACCURATE);
    assert_eq!(verbose["segments"].as_array().unwrap().len(), accurate_rttm().lines().count());

    // Who names the model of streams has it for a recording too.
    for name in ["fast-cnn", FAST] {
        let answer = server.diarize(&format!("{rttm}&model={name}"), &recording);
        let fast = rttm::write(&expected(), "recording").unwrap();
        assert_eq!((model_of(&answer), answer.text()), (FAST, fast));
        assert_ne!(answer.text(), accurate_rttm());
    }

    let speech = as_i16(&samples());
    for query in ["", "model=fast-cnn"] {
        let mut client = Client::open(&server, query);
        client.send_all(&bytes_of(&speech), &[16_000]);
        client.say(json!({"type": "audio.end"}));
        client.read_all();
        assert_eq!(client.segments(), expected_segments(&speech, 1.0));
    }
    assert_eq!(of_stream(&server), FAST);
    // Streams are let in by what the fast one takes.
    let refused = Client::try_open(&server, "model=accurate", None).err().unwrap();
    assert_eq!(tokens::code_of(&refused), 404);
    let mut client = Client::open(&server, "");
    client.say(json!({"type": "session.update", "model": "accurate"}));
    let error = &client.next().unwrap()["error"];
    assert_eq!(error["code"], "model_not_found");
    assert!(error["message"].as_str().unwrap().contains("default_for streams"), "{error}");

    // What no model has answered is of none of the two; both are told of everywhere.
    assert_eq!(server.get("/health").header("x-voiceflow-model"), None);
    assert_eq!(server.get("/health").header("x-voiceflow-arm"), Some("stable"));
    let arm = server.get_admin("/arms").json()["arms"][0].clone();
    assert_eq!((&arm["model"], &arm["live_model"]), (&json!(ACCURATE), &json!(FAST)));
    for (kind, name) in [("batch", "accurate"), ("live", "fast-cnn")] {
        let model = server.get(&format!("/v1/models/{name}")).json();
        let text = |member: &str| model[member].as_str().unwrap().to_owned();
        let (version, sha256) = (text("version"), text("sha256"));
        let labels = format!(
            "arm=\"stable\",kind=\"{kind}\",name=\"{name}\",version=\"{version}\",sha256=\"{sha256}\""
        );
        assert_eq!(server.metric(&format!("voiceflow_model_info{{{labels}}}")), 1.0, "{labels}");
    }
}

#[test]
fn a_gallery_is_of_the_model_that_it_began_with() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&[&format!("voices.folder={}", folder.path().display())]);
    let speeches = speeches();
    assert_eq!(model_of(&enrol(&server, "meetings/Ada", &speeches[0])), ACCURATE);
    assert_eq!(model_of(&enrol(&server, "calls/Ada?model=fast-cnn", &speeches[0])), FAST);
    // The next voices are of the same model.
    assert_eq!(model_of(&enrol(&server, "meetings/Kim", &speeches[2])), ACCURATE);
    assert_eq!(model_of(&enrol(&server, "calls/Kim", &speeches[2])), FAST);
    let refused = enrol(&server, "calls/Ben?model=accurate", &speeches[1]).error();
    assert_eq!((refused.0, refused.1.as_str()), (409, "VF_E_GALLERY"));

    // A recording is answered by the model of the gallery.
    for (gallery, model) in [("meetings", ACCURATE), ("calls", FAST)] {
        let answer = server.diarize(&format!("gallery={gallery}"), &conversation());
        assert_eq!(model_of(&answer), model);
        let answer = answer.json();
        let names: Vec<&Value> =
            answer["speakers"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
        assert_eq!(names, [&json!("Ada"), &Value::Null, &json!("Kim")], "{gallery}");
        let head = format!("POST /v1/audio/identify?gallery={gallery} HTTP/1.1\r\nContent-Type: audio/wav");
        assert_eq!(server.ask(&head, &speeches[2]).json()["name"], "Kim");
    }
    let refused = server.diarize("gallery=calls&model=accurate", &short_recording()).error();
    assert_eq!((refused.0, refused.1.as_str()), (409, "VF_E_GALLERY"));

    // Streams know the voices of theirs.
    let mut client = Client::open(&server, "gallery=calls");
    client.send_all(&bytes_of(&as_i16(&samples())), &[32_000]);
    client.say(json!({"type": "audio.end"}));
    client.read_all();
    assert!(client.segments().iter().any(|it| it["name"] == "Ada"), "{:?}", client.segments());
    let refused = Client::try_open(&server, "gallery=meetings", None).err().unwrap();
    assert_eq!(tokens::code_of(&refused), 409);
    let mut client = Client::open(&server, "");
    client.say(json!({"type": "session.update", "gallery": "meetings"}));
    let error = &client.next().unwrap()["error"];
    assert!(error["message"].as_str().unwrap().ends_with("are enrolled with model=fast-cnn"), "{error}");
}

#[test]
fn a_reload_and_a_rollback_keep_both() {
    let folder = tempfile::tempdir().unwrap();
    let voices = format!("voices.folder={}", folder.path().join("voices").display());
    // However long the reloads take, the stream waits.
    let server = start(&["live.idle_s=3600", "live.ping_s=3600", &voices]);
    assert_eq!(model_of(&enrol(&server, "meetings/Ada", &speeches()[0])), ACCURATE);
    let mut stream = Client::open(&server, "");
    let speech = as_i16(&samples());
    let bytes = bytes_of(&speech);
    stream.send_all(&bytes[..bytes.len() / 2], &[16_000]);

    // One model for both, which leaves the gallery alone.
    let next = bundle(folder.path(), "1.0.2", &[]);
    let reload = |orphan: bool| {
        let body = json!({"model": next, "orphan_galleries": orphan});
        let answer = server.post_admin("/reload", &body.to_string());
        (answer.status, answer.json())
    };
    let (status, refused) = reload(false);
    assert_eq!((status, &refused["error"]["param"]), (409, &json!("galleries")));
    assert_eq!(listed(&server), both());
    let (status, changed) = reload(true);
    let arm = &changed["arms"][0];
    let new = json!("fast-cnn/1.0.2");
    assert_eq!((status, &arm["model"], &arm["live_model"]), (200, &new, &new));
    assert_eq!(json!([answering(&server), of_stream(&server)]), json!([new, new]));
    assert_eq!(listed(&server), json!([[new, ["recordings", "streams"]]]));
    assert_eq!(server.diarize("model=accurate", &short_recording()).error().0, 404);

    let back = server.post_admin("/rollback", "").json();
    let arm = &back["arms"][0];
    assert_eq!((&arm["model"], &arm["live_model"]), (&json!(ACCURATE), &json!(FAST)));
    assert_eq!(listed(&server), both());
    assert_eq!((answering(&server).as_str(), of_stream(&server).as_str()), (ACCURATE, FAST));
    let named = server.diarize("gallery=meetings", &conversation()).json();
    assert_eq!(named["speakers"][0]["name"], "Ada");
    let asked = server.diarize("model=fast-cnn", &short_recording());
    assert_eq!(model_of(&asked), FAST);

    // What was under way on the first ones ended as it began.
    stream.send_all(&bytes[bytes.len() / 2..], &[16_000]);
    stream.say(json!({"type": "audio.end"}));
    stream.read_all();
    assert_eq!(stream.segments(), expected_segments(&speech, 1.0));
}

#[test]
fn an_arm_whose_model_is_meant_goes_before_one_that_has_it_for_streams() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    let fast = root().join("models/fast-cnn/1.0.1");
    let arms = "[[arms]]\nname = \"stable\"\nweight = 99\n[[arms]]\nname = \"fast\"\nweight = 1\n";
    fs::write(&file, format!("{arms}model = \"{}\"\n", fast.display())).unwrap();
    let models = bundles();
    let variables = [("VOICEFLOW_MODELS", models.to_str().unwrap())];
    let server = Server::start_from_with(file.to_str().unwrap(), &["live.capacity=4"], &variables);
    let of_both = json!([FAST, ["recordings", "streams"]]);
    assert_eq!(listed(&server), json!([both()[0], both()[1], of_both]));
    for key in 0..4 {
        let answer = server.diarize(&format!("model=fast-cnn&key={key}"), &short_recording());
        assert_eq!((model_of(&answer), answer.header("x-voiceflow-arm")), (FAST, Some("fast")));
    }
    // Streams have it in either arm.
    let mut client = Client::open(&server, "model=fast-cnn&key=1");
    client.say(json!({"type": "session.update"}));
    assert_eq!(client.next().unwrap()["model"], FAST);
}
