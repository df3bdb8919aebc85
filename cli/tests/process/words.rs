//! `voiceflow assign` and `voiceflow score --words`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{CONVERSATION, output, root, run};

/// A word every half second of the conversation.
fn words(folder: &Path) -> PathBuf {
    let word = |index: u32| {
        let start = f64::from(index) * 0.5;
        json!({"word": format!(" w{index}"), "start": start, "end": start + 0.4})
    };
    let segment = json!({"start": 0.0, "end": 52.0, "words": (0..104).map(word).collect::<Vec<_>>()});
    let path = folder.join("words.json");
    std::fs::write(&path, json!({"segments": [segment]}).to_string()).unwrap();
    path
}

#[test]
fn words_get_the_speakers_of_the_recording() {
    let folder = tempfile::tempdir().unwrap();
    let words = words(folder.path());
    let words = words.to_str().unwrap();
    let text = output(&["assign", words, CONVERSATION]);
    let found: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(found["task"], "transcribe");
    assert!((found["duration"].as_f64().unwrap() - 52.48).abs() < 0.1);
    let segments = found["segments"].as_array().unwrap();
    assert_eq!(segments[0]["type"], "transcript.text.segment");
    let said: Vec<&str> =
        segments.iter().flat_map(|segment| segment["text"].as_str().unwrap().split(' ')).collect();
    assert_eq!(said.len(), 104);
    // Who says the words of the first turn of the recording's own annotation.
    let reference = std::fs::read_to_string(root().join("examples/data/conversation.rttm")).unwrap();
    let speakers: std::collections::BTreeSet<&str> =
        segments.iter().map(|segment| segment["speaker"].as_str().unwrap()).collect();
    let turns = reference.lines().count();
    assert!(speakers.contains("SPEAKER_00") && speakers.contains("SPEAKER_02"), "{speakers:?} of {turns}");

    // The same words with the annotation, and how far both differ.
    let annotated = output(&["assign", words, "examples/data/conversation.rttm"]);
    let (one, other) = (folder.path().join("one.json"), folder.path().join("other.json"));
    std::fs::write(&one, annotated).unwrap();
    std::fs::write(&other, text).unwrap();
    let scores =
        output(&["score", "--words", "--format", "json", one.to_str().unwrap(), other.to_str().unwrap()]);
    let scores: Value = serde_json::from_str(&scores).unwrap();
    assert_eq!(scores["correct"], 104);
    assert_eq!(scores["wer"], 0.0);
    assert!(scores["wder"].as_f64().unwrap() < 0.1, "{scores}");
    let table = output(&["score", "--words", one.to_str().unwrap(), one.to_str().unwrap()]);
    assert!(table.lines().nth(1).unwrap().trim_start().starts_with("0.00"), "{table}");
}

#[test]
fn subtitles_have_words_and_names() {
    let folder = tempfile::tempdir().unwrap();
    let words = words(folder.path());
    let arguments = |format: &'static str| {
        output(&["assign", "--format", format, words.to_str().unwrap(), "examples/data/conversation.rttm"])
    };
    let vtt = arguments("vtt");
    assert!(vtt.starts_with("WEBVTT\n\n") && vtt.contains("<v ") && vtt.contains(" w1"), "{vtt}");
    let srt = arguments("srt");
    assert!(srt.starts_with("1\n00:00:00,") && srt.contains(": "), "{srt}");
    let longest = srt.lines().map(str::len).max().unwrap();
    assert!(longest < 110, "{longest}");
}

#[test]
fn what_is_no_transcript_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("words.json");
    std::fs::write(&path, "{}").unwrap();
    let said = run(&["assign", path.to_str().unwrap(), CONVERSATION]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("words.json: words: expected one of the members"), "{said:?}");
    let said = run(&["assign", "--nearest", "nan", path.to_str().unwrap(), CONVERSATION]);
    assert_eq!(said.code, 2);
    let segments = r#"{"segments": [{"start": 0, "end": 5, "text": "So it is."}]}"#;
    std::fs::write(&path, segments).unwrap();
    let said = run(&["assign", path.to_str().unwrap(), "examples/data/conversation.rttm"]);
    assert_eq!(said.code, 0);
    assert!(said.err.contains("some words are whole segments"), "{said:?}");
    let said = run(&["score", "--words", "examples/data/conversation.rttm", path.to_str().unwrap()]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("conversation.rttm: expected diarized JSON"), "{said:?}");
}
