//! Known voices: enrolled, named in results and streams, kept on disk, and nobody else's.

use std::path::Path;
use std::sync::OnceLock;
use std::thread::scope;

use serde_json::{Value, json};
use voiceflow::gallery::{Gallery, Voice};
use voiceflow::output::rttm;
use voiceflow::{Call, Config, Diarizer};

use crate::streams::{Client, as_i16, bytes_of, samples};
use crate::support::{Answer, Server, conversation, expected, runtime_library, wav};
use crate::tokens;

/// What each speaker of the conversation says alone, as a recording.
pub fn speeches() -> &'static [Vec<u8>] {
    static SPEECHES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    SPEECHES.get_or_init(|| {
        let (all, diarization) = (as_i16(&samples()), expected());
        let of = |speaker| {
            let alone = diarization.segments.iter().filter(|it| it.speaker == speaker && !it.overlap);
            let at = |seconds: f64| (seconds * 16_000.0) as usize;
            let cut = |segment: &voiceflow::Segment| &all[at(segment.start_s)..at(segment.end_s)];
            wav(&alone.flat_map(cut).copied().collect::<Vec<_>>(), 16_000)
        };
        (0..diarization.speakers.len()).map(of).collect()
    })
}

/// A server that keeps its voices in `folder`.
fn start(folder: &Path, keys: &[&str]) -> Server {
    let folder = format!("voices.folder={}", folder.display());
    Server::start(&[&["live.capacity=4", folder.as_str()], keys].concat())
}

fn send(server: &Server, method: &str, path: &str, head: &str, body: &[u8]) -> Answer {
    let kind = if body.starts_with(b"{") { "application/json" } else { "audio/wav" };
    server.ask(&format!("{method} {path} HTTP/1.1\r\n{head}Content-Type: {kind}"), body)
}

fn ask(server: &Server, method: &str, path: &str, body: &[u8]) -> Answer {
    send(server, method, path, "", body)
}

