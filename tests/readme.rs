//! The examples in README.md, run as they stand there against the installed library.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

#[path = "support/installed.rs"]
mod installed;
mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use installed::{compile, environment, prefix};
use support::{fresh_folder, root, stdout, tool};

/// The one code block of the README in this language.
fn block(language: &str) -> String {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let blocks: Vec<&str> = readme.split(&format!("```{language}\n")).skip(1).collect();
    assert_eq!(blocks.len(), 1, "README.md: expected one {language} block");
    blocks[0].split("```").next().unwrap().to_owned()
}

/// A folder with the example as `file`, and the recording that it names.
fn folder_with(name: &str, file: &str, text: &str) -> PathBuf {
    let folder = fresh_folder(name);
    std::fs::copy(root().join("examples/data/conversation.flac"), folder.join("meeting.flac")).unwrap();
    std::fs::write(folder.join(file), text).unwrap();
    folder
}

fn check_rttm(command: &mut Command, folder: &Path) {
    let rttm = stdout(environment(command).current_dir(folder).env("LD_LIBRARY_PATH", prefix().join("lib")));
    let turns = rttm.lines().filter(|line| line.starts_with("SPEAKER meeting 1 ")).count();
    assert!(turns > 1, "{rttm}");
}

#[test]
fn c() {
    let folder = folder_with("readme-c", "example.c", &block("c"));
    let program = folder.join("example");
    compile("cc", "gcc", &["-Wall", "-Wextra", "-Werror"], &folder.join("example.c"), &program);
    check_rttm(&mut Command::new(&program), &folder);
}

#[test]
fn python() {
    let folder = folder_with("readme-python", "example.py", &block("python"));
    check_rttm(tool("python3", "python3").arg("example.py"), &folder);
}

#[test]
fn go() {
    let folder = folder_with("readme-go", "main.go", &block("go"));
    std::fs::write(folder.join("go.mod"), "module example\n\ngo 1.19\n").unwrap();
    let mut go = tool("go", "golang-go");
    go.args(["run", "."]).env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"));
    check_rttm(&mut go, &folder);
}
