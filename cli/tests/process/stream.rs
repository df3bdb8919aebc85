//! `voiceflow stream`: a file and raw samples, and what is printed of them.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

use serde_json::Value;

use voiceflow::audio::{AudioSource, FileSource};

use crate::support::{CONVERSATION, Said, output, root, run, voiceflow, write_wav};

/// The conversation, at 16 kHz.
fn samples() -> Vec<f32> {
    let mut source = FileSource::open(root().join(CONVERSATION)).unwrap();
    let mut samples = Vec::new();
    while source.read(&mut samples).unwrap() > 0 {}
    samples
}

/// Runs the program with these bytes on standard input.
fn fed(arguments: &[&str], bytes: &[u8]) -> Said {
    let mut command = voiceflow();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let feeder = std::thread::spawn(move || input.write_all(&bytes));
    let done = child.wait_with_output().unwrap();
    // A program that refuses its arguments does not read.
    let _ = feeder.join().unwrap();
    Said {
        code: done.status.code().unwrap(),
        out: String::from_utf8(done.stdout).unwrap(),
        err: String::from_utf8(done.stderr).unwrap(),
    }
}

fn events(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn final_turns_are_printed_in_the_order_of_their_end() {
    let text = output(&["stream", CONVERSATION]);
    let ends: Vec<f64> =
        text.lines().map(|line| line.split_whitespace().nth(1).unwrap().parse().unwrap()).collect();
    assert!(ends.len() > 5 && ends.is_sorted(), "{text}");
    assert!(text.contains("SPEAKER_00"), "{text}");
}

#[test]
fn ndjson_has_provisional_and_final_segments_and_the_end() {
    let events = events(&output(&["stream", "--format", "ndjson", CONVERSATION]));
    let (last, segments) = events.split_last().unwrap();
    assert_eq!(last["type"], "end_stream");
    assert!((last["duration"].as_f64().unwrap() - 52.48).abs() < 0.1, "{last}");
    let speakers = last["speakers"].as_object().unwrap();
    assert!(speakers.contains_key("SPEAKER_00"), "{last}");
    for segment in segments.iter().filter(|event| event["type"] != "silence") {
        assert_eq!(segment["type"], "segment");
        assert!(segment["end"].as_f64().unwrap() > segment["start"].as_f64().unwrap());
        assert!(speakers.contains_key(segment["speaker"].as_str().unwrap()), "{segment}");
    }
    let count = |is_final: bool| segments.iter().filter(|segment| segment["final"] == is_final).count();
    assert!(count(true) > 5 && count(false) > count(true));
}

#[test]
fn raw_samples_give_what_the_file_gives() {
    let file = output(&["stream", "--format", "rttm", CONVERSATION]).replace("conversation", "stdin");
    let samples = samples();
    let bytes: Vec<u8> =
        samples.iter().flat_map(|sample| ((sample * 32_768.0) as i16).to_le_bytes()).collect();
    let said = fed(&["stream", "--rate", "16000", "--format", "rttm", "-"], &bytes);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert_eq!(said.out, file);
    let floats: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let said = fed(&["stream", "--rate", "16000", "--format", "rttm", "--encoding", "f32le", "-"], &floats);
    assert_eq!((said.code, said.out), (0, file));
    let said = fed(&["stream", "--rate", "16000", "-"], &bytes[..32_001]);
    assert_eq!(said.code, 0);
    assert!(said.err.contains("ends within a sample; 1 bytes are left out"), "{}", said.err);
}

#[test]
fn encoded_audio_is_streamed_from_a_pipe_and_never_taken_for_samples() {
    let file = output(&["stream", "--format", "rttm", CONVERSATION]).replace("conversation", "stdin");
    let bytes = std::fs::read(root().join(CONVERSATION)).unwrap();
    let said = fed(&["stream", "--format", "rttm", "-"], &bytes);
    assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, file.as_str(), ""));
    let said = fed(&["stream", "--rate", "16000", "-"], &bytes);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    let expected = "standard input: expected raw samples, as --rate says, got encoded audio (FLAC)";
    assert!(said.err.contains(expected), "{}", said.err);
    let said = fed(&["stream", "-"], &[0; 32_000]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    assert!(said.err.contains("raw samples need --rate"), "{}", said.err);
}