/// The names in a gallery.
fn names(server: &Server, gallery: &str) -> Vec<String> {
    let list = server.get(&format!("/v1/voices/{gallery}")).json();
    list["data"].as_array().unwrap().iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn voices_are_enrolled_listed_renamed_and_removed_and_outlive_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let speeches = speeches();
    {
        let server = start(folder.path(), &[]);
        assert_eq!(server.get("/v1/voices").json(), json!({"object": "list", "data": []}));
        assert_eq!(server.get("/v1/voices/team").error().1, "gallery_not_found");
        let answer = ask(&server, "PUT", "/v1/voices/team/Ada%20Lovelace", &speeches[0]);
        assert_eq!(answer.status, 201, "{}", answer.text());
        let ada = answer.json();
        assert_eq!((&ada["name"], &ada["recordings"]), (&json!("Ada Lovelace"), &json!(1)));
        assert!(
            ada["speech"].as_f64().unwrap() > 3.0
                && ada["agreement"] == 1.0
                && ada.get("embedding").is_none()
        );
        assert_eq!(ask(&server, "POST", "/v1/voices/team/a%2fb", &speeches[1]).status, 201);
        // The same recording makes the same voice; one more is added.
        let again = ask(&server, "PUT", "/v1/voices/team/a%2fb", &speeches[1]);
        assert_eq!((again.status, &again.json()["recordings"]), (200, &json!(1)));
        let more = ask(&server, "POST", "/v1/voices/team/a%2fb", &speeches[1]).json();
        assert_eq!(more["recordings"], 2);
        assert_eq!(names(&server, "team"), ["Ada Lovelace", "a/b"]);
        assert_eq!(server.get("/v1/voices/team/a%2fb").json(), more);

        let taken = ask(&server, "PATCH", "/v1/voices/team/a%2fb", br#"{"name":"Ada Lovelace"}"#);
        assert_eq!((taken.error().0, taken.error().1.as_str()), (409, "voice_exists"));
        let renamed = ask(&server, "PATCH", "/v1/voices/team/a%2fb", br#"{"name":"Ben"}"#);
        assert_eq!((renamed.status, &renamed.json()["name"]), (200, &json!("Ben")));
        assert_eq!(server.get("/v1/voices/team/a%2fb").error().1, "voice_not_found");
        let refused = ask(&server, "PATCH", "/v1/voices/team/Ben", br#"{"name":"SPEAKER_00"}"#);
        assert_eq!((refused.error().0, refused.json()["error"]["param"].as_str()), (400, Some("name")));
    }
    let server = start(folder.path(), &[]);
    assert_eq!(names(&server, "team"), ["Ada Lovelace", "Ben"]);
    let deleted = ask(&server, "DELETE", "/v1/voices/team/Ben", b"").json();
    assert_eq!(deleted, json!({"id": "Ben", "deleted": true}));
    assert_eq!(ask(&server, "DELETE", "/v1/voices/team/Ben", b"").error().1, "voice_not_found");
    assert_eq!(names(&server, "team"), ["Ada Lovelace"]);
    assert_eq!(server.get("/v1/voices").json()["data"], json!([{"id": "team", "object": "gallery"}]));
    assert_eq!(ask(&server, "DELETE", "/v1/voices/team", b"").status, 200);
    assert_eq!(ask(&server, "DELETE", "/v1/voices/team", b"").error().0, 404);
    assert_eq!(server.get("/v1/voices").json()["data"], json!([]));
}

#[test]
fn known_speakers_are_named_as_the_library_names_them() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &[]);
    let (speeches, recording) = (speeches(), conversation());
    for (name, speech) in [("Ada", &speeches[0]), ("Kim", &speeches[2])] {
        assert_eq!(ask(&server, "PUT", &format!("/v1/voices/team/{name}"), speech).status, 201);
    }
    let mut labelled = expected();
    let mut gallery = Gallery::new(diarizer().model());
    for (name, speech) in [("Ada", &speeches[0]), ("Kim", &speeches[2])] {
        gallery.enroll(name, &voice(speech)).unwrap();
    }
    let scores = gallery.name_speakers(&mut labelled, gallery.threshold()).unwrap();
    let found: Vec<&str> = labelled.speakers.iter().map(|speaker| speaker.label.as_str()).collect();
    assert_eq!(found, ["Ada", "SPEAKER_01", "Kim"]);

    let answer = server.diarize("gallery=team", &recording).json();
    for (index, speaker) in answer["speakers"].as_array().unwrap().iter().enumerate() {
        let label = labelled.speakers[index].label.as_str();
        let name = if label.starts_with("SPEAKER") { Value::Null } else { json!(label) };
        assert_eq!((&speaker["label"], &speaker["name"]), (&json!(format!("SPEAKER_0{index}")), &name));
        assert!((speaker["name_score"].as_f64().unwrap() - f64::from(scores[index].score)).abs() < 1e-3);
    }
    for segment in answer["segments"].as_array().unwrap() {
        let name = match segment["speaker"].as_str().unwrap() {
            "SPEAKER_00" => json!("Ada"),
            "SPEAKER_02" => json!("Kim"),
            _ => Value::Null,
        };
        assert_eq!(segment["name"], name);
    }
    let text = server.diarize("gallery=team&response_format=rttm", &recording).text();
    assert_eq!(text, rttm::write(&labelled, "recording").unwrap());
    // Nobody is so much like an enrolled voice.
    let strict = server.diarize("gallery=team&name_threshold=1", &recording).json();
    assert!(strict["speakers"].as_array().unwrap().iter().all(|it| it["name"].is_null()));
    // Without a gallery nothing is said of names.
    assert!(server.diarize("", &recording).json()["speakers"][0].get("name").is_none());

    let identity = ask(&server, "POST", "/v1/audio/identify?gallery=team", &speeches[2]).json();
    assert_eq!(identity["name"], "Kim");
    assert!(identity["name_score"].as_f64().unwrap() > 0.99 && identity["speech"].as_f64().unwrap() > 3.0);
    let stranger = ask(&server, "POST", "/v1/audio/identify?gallery=team", &speeches[1]).json();
    assert_eq!(stranger["name"], Value::Null);
    assert_eq!(
        ask(&server, "POST", "/v1/audio/identify", &speeches[1]).error().2,
        "gallery: expected the name of one, got none"
    );
    let crowd = ask(&server, "PUT", "/v1/voices/team/all", &recording).error();
    assert!(crowd.0 == 400 && crowd.2.starts_with("expected one speaker, found 3"), "{crowd:?}");
}

#[test]
fn what_is_odd_in_a_recording_of_a_voice_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &[]);
    // Two channels, each the other's inverse: together they are silent.
    let mono = &speeches()[0][44..];
    let samples = mono.chunks(2).map(|bytes| i16::from_le_bytes([bytes[0], bytes[1]]));
    let both: Vec<i16> = samples.flat_map(|sample| [sample, sample.saturating_neg()]).collect();
    let mut stereo = wav(&both, 16_000);
    (stereo[22], stereo[32]) = (2, 4);
    stereo[28..32].copy_from_slice(&64_000_u32.to_le_bytes());
    let enrolled = ask(&server, "PUT", "/v1/voices/team/Ada", &stereo).json();
    assert_eq!(enrolled["warnings"][0]["code"], "inverted_channels", "{enrolled}");
    let identity = ask(&server, "POST", "/v1/audio/identify?gallery=team", &stereo).json();
    assert_eq!((&identity["name"], &identity["warnings"]), (&json!("Ada"), &enrolled["warnings"]));
    assert!(server.get("/v1/voices/team/Ada").json().get("warnings").is_none());
}

