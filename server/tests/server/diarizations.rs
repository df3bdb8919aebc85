//! Recordings: every form of the question, every form of the answer.

use std::process::Command;

use serde_json::{Value, json};
use voiceflow::output::json::JsonOptions;
use voiceflow::output::{json as library_json, rttm, srt, vtt};

use crate::support::{CONVERSATION, Server, conversation, expected, expected_with, root};

#[test]
fn the_answers_are_those_of_the_library() {
    let (server, recording, expected) = (Server::start(&[]), conversation(), expected());
    let answer = server.diarize("", &recording);
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    assert!(answer.header("x-voiceflow-model").unwrap().starts_with("fast-cnn/"));
    assert!(answer.header("server-timing").unwrap().starts_with("upload;dur="));
    assert_eq!(answer.header("x-request-id").unwrap().len(), 32);
    let got = answer.json();
    let text = library_json::write(&expected, "x", JsonOptions { embeddings: true, one_line: true }).unwrap();
    let library: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&got["task"], &got["duration"]), (&json!("diarize"), &library["duration_s"]));
    let segments: Vec<Value> = got["segments"].as_array().unwrap().clone();
    let ours = library["segments"].as_array().unwrap().iter().enumerate().map(|(id, segment)| {
        json!({"id": id, "speaker": segment["speaker"], "start": segment["start_s"], "end": segment["end_s"],
               "confidence": segment["confidence"]})
    });
    assert_eq!(segments, ours.collect::<Vec<_>>());
    assert_eq!((got["num_speakers"].as_u64(), got["speakers"].as_array().unwrap().len()), (Some(3), 3));
    for (speaker, ours) in
        got["speakers"].as_array().unwrap().iter().zip(library["speakers"].as_array().unwrap())
    {
        assert_eq!(
            (&speaker["label"], &speaker["total_speech_duration"]),
            (&ours["label"], &ours["speech_s"])
        );
        let count = segments.iter().filter(|segment| segment["speaker"] == speaker["label"]).count();
        assert_eq!(
            (speaker["segment_count"].as_u64(), &speaker["embedding"]),
            (Some(count as u64), &Value::Null)
        );
    }

    let verbose = server.diarize("response_format=verbose_json&embeddings=true", &recording).json();
    assert!(verbose["model"].as_str().unwrap().starts_with("fast-cnn/"));
    assert_eq!(verbose["segments"][0]["overlap"], library["segments"][0]["overlap"]);
    assert_eq!(verbose["speakers"][1]["embedding"], library["speakers"][1]["embedding"]);

    for path in ["/v1/audio/diarizations", "/v1/audio/diarization", "/v1/diarizations"] {
        let fields = [("response_format", "rttm"), ("model", "fast-cnn"), ("language", "de")];
        let answer = server.diarize_form(path, &fields, "C:\\my meeting.flac", &recording);
        assert_eq!(
            (answer.status, answer.text()),
            (200, rttm::write(&expected, "my meeting").unwrap()),
            "{path}"
        );
    }
    let subtitles = server.diarize("response_format=srt", &recording);
    assert_eq!(subtitles.text(), srt::write(&expected).unwrap());
    let subtitles = server.diarize("response_format=vtt", &recording);
    assert_eq!(
        (subtitles.header("content-type"), subtitles.text()),
        (Some("text/vtt; charset=utf-8"), vtt::write(&expected).unwrap())
    );
    let audio_s = server.metric("voiceflow_audio_seconds_total{kind=\"batch\",arm=\"stable\"}");
    assert!((audio_s - 7.0 * expected.duration_s).abs() < 0.1, "{audio_s}");
}

