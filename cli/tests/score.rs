//! `voiceflow score` as a process: what it prints, where, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

fn voiceflow(folder: &TempDir, arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_voiceflow");
    Command::new(program).args(arguments).current_dir(folder).env_remove("RUST_LOG").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A file of turns (recording, start, duration, speaker).
fn rttm(folder: &TempDir, name: &str, turns: &[(&str, f64, f64, &str)]) {
    let line = |(recording, start, duration, speaker): &(&str, f64, f64, &str)| {
        format!("SPEAKER {recording} 1 {start:.3} {duration:.3} <NA> <NA> {speaker} <NA> <NA>\n")
    };
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, turns.iter().map(line).collect::<String>()).unwrap();
}

/// Two recordings: in `one` two of ten seconds are confused, in `two` four of five are missed.
fn two_recordings() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    rttm(&folder, "ref.rttm", &[("one", 0.0, 6.0, "a"), ("one", 6.0, 4.0, "b"), ("two", 0.0, 5.0, "c")]);
    rttm(&folder, "hyp.rttm", &[("one", 0.0, 8.0, "x"), ("one", 8.0, 2.0, "y"), ("two", 0.0, 1.0, "x")]);
    folder
}

#[test]
fn a_table_for_readers() {
    let output = voiceflow(&two_recordings(), &["score", "ref.rttm", "hyp.rttm"]);
    assert!(output.status.success());
    assert_eq!(text(&output.stderr), "");
    assert_eq!(
        text(&output.stdout),
        "recording  DER %  missed %  false alarm %  confusion %  JER %  speech s  missed s  false alarm s  confusion s\n\
         one        20.00      0.00           0.00        20.00  37.50    10.000     0.000          0.000        2.000\n\
         two        80.00     80.00           0.00         0.00  80.00     5.000     4.000          0.000        0.000\n\
         OVERALL    40.00     26.67           0.00        13.33  51.67    15.000     4.000          0.000        2.000\n"
    );
}

#[test]
fn json_for_programs_with_a_uem() {
    let folder = two_recordings();
    std::fs::write(folder.path().join("all.uem"), "one 1 0 5\none 1 7 10\n").unwrap();
    let output =
        voiceflow(&folder, &["score", "ref.rttm", "hyp.rttm", "--uem", "all.uem", "--format", "json"]);
    assert!(output.status.success());
    assert_eq!(text(&output.stderr), "voiceflow: warning: two: not scored: the UEM file lacks it\n");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["format"], "voiceflow.score");
    assert_eq!(report["version"], 1);
    assert_eq!(report["unscored"], serde_json::json!(["two"]));
    assert_eq!(report["recordings"][0]["recording"], "one");
    assert_eq!(report["overall"]["reference_s"], 8.0);
    assert_eq!(report["overall"]["confusion_s"], 1.0);
    assert_eq!(report["overall"]["der"], 0.125);
}

#[test]
fn recordings_of_one_side_only() {
    let folder = two_recordings();
    rttm(&folder, "part.rttm", &[("two", 0.0, 5.0, "x"), ("three", 0.0, 1.0, "x")]);
    let output = voiceflow(&folder, &["score", "ref.rttm", "part.rttm"]);
    assert!(output.status.success());
    assert_eq!(
        text(&output.stderr),
        "voiceflow: warning: one: all of it counts as missed: part.rttm lacks it\n\
         voiceflow: warning: three: not scored: ref.rttm lacks it\n"
    );
    assert!(text(&output.stdout).contains("OVERALL     66.67     66.67"), "{}", text(&output.stdout));

    rttm(&folder, "other.rttm", &[("three", 0.0, 1.0, "x")]);
    let output = voiceflow(&folder, &["score", "ref.rttm", "other.rttm"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "voiceflow: other.rttm: expected recordings that ref.rttm has, such as one; found three\n"
    );
}

#[test]
fn folders_and_files_without_turns() {
    let folder = tempfile::tempdir().unwrap();
    rttm(&folder, "ref/silence.rttm", &[]);
    rttm(&folder, "ref/talk.rttm", &[("talk", 0.0, 4.0, "a")]);
    rttm(&folder, "hyp/silence.rttm", &[("silence", 1.0, 1.0, "x")]);
    rttm(&folder, "hyp/talk.rttm", &[]);
    let output = voiceflow(&folder, &["score", "ref", "hyp"]);
    assert_eq!(text(&output.stderr), "");
    assert!(text(&output.stdout).contains("silence    100.00         -              -            -"));
    assert!(text(&output.stdout).contains("OVERALL    125.00    100.00          25.00"));

    // A silent reference file on its own: everything is a false alarm.
    let output = voiceflow(&folder, &["score", "ref/silence.rttm", "hyp/silence.rttm", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["overall"]["false_alarm_s"], 1.0);

    rttm(&folder, "hyp/more.rttm", &[("silence", 5.0, 1.0, "x")]);
    let output = voiceflow(&folder, &["score", "ref", "hyp"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("recording silence is in another file too"));
}

#[test]
fn bad_input_is_named_in_one_line() {
    let folder = two_recordings();
    std::fs::write(folder.path().join("bad.rttm"), ";;\nSPEAKER one 1 0 -1 <NA> <NA> a\n").unwrap();
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    let cases = [
        (["ref.rttm", "bad.rttm"], "bad.rttm: line 2: duration: expected seconds, 0 or more, found \"-1\""),
        (["none.rttm", "hyp.rttm"], "none.rttm: no such file"),
        (["ref.rttm", "empty"], "empty: expected files that end in .rttm, found none"),
    ];
    for ([reference, hypothesis], message) in cases {
        let output = voiceflow(&folder, &["score", reference, hypothesis]);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert_eq!(text(&output.stderr), format!("voiceflow: {message}\n"));
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn bad_arguments_end_with_2() {
    let folder = two_recordings();
    let output = voiceflow(&folder, &["score", "ref.rttm", "hyp.rttm", "--collar", "-1"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stderr), "voiceflow: collar_s: expected 0 or more, got -1\n");
    for arguments in [
        &["score", "ref.rttm"][..],
        &["score", "ref.rttm", "hyp.rttm", "--collar", "wide"],
        &["score", "ref.rttm", "hyp.rttm", "--format", "xml"],
        &["no-such-command"],
        &[],
    ] {
        let output = voiceflow(&folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let names: Vec<String> = (0..5000).map(|index| format!("recording{index}")).collect();
    let turns: Vec<(&str, f64, f64, &str)> =
        names.iter().map(|name| (name.as_str(), 0.0, 1.0, "a")).collect();
    rttm(&folder, "many.rttm", &turns);
    let mut child = Command::new(env!("CARGO_BIN_EXE_voiceflow"))
        .args(["score", "many.rttm", "many.rttm"])
        .current_dir(&folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(text(&output.stderr), "");
    assert!(output.status.success());
}

#[test]
fn help_names_examples_and_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let help = text(&voiceflow(&folder, &["--help"]).stdout);
    assert!(help.contains("Exit codes:") && help.contains("score"), "{help}");
    for command in ["score", "completions"] {
        let help = text(&voiceflow(&folder, &[command, "--help"]).stdout);
        assert!(help.contains("Examples:\n  voiceflow "), "{help}");
    }
    let script = voiceflow(&folder, &["completions", "bash"]);
    assert!(text(&script.stdout).contains("skip-overlap"));
}