fn diarizer() -> Diarizer {
    let mut config = Config::default();
    config.set_runtime_library(runtime_library());
    Diarizer::new(&config).unwrap()
}

fn voice(recording: &[u8]) -> Voice {
    let source = std::io::Cursor::new(recording.to_vec());
    let mut source = voiceflow::audio::FileSource::from_seekable("x", source, &Call::none()).unwrap();
    diarizer().voice(&mut source, &Call::none()).unwrap()
}

#[test]
fn streams_name_whom_they_know() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &[]);
    assert_eq!(ask(&server, "PUT", "/v1/voices/team/Ada", &speeches()[0]).status, 201);
    let bytes = bytes_of(&as_i16(&samples()));
    for in_query in [true, false] {
        let mut client = Client::open(&server, if in_query { "gallery=team&result=true" } else { "" });
        if !in_query {
            client.say(json!({"type": "session.update", "gallery": "team", "result": true}));
        }
        client.send_all(&bytes, &[32_000]);
        client.say(json!({"type": "audio.end"}));
        client.read_all();
        let segments = client.segments();
        let (known, strangers): (Vec<_>, Vec<_>) =
            segments.iter().partition(|it| it["speaker"] == "SPEAKER_00");
        // Who has said a word is no one yet; who has said some is.
        let named = known.iter().filter(|it| it["name"] == "Ada").count();
        assert!(named > 2 && 2 * named > known.len(), "{known:?}");
        assert!(
            !strangers.is_empty() && strangers.iter().all(|it| it.get("name").is_none()),
            "{strangers:?}"
        );
        let done = client.told.last().unwrap();
        assert_eq!(done["result"]["speakers"][0]["name"], "Ada");
    }
    for (query, code) in
        [("gallery=nobody", 404), ("gallery=../x", 400), ("gallery=team&name_threshold=2", 400)]
    {
        let error = Client::try_open(&server, query, None).err().unwrap();
        assert_eq!(tokens::code_of(&error), code, "{query}");
    }
    let mut client = Client::open(&server, "");
    client.say(json!({"type": "session.update", "gallery": "nobody"}));
    assert_eq!(client.next().unwrap()["error"]["code"], "gallery_not_found");
}

#[test]
fn galleries_and_voices_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["voices.galleries=2", "voices.voices=2"]);
    let speech = &speeches()[0];
    let put = |path: &str| ask(&server, "PUT", path, speech);
    for path in ["/v1/voices/a/one", "/v1/voices/a/two", "/v1/voices/b/one"] {
        assert_eq!(put(path).status, 201, "{path}");
    }
    let (status, code, message) = put("/v1/voices/a/three").error();
    assert_eq!((status, code.as_str()), (409, "VF_E_LIMIT"));
    assert_eq!(message, "name: expected at most 2 voices in the gallery, which it has");
    let (status, _, message) = put("/v1/voices/c/one").error();
    assert_eq!((status, message.as_str()), (409, "gallery: expected at most 2 of a tenant, which there are"));
    // Who is there is changed all the same.
    assert_eq!(put("/v1/voices/a/two").status, 200);
    assert_eq!(ask(&server, "DELETE", "/v1/voices/a/one", b"").status, 200);
    assert_eq!(put("/v1/voices/a/three").status, 201);
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(5000));
    assert_eq!(ask(&server, "PATCH", "/v1/voices/a/two", large.as_bytes()).error().0, 413);
    let long = format!("{{\"name\":\"{}\"}}", "x".repeat(257));
    assert_eq!(ask(&server, "PATCH", "/v1/voices/a/two", long.as_bytes()).error().0, 400);
}

