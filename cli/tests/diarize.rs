//! `voiceflow diarize` as a process: arguments that are refused before any model is loaded.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

fn voiceflow(folder: &tempfile::TempDir, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_voiceflow");
    Command::new(program).args(arguments).current_dir(folder).env_remove("RUST_LOG").output().unwrap()
}

#[test]
fn arguments_that_make_no_sense_end_with_2() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.rttm"), "").unwrap();
    let cases: [(&[&str], &str); 12] = [
        (&["a.wav", "--threads", "1000"], "--threads: expected 0 to 256, got 1000"),
        (
            &["a.wav", "--min-speakers", "3", "--max-speakers", "2"],
            "--min-speakers: expected at most --max-speakers (2), got 3",
        ),
        (&["a.wav", "--num-speakers", "0"], "--num-speakers: expected 1 to 100, got 0"),
        (&["a.wav", "--hop", "NaN"], "--hop: expected 0.1 to 60, got NaN"),
        (&["a.wav", "--gallery", "g", "--threshold", "-2"], "--threshold: expected -1 to 1, got -2"),
        (&["a.wav", "--deadline", "inf"], "--deadline: expected 0 seconds or more, got inf"),
        (
            &["a.wav", "--format", "rttm", "--embeddings"],
            "--embeddings: expected --format json or jsonl with it",
        ),
        (&["a.wav", "b.wav", "--format", "srt"], "--format srt: expected one file, or --output for several"),
        (
            &["a.wav", "--format", "json", "--reference", "a.rttm"],
            "--reference: expected --format table or --output with it",
        ),
        (
            &["x/a.wav", "y/a.mp3", "--format", "json", "--output", "out"],
            "x/a.wav and y/a.mp3 would both be written to out/a.json",
        ),
        (
            &["x/a.wav", "y/a.mp3", "--format", "rttm"],
            "x/a.wav and y/a.mp3 would both be recording `a` in one output; rename one or run them apart",
        ),
        (&["a.rttm", "--format", "rttm", "--output", "."], "./a.rttm would overwrite an input file"),
    ];
    for (arguments, message) in cases {
        let output = voiceflow(&folder, &[&["diarize"], arguments].concat());
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("voiceflow: {message}\n"));
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(output.stdout.is_empty());
    }
    assert!(!folder.path().join("out").exists());
}

#[test]
fn names_and_actions_that_make_no_sense_end_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let cases: [(&[&str], &str); 6] = [
        (
            &["SPEAKER_00", "a.wav"],
            "voiceflow: name: expected another than those of unknown speakers (SPEAKER_00), got SPEAKER_00\n",
        ),
        (&[" ", "a.wav"], "voiceflow: name: expected no white space around it"),
        (&["ada"], "error: the following required arguments were not provided:\n  <AUDIO>"),
        (&[], "error: the following required arguments were not provided:\n  <NAME|--remove <NAME>|--list>"),
        (&["--list", "ada", "a.wav"], "error: the argument '--list' cannot be used with"),
        (&["--remove", "ada", "--list"], "error: the argument '--remove <NAME>' cannot be used with"),
    ];
    for (arguments, message) in cases {
        let output = voiceflow(&folder, &[&["enroll", "--gallery", "g.json"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.starts_with(message), "{arguments:?}: {said}");
        assert_eq!(output.status.code(), Some(2), "{message}");
    }
    assert!(!folder.path().join("g.json").exists());
}

#[test]
fn help_has_examples() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["diarize", "enroll", "identify", "validate", "info"] {
        let output = voiceflow(&folder, &[command, "--help"]);
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("Examples:\n  voiceflow "), "{command}");
    }
}
