//! A host that uses the library sends nothing and leaves nothing in the user's folders: ONNX
//! Runtime's telemetry is off before it starts, unless the host allows it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::installed::{compile, environment};
use crate::support::{fresh_folder, root, run, tool};

/// The host of tests/hosts/quiet.c in a folder of its own.
fn host(folder: &Path) -> PathBuf {
    let program = folder.join("quiet");
    compile("gcc", "gcc", &["-std=c11", "-Wall", "-Werror"], &root().join("tests/hosts/quiet.c"), &program);
    program
}

/// Puts nothing but what the host needs into its environment: no variable that switches telemetry
/// off, as those of systems of continuous integration do.
fn alone<'a>(command: &'a mut Command, home: &Path) -> &'a mut Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    environment(command.env_clear()).env("PATH", path).env("HOME", home).current_dir(home)
}

/// What ONNX Runtime 1.31 does otherwise: it writes two files at once, and after ten seconds it
/// looks up a host.
#[test]
fn a_host_of_thirty_seconds_opens_no_socket_and_writes_no_file() {
    let folder = fresh_folder("privacy");
    let (program, home, log) = (host(&folder), folder.join("home"), folder.join("strace"));
    std::fs::create_dir(&home).unwrap();
    let mut strace = tool("strace", "strace");
    strace.args(["-f", "-qq", "-e", "trace=%network", "-e", "signal=none", "-o"]).arg(&log);
    run(alone(strace.arg(program).arg("30"), &home));
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "", "calls of the network");
    let left: Vec<_> = std::fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// What ONNX Runtime reads is what the option says; the environment of the host is as it was, which
/// the host checks.
#[test]
fn the_option_decides_and_the_environment_stays() {
    let folder = fresh_folder("privacy-option");
    let (program, home, switch) = (host(&folder), folder.join("home"), folder.join("switch.so"));
    std::fs::create_dir(&home).unwrap();
    let flags = ["-std=c11", "-shared", "-fPIC"];
    run(tool("gcc", "gcc")
        .args(flags)
        .arg(root().join("tests/hosts/switch.c"))
        .arg("-o")
        .arg(&switch)
        .arg("-ldl"));
    for (option, variable, expected) in [
        (None, None, "1"),
        (Some("0"), None, "1"),
        (Some("1"), None, "none"),
        (None, Some("0"), "1"),
        (None, Some("1"), "1"),
        (Some("1"), Some("1"), "1"),
        (Some("1"), Some("0"), "0"),
    ] {
        let seen = folder.join("seen");
        let _ = std::fs::remove_file(&seen);
        let mut command = Command::new(&program);
        alone(&mut command, &home).env("LD_PRELOAD", &switch).env("VF_TEST_SEEN", &seen);
        command.envs(option.map(|option| ("VF_TEST_TELEMETRY", option)));
        command.envs(variable.map(|value| ("ORT_DISABLE_TELEMETRY", value)));
        run(&mut command);
        let logged = std::fs::read_to_string(&seen).unwrap();
        assert!(logged.lines().all(|line| line == expected), "{option:?}, {variable:?}: {logged}");
        assert!(!logged.is_empty());
    }
}