#[test]
fn progress_comes_in_lines_before_the_result() {
    let (server, recording) = (Server::start(&[]), conversation());
    let lines = |query: &str, recording: &[u8]| -> Vec<Value> {
        let answer = server.diarize(query, recording);
        assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/x-ndjson")));
        answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let told = lines("response_format=ndjson", &recording);
    let (last, before) = told.split_last().unwrap();
    assert_eq!(last["type"], "result");
    assert_eq!(last["result"], server.diarize("", &recording).json());
    assert!(
        before.iter().all(|line| line["type"] == "progress" && line["fraction"].is_number()),
        "{before:?}"
    );
    let failed = lines("response_format=ndjson", b"no audio at all");
    assert_eq!(
        (&failed.last().unwrap()["type"], failed.last().unwrap()["error"]["code"].as_str()),
        (&json!("error"), Some("VF_E_AUDIO"))
    );
}

#[test]
fn what_is_asked_of_one_recording_holds_for_it_alone() {
    let (server, recording) = (Server::start(&[]), conversation());
    let usual = server.diarize("", &recording).json();
    let speakers = |query: &str| server.diarize(query, &recording).json()["num_speakers"].as_u64().unwrap();
    assert_eq!(
        (speakers("num_speakers=2"), speakers("max_speakers=1"), speakers("min_speakers=4")),
        (2, 1, 4)
    );
    let by_threshold = |threshold: f32| {
        let mut config = voiceflow::Config::default();
        config.set_clustering_threshold(threshold).unwrap();
        let count = expected_with(config).speakers.len() as u64;
        assert_eq!(speakers(&format!("clustering_threshold={threshold}")), count, "{threshold}");
        count
    };
    assert!(by_threshold(0.05) > by_threshold(1.0));
    let long = server.diarize("min_duration_on=3", &recording).json();
    let shortest = |answer: &Value| {
        let lengths = answer["segments"].as_array().unwrap().iter();
        lengths.map(|it| it["end"].as_f64().unwrap() - it["start"].as_f64().unwrap()).fold(f64::MAX, f64::min)
    };
    assert!(shortest(&usual) < 2.9 && shortest(&long) > 2.9, "{} {}", shortest(&usual), shortest(&long));
    assert_eq!(server.diarize("", &recording).json(), usual);
}

/// What ffmpeg makes of a tone and of the conversation.
fn made(filter: &str, ending: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join(format!("made.{ending}"));
    let tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=16000:duration=20"];
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error"]).args(tone).args(["-t", "20", "-i"]).arg(root().join(CONVERSATION));
    let status = ffmpeg.args(filter.split(' ')).arg(&made).status().expect("ffmpeg, of the package ffmpeg");
    assert!(status.success(), "{filter}");
    std::fs::read(made).unwrap()
}

#[test]
fn tracks_and_channels_are_chosen_and_told() {
    let server = Server::start(&[]);
    let labels = |answer: &Value| -> Vec<String> {
        let speakers = answer["speakers"].as_array().unwrap().iter();
        speakers.map(|speaker| speaker["label"].as_str().unwrap().to_owned()).collect()
    };
    let tracks = made("-map 0 -map 1 -c:a flac", "mkv");
    let taken = server.diarize("", &tracks).json();
    assert_eq!(taken["warnings"][0]["code"], "chosen_track", "{taken}");
    assert!(labels(&taken).len() > 1 && taken["segments"].as_array().unwrap().len() > 2, "{taken}");
    let first = server.diarize("track=1", &tracks).json();
    assert_eq!((labels(&first).len(), first.get("warnings")), (0, None));
    assert!(labels(&server.diarize("track=all", &tracks).json()).iter().all(|it| it.starts_with("TRACK2_")));
    assert!(server.diarize("track=3", &tracks).error().2.contains("track: expected one of the 2"));
    let sides = made("-filter_complex [1:a][0:a]amerge=inputs=2 -c:a pcm_s16le", "wav");
    let separate = server.diarize("channels=separate", &sides).json();
    assert!(
        !labels(&separate).is_empty() && labels(&separate).iter().all(|it| it.starts_with("CH1_")),
        "{separate}"
    );
    assert_eq!(labels(&server.diarize("channels=right", &sides).json()).len(), 0);
    let inverted = made("-filter_complex [1:a]pan=stereo|c0=c0|c1=-1*c0 -c:a pcm_s16le", "wav");
    let answer = server.diarize("", &inverted).json();
    assert_eq!(answer["warnings"][0]["code"], "inverted_channels", "{answer}");
    // The longest track or channel of each, those that only were looked at too.
    let audio_s = server.metric("voiceflow_audio_seconds_total{kind=\"batch\",arm=\"stable\"}");
    assert!((audio_s - 6.0 * 20.0).abs() < 0.5, "{audio_s}");
}

#[test]
fn what_cannot_be_served_is_refused_by_name() {
    let (server, recording) = (Server::start(&[]), conversation());
    let refused = |query: &str| server.diarize(query, &recording).error();
    let (status, code, message) = refused("num_speakers=0");
    assert_eq!(
        (status, code.as_str(), message.as_str()),
        (400, "VF_E_INVALID_ARGUMENT", "num_speakers: expected a number, 1 to 100, got \"0\"")
    );
    let (status, code, _) = refused("model=whisper-1");
    assert_eq!((status, code.as_str()), (404, "model_not_found"));
    let (status, code, message) =
        server.diarize_form("/v1/diarizations", &[], "secret.wav", b"no audio").error();
    assert_eq!((status, code.as_str()), (400, "VF_E_AUDIO"));
    assert!(message.starts_with("secret: ") && !message.contains("/proc"), "{message}");
    let json = "POST /v1/audio/diarizations HTTP/1.1\r\nContent-Type: application/json";
    let answer = server.ask(json, b"{\"url\":\"http://169.254.169.254/\"}");
    assert_eq!(answer.error().0, 415);
    let form = "POST /v1/audio/diarizations HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=xyz";
    let (status, _, message) = server.ask(form, b"--xyz--\r\n").error();
    assert_eq!((status, message.as_str()), (400, "file: expected a recording, got none"));
    let (status, code, _) =
        server.ask(form, b"--xyz\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhalf").error();
    assert_eq!((status, code.as_str()), (400, "malformed_request"));
    assert_eq!(
        (server.get("/v1/audio/diarizations").error().0, server.get("/nowhere").error().0),
        (405, 404)
    );
    assert_eq!(server.get("/metrics").status, 404);
    // The next request is served.
    assert_eq!(server.diarize("", &recording).status, 200);
    assert_eq!(server.metric("voiceflow_errors_total{code=\"VF_E_AUDIO\"}"), 1.0);
}

#[test]
fn a_recording_that_is_not_done_in_time_is_given_up() {
    let server = Server::start(&["batch.deadline_s=0.001"]);
    let (status, code, message) = server.diarize("deadline=5", &conversation()).error();
    assert_eq!((status, code.as_str()), (504, "VF_E_DEADLINE"), "{message}");
}

#[test]
fn models_are_listed_as_openai_lists_them() {
    let server = Server::start(&[]);
    let list = server.get("/v1/models").json();
    assert_eq!((list["object"].as_str(), list["data"].as_array().unwrap().len()), (Some("list"), 1));
    let model = &list["data"][0];
    assert_eq!((model["object"].as_str(), model["name"].as_str()), (Some("model"), Some("fast-cnn")));
    assert_eq!((model["sha256"].as_str().unwrap().len(), model["provider"].as_str()), (64, Some("cpu")));
    assert_eq!(&server.get(&format!("/v1/models/{}", model["id"].as_str().unwrap())).json(), model);
    assert_eq!(&server.get("/v1/models/fast-cnn").json(), model);
    assert_eq!(server.get("/v1/models/slow-cnn").error().1, "model_not_found");
}