#[test]
fn many_enrol_at_once_and_nobody_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    // Two servers over one folder.
    let servers = [start(folder.path(), &[]), start(folder.path(), &[])];
    let speech = &speeches()[1];
    scope(|scope| {
        for index in 0..8 {
            let server = &servers[index % 2];
            scope.spawn(move || {
                let path = format!("/v1/voices/team/v{index}");
                assert_eq!(ask(server, "PUT", &path, speech).status, 201);
            });
        }
    });
    for server in &servers {
        let mut names = names(server, "team");
        names.sort_unstable();
        assert_eq!(names, (0..8).map(|index| format!("v{index}")).collect::<Vec<_>>());
    }
}

#[test]
fn tenants_neither_see_nor_change_what_is_another_ones() {
    let folder = tempfile::tempdir().unwrap();
    let voices = format!("voices.folder={}", folder.path().join("voices").display());
    let server = tokens::start(folder.path(), &["live.capacity=4", &voices]);
    let speech = &speeches()[0];
    let ask = |token: &str, method: &str, path: &str, body: &[u8]| {
        send(&server, method, path, &format!("Authorization: Bearer {token}\r\n"), body)
    };
    assert_eq!(ask("acme-secret", "PUT", "/v1/voices/team/Ada", speech).status, 201);
    for (method, path, body) in [
        ("GET", "/v1/voices/team", &b""[..]),
        ("GET", "/v1/voices/team/Ada", b""),
        ("DELETE", "/v1/voices/team/Ada", b""),
        ("DELETE", "/v1/voices/team", b""),
        ("PATCH", "/v1/voices/team/Ada", br#"{"name":"Eve"}"#),
        ("POST", "/v1/audio/identify?gallery=team", speech),
        ("POST", "/v1/audio/diarizations?gallery=team", speech),
    ] {
        assert_eq!(ask("other-secret", method, path, body).error().1, "gallery_not_found", "{method} {path}");
        assert_eq!(ask("wrong", method, path, body).status, 401, "{method} {path}");
    }
    let bearer = [("authorization", "Bearer other-secret")];
    let error = Client::try_open_with(&server, "gallery=team", &bearer).err().unwrap();
    assert_eq!(tokens::code_of(&error), 404);
    assert_eq!(ask("other-secret", "GET", "/v1/voices", b"").json()["data"], json!([]));
    assert_eq!(ask("other-secret", "PUT", "/v1/voices/team/Ada", &speeches()[1]).status, 201);
    let mine = ask("acme-secret", "POST", "/v1/audio/identify?gallery=team", speech).json();
    assert_eq!(mine["name"], "Ada");
    assert_eq!(ask("other-secret", "DELETE", "/v1/voices/team", b"").status, 200);
    assert_eq!(ask("acme-secret", "GET", "/v1/voices/team/Ada", b"").status, 200);
    // Without the scope, a token enrols nobody.
    for (method, path) in
        [("GET", "/v1/voices"), ("PUT", "/v1/voices/team/Eve"), ("POST", "/v1/audio/identify")]
    {
        assert_eq!(ask("acme-live-only", method, path, speech).error().1, "forbidden", "{method} {path}");
    }
}

#[test]
fn names_reach_nothing_but_galleries() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("a/voices");
    let server = start(&root, &[]);
    let speech = &speeches()[0];
    let long = "x".repeat(65);
    for name in [
        "..",
        "%2e%2e",
        "..%2f..%2fetc",
        "%2fetc%2fpasswd",
        ".lock",
        "a%00b",
        "a%5cb",
        "%20",
        "a%2eb%2f",
        &long,
    ] {
        for (method, path) in
            [("PUT", format!("/v1/voices/{name}/Ada")), ("GET", format!("/v1/voices/{name}"))]
        {
            let (status, code, message) = ask(&server, method, &path, speech).error();
            assert!(status == 400 && code == "VF_E_INVALID_ARGUMENT", "{path}: {status} {message}");
            assert!(message.starts_with("gallery: expected "), "{message}");
        }
    }
    for path in ["/v1/voices/%ff", "/v1/voices/team/%c3%28", "/v1/models/%ff"] {
        assert_eq!(ask(&server, "GET", path, b"").error().1, "malformed_request", "{path}");
    }
    for name in ["%20Ada", "SPEAKER_07", "a%0ab", &"x".repeat(257)] {
        let (status, _, message) = ask(&server, "PUT", &format!("/v1/voices/team/{name}"), speech).error();
        assert!(status == 400 && message.starts_with("name: expected "), "{name}: {message}");
    }
    // Such a name is one of a voice, which is no file.
    assert_eq!(ask(&server, "PUT", "/v1/voices/team/..%2f..%2fAda", speech).status, 201);
    let below = |path: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(path).unwrap();
        let mut names: Vec<String> =
            entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(below(folder.path()), ["a"]);
    assert_eq!(below(&folder.path().join("a")), ["voices"]);
    assert_eq!(below(&root), ["everybody"]);
    assert_eq!(below(&root.join("everybody")), [".lock", "team.json"]);
    use std::os::unix::fs::PermissionsExt;
    for path in [root.clone(), root.join("everybody"), root.join("everybody/team.json")] {
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{path:?}");
    }
}

