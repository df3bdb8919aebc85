//! The four forms of a result tell the same.

use std::process::Stdio;

use serde_json::Value;
use voiceflow::Turn;
use voiceflow::output::rttm;

use crate::support::{CONVERSATION, output, run, voiceflow};

/// Formats hold milliseconds, the table too.
const ROUNDING_S: f64 = 0.0011;

fn diarize(format: &str) -> String {
    output(&["diarize", "--num-speakers", "3", "--format", format, CONVERSATION])
}

fn json() -> Value {
    serde_json::from_str(&diarize("json")).unwrap()
}

/// The turns of the JSON form.
fn turns(json: &Value) -> Vec<Turn> {
    let turn = |segment: &Value| Turn {
        start_s: segment["start_s"].as_f64().unwrap(),
        end_s: segment["end_s"].as_f64().unwrap(),
        speaker: segment["speaker"].as_str().unwrap().to_owned(),
    };
    json["segments"].as_array().unwrap().iter().map(turn).collect()
}

fn assert_equal(found: &[Turn], expected: &[Turn]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found.speaker, expected.speaker);
        assert!((found.start_s - expected.start_s).abs() < ROUNDING_S, "{found:?} {expected:?}");
        assert!((found.end_s - expected.end_s).abs() < ROUNDING_S, "{found:?} {expected:?}");
    }
}

#[test]
fn json_keeps_its_schema() {
    let json = json();
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&json), ["duration_s", "format", "recording", "segments", "speakers", "version"]);
    assert_eq!((&json["format"], &json["version"]), (&"voiceflow.diarization".into(), &1.into()));
    assert_eq!((&json["recording"], &json["duration_s"]), (&"conversation".into(), &52.48.into()));

    let speakers = json["speakers"].as_array().unwrap();
    assert_eq!(speakers.len(), 3);
    for (index, speaker) in speakers.iter().enumerate() {
        // Voices leave the library only where they are asked for.
        assert_eq!(keys(speaker), ["label", "speech_s"]);
        assert_eq!(speaker["label"], format!("SPEAKER_{index:02}"));
        let own = turns(&json).into_iter().filter(|turn| turn.speaker == speaker["label"].as_str().unwrap());
        let speech_s: f64 = own.map(|turn| turn.end_s - turn.start_s).sum();
        assert!((speaker["speech_s"].as_f64().unwrap() - speech_s).abs() < ROUNDING_S);
    }
    for segment in json["segments"].as_array().unwrap() {
        assert_eq!(keys(segment), ["confidence", "end_s", "overlap", "speaker", "start_s"]);
        assert!((0.0..=1.0).contains(&segment["confidence"].as_f64().unwrap()));
        assert!(segment["overlap"].is_boolean());
    }
}

/// No more digits than say something.
#[test]
fn numbers_are_rounded() {
    let text = diarize("json");
    for number in text.split([' ', ',', '}']).filter(|word| word.parse::<f64>().is_ok()) {
        let decimals = number.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        assert!(decimals <= 4, "{number}");
    }
}

#[test]
fn several_recordings_are_one_document_or_lines() {
    let files = [CONVERSATION, "nowhere.wav", CONVERSATION];
    let of =
        |format: &str| run(&[&["diarize", "--num-speakers", "3", "--format", format], &files[..]].concat());
    let one = json();
    let said = of("json");
    assert_eq!((said.code, said.err.as_str()), (1, "voiceflow: nowhere.wav: no such file\n"));
    let all: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(all, serde_json::json!([one, one]));
    let lines: Vec<Value> = of("jsonl").out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, [one.clone(), one]);
    let said = run(&["diarize", "--format", "json", "nowhere.wav", "elsewhere.wav"]);
    assert_eq!((said.code, said.out.as_str()), (1, "[]\n"));
}

#[test]
fn embeddings_are_there_where_they_are_asked_for() {
    let said = output(&["diarize", "--format", "jsonl", "--embeddings", CONVERSATION]);
    let json: Value = serde_json::from_str(&said).unwrap();
    for speaker in json["speakers"].as_array().unwrap() {
        assert!(speaker["embedding"].as_array().unwrap().iter().all(Value::is_f64));
    }
}

#[test]
fn rttm_reads_back_as_the_same_turns() {
    let read = rttm::parse(&diarize("rttm")).unwrap();
    assert_eq!(read.keys().collect::<Vec<_>>(), ["conversation"]);
    assert_equal(&read["conversation"], &turns(&json()));
}

#[test]
fn web_subtitles_have_the_speakers_as_voices() {
    let text = diarize("vtt");
    let cues: Vec<&str> = text.strip_prefix("WEBVTT\n\n").unwrap().split_terminator("\n\n").collect();
    let turns = turns(&json());
    assert_eq!(cues.len(), turns.len());
    for (cue, turn) in cues.iter().zip(&turns) {
        assert!(cue.ends_with(&format!("<v {0}>{0}</v>", turn.speaker)), "{cue}");
    }
}

#[test]
fn subtitles_are_numbered_and_hold_the_same_turns() {
    let text = diarize("srt");
    let seconds = |time: &str| {
        let parts: Vec<f64> = time.split([':', ',']).map(|part| part.parse().unwrap()).collect();
        parts[0] * 3600.0 + parts[1] * 60.0 + parts[2] + parts[3] / 1000.0
    };
    let cues: Vec<&str> = text.split_terminator("\n\n").collect();
    let turn = |(index, cue): (usize, &&str)| {
        let lines: Vec<&str> = cue.lines().collect();
        assert_eq!(lines[0], (index + 1).to_string());
        let (start, end) = lines[1].split_once(" --> ").unwrap();
        Turn { start_s: seconds(start), end_s: seconds(end), speaker: lines[2].to_owned() }
    };
    let found: Vec<Turn> = cues.iter().enumerate().map(turn).collect();
    assert_equal(&found, &turns(&json()));
}

#[test]
fn the_table_in_a_pipe_is_plain_text() {
    let text = diarize("table");
    assert!(!text.contains('\x1b') && !text.contains('\r'), "{text}");
    let (table, timeline) = text.split_once("\n\n").unwrap();
    let header: Vec<&str> = table.lines().next().unwrap().split_whitespace().collect();
    assert_eq!(header.join(" "), "start s end s duration s speaker confidence overlap");
    let turn = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        Turn {
            start_s: fields[0].parse().unwrap(),
            end_s: fields[1].parse().unwrap(),
            speaker: fields[3].into(),
        }
    };
    assert_equal(&table.lines().skip(1).map(turn).collect::<Vec<_>>(), &turns(&json()));
    assert_eq!(timeline.lines().filter(|line| line.starts_with("SPEAKER_")).count(), 3);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    for format in ["table", "json"] {
        let mut child = voiceflow()
            .args(["diarize", "--format", format, CONVERSATION, CONVERSATION])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let said = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&said.stderr), "", "{format}");
        assert!(said.status.success(), "{format}: {}", said.status);
    }
}

#[test]
fn exclusive_turns_do_not_overlap() {
    let overlaps = |more: &[&str]| {
        let arguments =
            [&["diarize", "--num-speakers", "3", "--format", "json", CONVERSATION][..], more].concat();
        let turns = turns(&serde_json::from_str(&output(&arguments)).unwrap());
        turns.windows(2).filter(|pair| pair[1].start_s < pair[0].end_s).count()
    };
    assert!(overlaps(&[]) > 0);
    assert_eq!(overlaps(&["--exclusive"]), 0);
}
