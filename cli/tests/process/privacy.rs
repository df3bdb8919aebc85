//! Commands that load ONNX Runtime open no socket, and leave nothing in the user's folders.

use std::path::Path;
use std::process::Command;

use crate::support::{CONVERSATION, root, say, voiceflow};

/// Runs `command` under strace and asserts that it made no call of the network.
fn without_network(command: &Command, log: &Path) {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=%network", "-e", "signal=none", "-o"]).arg(log);
    strace.arg(command.get_program()).args(command.get_args()).env_clear();
    strace.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    strace.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    strace.current_dir(command.get_current_dir().unwrap());
    let said = say(&mut strace);
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    assert_eq!(std::fs::read_to_string(log).unwrap(), "", "calls of the network");
}

#[test]
fn nothing_is_sent_and_nothing_left() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    for arguments in [&["info"][..], &["diarize", CONVERSATION]] {
        let mut command = voiceflow();
        without_network(command.args(arguments).env("HOME", &home), &folder.path().join("strace"));
        assert_eq!(std::fs::read_dir(&home).unwrap().count(), 0, "{arguments:?}");
    }
}

/// tests/hosts/switch.c notes what ONNX Runtime would read, and switches its telemetry off all the
/// same.
#[test]
fn telemetry_is_left_on_where_it_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let (switch, seen) = (folder.path().join("switch.so"), folder.path().join("seen"));
    let source = root().join("tests/hosts/switch.c");
    let mut gcc = Command::new("gcc");
    gcc.args(["-shared", "-fPIC"]).arg(source).arg("-o").arg(&switch).arg("-ldl");
    assert!(gcc.status().expect("gcc is needed").success());
    for (arguments, expected) in [(&["info"][..], "1"), (&["info", "--telemetry"], "none")] {
        let _ = std::fs::remove_file(&seen);
        let mut command = voiceflow();
        command.args(arguments).env("LD_PRELOAD", &switch).env("VF_TEST_SEEN", &seen);
        assert_eq!(say(command.env("HOME", folder.path())).code, 0);
        let logged = std::fs::read_to_string(&seen).unwrap();
        assert!(!logged.is_empty() && logged.lines().all(|line| line == expected), "{arguments:?}: {logged}");
    }
}