#[test]
fn what_is_wrong_on_disk_is_said_without_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(folder.path(), &["log.level=off"]);
    let speech = &speeches()[0];
    assert_eq!(ask(&server, "PUT", "/v1/voices/team/Ada", speech).status, 201);
    let path = folder.path().join("everybody/team.json");
    let text = std::fs::read_to_string(&path).unwrap();
    // Voices of another model, in another voice space.
    let at = text.find("\"sha256\": \"").unwrap() + 11;
    let text = [&text[..at], &"0".repeat(64), &text[at + 64..]].concat();
    let other = text.replace("\"voice_space\": \"fast-cnn-1\"", "\"voice_space\": \"another\"");
    assert_ne!(other, text);
    std::fs::write(&path, other).unwrap();
    assert_eq!(names(&server, "team"), ["Ada"]);
    for answer in [
        ask(&server, "PUT", "/v1/voices/team/Ben", speech),
        ask(&server, "POST", "/v1/audio/identify?gallery=team", speech),
        server.diarize("gallery=team", &conversation()),
    ] {
        let (status, code, message) = answer.error();
        assert_eq!((status, code.as_str()), (409, "VF_E_GALLERY"));
        assert!(message.contains(": expected that of the gallery") && !message.contains('/'), "{message}");
    }
    std::fs::write(&path, "no gallery").unwrap();
    let (status, code, message) = server.get("/v1/voices/team").error();
    assert_eq!(
        (status, code.as_str(), message.as_str()),
        (500, "internal_error", "the server failed; its log says why")
    );
    // And removed all the same.
    assert_eq!(ask(&server, "DELETE", "/v1/voices/team", b"").status, 200);
    assert_eq!(ask(&server, "PUT", "/v1/voices/team/Ada", speech).status, 201);
}

#[test]
fn without_a_folder_there_are_no_voices_and_pages_of_other_sites_change_none() {
    let server = Server::start(&["live.capacity=1"]);
    assert_eq!(server.get("/v1/voices").json(), json!({"object": "list", "data": []}));
    for (method, path) in [("PUT", "/v1/voices/team/Ada"), ("GET", "/v1/voices/team")] {
        assert_eq!(ask(&server, method, path, b"").error().1, "voices_off", "{method} {path}");
    }
    let answer = server.diarize("gallery=team", &conversation());
    assert_eq!((answer.error().0, answer.error().1.as_str()), (404, "voices_off"));
    let origin = "Origin: https://elsewhere.example\r\n";
    for (method, path) in [
        ("POST", "/v1/voices/team/Ada"),
        ("DELETE", "/v1/voices/team"),
        ("POST", "/v1/audio/identify"),
        ("POST", "/v1/audio/diarizations"),
    ] {
        let answer = send(&server, method, path, origin, b"");
        assert_eq!((answer.error().0, answer.error().1.as_str()), (403, "forbidden"), "{method} {path}");
    }
}
