//! Several inputs, the output folder, and inputs that are no recordings.

use std::process::Stdio;

use voiceflow::audio::{AudioSource, FileSource};
use voiceflow::output::rttm;

use crate::support::{CONVERSATION, failure, output, root, run, say, voiceflow, write_stereo_wav, write_wav};

#[test]
fn a_bad_file_does_not_keep_the_others_from_being_written() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("made/on/the/way");
    let out = out.to_str().unwrap();
    let said = run(&[
        "diarize",
        "--format",
        "rttm",
        "--output",
        out,
        "nowhere.wav",
        CONVERSATION,
        "tests/data/audio/picture.png",
        "tests/data/audio/original.wav",
    ]);
    assert_eq!((said.code, said.out.as_str()), (1, ""));
    let lines: Vec<&str> = said.err.lines().collect();
    assert_eq!(lines[0], "voiceflow: nowhere.wav: no such file");
    assert!(lines[1].starts_with("voiceflow: tests/data/audio/picture.png: expected WAV, FLAC"), "{lines:?}");
    assert_eq!(lines.len(), 2, "{lines:?}");
    let mut names: Vec<_> = std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["conversation.rttm", "original.rttm"]);
    let written = std::fs::read_to_string(format!("{out}/conversation.rttm")).unwrap();
    assert_eq!(written, output(&["diarize", "--format", "rttm", CONVERSATION]));
}

#[test]
fn several_tables_have_the_names_of_their_files() {
    let said = output(&["diarize", CONVERSATION, "tests/data/audio/original.wav"]);
    assert!(said.starts_with("examples/data/conversation.flac\n\nstart s"), "{said}");
    assert!(said.contains("\n\ntests/data/audio/original.wav\n\n"), "{said}");
}

#[test]
fn the_number_of_speakers() {
    for count in ["1", "2", "4"] {
        let text = output(&["diarize", "--num-speakers", count, "--format", "rttm", CONVERSATION]);
        let turns = &rttm::parse(&text).unwrap()["conversation"];
        let mut speakers: Vec<&str> = turns.iter().map(|turn| turn.speaker.as_str()).collect();
        speakers.sort_unstable();
        speakers.dedup();
        assert_eq!(speakers.len().to_string(), count, "{text}");
    }
}

#[test]
fn what_is_no_recording_is_named_in_one_line() {
    let empty = tempfile::NamedTempFile::with_suffix(".wav").unwrap();
    let empty = empty.path().to_str().unwrap();
    for (path, reason) in [
        ("nowhere/a.wav", "no such file"),
        ("tests", "expected a regular file, found a folder"),
        ("Cargo.toml", "got a text file"),
        ("tests/data/audio/video_only.mp4", "expected an audio track"),
        (empty, "got an empty file (0 bytes)"),
    ] {
        let said = run(&["diarize", path]);
        let line = failure(&said);
        assert!(line.starts_with(&format!("{path}: ")) && line.contains(reason), "{line}");
        assert_eq!(said.out, "");
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    for (folder, reason) in [
        ("Cargo.toml/out", "Not a directory"),
        ("Cargo.toml", "is a file, expected a folder"),
        #[cfg(target_os = "linux")]
        ("/proc/x", "No such file or directory"),
    ] {
        let said = run(&["diarize", "--output", folder, CONVERSATION]);
        let expected = format!("{folder}: cannot make this folder: {reason}");
        assert!(failure(&said).starts_with(&expected), "{said:?}");
    }
}

#[test]
fn a_reader_that_went_away_does_not_hide_a_failure() {
    for (files, code) in [(&["nowhere.wav", CONVERSATION][..], 1), (&[CONVERSATION], 0)] {
        let mut command = voiceflow();
        command.arg("diarize").args(files).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(code), "{files:?}");
    }
}

#[test]
fn a_deadline_names_the_file_and_the_stage() {
    let said = run(&["diarize", "--deadline", "0", CONVERSATION]);
    let expected = format!("{CONVERSATION}: deadline of 0 ms passed while analysing the audio");
    assert_eq!(failure(&said), expected);
}

#[test]
fn a_name_that_the_message_happens_to_hold_is_still_printed() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(root().join(CONVERSATION), folder.path().join("e")).unwrap();
    let said = say(voiceflow().args(["diarize", "--deadline", "0", "e"]).current_dir(&folder));
    assert_eq!(failure(&said), "e: deadline of 0 ms passed while analysing the audio");
}

#[test]
fn a_result_can_be_scored_at_once() {
    let reference = CONVERSATION.replace(".flac", ".rttm");
    let said = output(&["diarize", "--reference", &reference, CONVERSATION]);
    assert!(said.contains("\n\nrecording ") && said.contains("\nOVERALL "), "{said}");
}

/// Who talks on one channel of a file of two is not heard on the other.
#[test]
fn a_channel_is_chosen_and_channels_that_cancel_each_other_are_heard() {
    let folder = tempfile::tempdir().unwrap();
    let mut source = FileSource::open(root().join(CONVERSATION)).unwrap();
    let mut voice = Vec::new();
    while source.read(&mut voice).unwrap() > 0 {}
    let silent = vec![0.0; voice.len()];
    let inverse: Vec<f32> = voice.iter().map(|sample| -sample).collect();
    let wav = |name: &str, right: &[f32]| {
        let path = folder.path().join(name);
        write_stereo_wav(&path, &voice, right);
        path.to_str().unwrap().to_owned()
    };
    let (left_only, inverted) = (wav("left.wav", &silent), wav("inverted.wav", &inverse));
    let turns = |file: &str, channels: &str| {
        output(&["diarize", "--format", "rttm", "--channels", channels, file]).lines().count()
    };
    // The same samples: a few turns of the FLAC file may end otherwise.
    let mono = folder.path().join("mono.wav");
    write_wav(&mono, &voice);
    let expected = turns(mono.to_str().unwrap(), "mix");
    assert_eq!(turns(&left_only, "left"), expected);
    assert_eq!(turns(&left_only, "2"), 0);
    assert!(turns(&left_only, "mix") > 0);
    let said = run(&["diarize", "--format", "rttm", &inverted]);
    assert!(said.out.lines().count().abs_diff(expected) <= 2, "{said:?}");
    let warning = "0.3 s: the two channels are each other's inverse: the first is used alone";
    assert_eq!((said.code, said.err), (0, format!("voiceflow: warning: {inverted}: {warning}\n")));
    let parties = output(&["diarize", "--format", "rttm", "--channels", "separate", &left_only]);
    assert_eq!(parties.lines().count(), expected);
    assert!(parties.lines().all(|line| line.contains(" CH1_SPEAKER_0")), "{parties}");
    let said = run(&["diarize", "--channels", "3", &left_only]);
    assert_eq!(said.code, 1);
    assert!(said.err.contains("channel: expected one of the 2 that there are, got number 3"), "{said:?}");
    let said = run(&["diarize", "--channels", "both", &left_only]);
    assert_eq!(said.code, 2);
    assert!(said.err.contains("expected mix, left, right, separate, or a number from 1 to 32"), "{said:?}");
}