#[test]
fn a_file_is_followed_while_it_grows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("growing.flac");
    let bytes = std::fs::read(root().join(CONVERSATION)).unwrap();
    let (begin, rest) = bytes.split_at(bytes.len() / 3);
    std::fs::write(&path, begin).unwrap();
    let mut child = {
        let mut command = voiceflow();
        // Long after what this test needs to let it grow.
        command.args(["stream", "--format", "rttm", "--follow", "20", path.to_str().unwrap()]);
        command.stdout(Stdio::piped()).spawn().unwrap()
    };
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let mut lines = String::new();
    assert!(said.read_line(&mut lines).unwrap() > 0, "a turn of the beginning");
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(rest).unwrap();
    said.read_to_string(&mut lines).unwrap();
    assert!(child.wait().unwrap().success());
    let whole = output(&["stream", "--format", "rttm", CONVERSATION]).replace("conversation", "growing");
    assert_eq!(lines, whole);
}

#[test]
fn the_final_result_is_that_of_diarize() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("answer.rttm");
    output(&["stream", CONVERSATION, "--result", path.to_str().unwrap()]);
    let answer = std::fs::read_to_string(path).unwrap();
    assert_eq!(answer, output(&["diarize", "--format", "rttm", CONVERSATION]));
}

/// What is no file is written to and stays; standard output, also one that is a file, has the
/// answer behind the rest.
#[cfg(unix)]
#[test]
fn an_answer_may_go_to_a_device_or_to_standard_output() {
    let with = |result: &str| output(&["stream", "--format", "rttm", CONVERSATION, "--result", result]);
    let live = with("/dev/null");
    assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
    let both = with("/dev/stdout");
    let answer = both.strip_prefix(&live).unwrap();
    assert!(answer.lines().count() > 1, "{both}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("out");
    let to_file = voiceflow()
        .args(["stream", "--format", "rttm", CONVERSATION, "--result", "/dev/stdout"])
        .stdout(std::fs::File::create(&file).unwrap())
        .status();
    assert!(to_file.unwrap().success());
    assert_eq!(std::fs::read_to_string(file).unwrap(), both);
}

#[test]
fn nonsense_is_refused() {
    for (arguments, text) in [
        (vec!["stream", "--latency", "9", CONVERSATION], "--latency: expected 0.5 to 5, got 9"),
        (vec!["stream", "--rate", "10", "-"], "--rate: expected 1000 to 768000 Hz, got 10 Hz"),
        (vec!["stream", "--rate", "8000", "--channels", "0", "-"], "--channels: expected 1 to 32, got 0"),
        (vec!["stream", "--channels", "2", "-"], "--channels: expected --rate with it"),
        (vec!["stream", "--follow", "0", CONVERSATION], "--follow: expected more than 0 seconds, got 0"),
        (vec!["stream", "--rate", "8000", CONVERSATION], "--rate: expected - or a pipe with it"),
        (vec!["stream", "--realtime", "-"], "--realtime: expected a file"),
        (vec!["stream", "--max-speakers", "0", CONVERSATION], "--max-speakers: expected 1 to 100, got 0"),
    ] {
        let said = fed(&arguments, &[]);
        assert_eq!(said.code, 2, "{said:?}");
        assert!(said.err.contains(text), "{said:?}");
    }
    let said = run(&["stream", CONVERSATION, "--result", "nowhere/x.rttm"]);
    assert_eq!((said.code, said.err.as_str()), (1, "voiceflow: nowhere: no such folder\n"));
    let said = run(&["stream", "nowhere.wav"]);
    assert_eq!((said.code, said.err.as_str()), (1, "voiceflow: nowhere.wav: no such file\n"));
    let said = fed(&["stream", "--rate", "16000", "--encoding", "f32le", "-"], &f32::NAN.to_le_bytes());
    assert_eq!(said.code, 1);
    assert!(said.err.contains("expected finite values, got NaN at index 0"), "{said:?}");
}

#[test]
fn enrolled_speakers_have_their_names_beside_their_labels() {
    let folder = tempfile::tempdir().unwrap();
    let gallery = folder.path().join("team.json");
    let gallery = gallery.to_str().unwrap();
    let voice = folder.path().join("ada.wav");
    // Ada's first turn.
    let samples = samples();
    write_wav(&voice, &samples[9_600..9_600 + 5 * 16_000]);
    assert_eq!(run(&["enroll", "--gallery", gallery, "ada", voice.to_str().unwrap()]).code, 0);
    let events = events(&output(&["stream", "--format", "ndjson", "--gallery", gallery, CONVERSATION]));
    let named = events.iter().find(|event| event["name"] == "ada").expect("a segment of ada's");
    assert_eq!(named["speaker"], "SPEAKER_00");
    assert!(named["score"].as_f64().unwrap() > 0.5, "{named}");
    let speakers = events.last().unwrap()["speakers"].as_object().unwrap();
    assert_eq!(speakers["SPEAKER_00"], "ada");
}
