//! The examples of README.md in C, C++ and Go and those of docs/ERRORS_AND_BUFFERS.md, run as they
//! stand there against the installed library. README's in Python is run by the tests of its
//! package.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::installed::{compile, environment, prefix};
use crate::support::{fresh_folder, root, stdout, tool};

/// The `N` code blocks of a document in this language.
fn blocks<const N: usize>(document: &str, language: &str) -> [String; N] {
    let text = std::fs::read_to_string(root().join(document)).unwrap();
    let opening = format!("```{language}\n");
    let blocks = text.split(&opening).skip(1);
    let blocks: Vec<String> = blocks.map(|rest| rest.split("```").next().unwrap().to_owned()).collect();
    let count = blocks.len();
    blocks.try_into().unwrap_or_else(|_| panic!("{document}: expected {N} {language} blocks, found {count}"))
}

/// The one code block of the README in this language.
fn block(language: &str) -> String {
    let [block] = blocks("README.md", language);
    block
}

/// A folder with the example as `file`, and the recording that it names.
fn folder_with(name: &str, file: &str, text: &str) -> PathBuf {
    let folder = fresh_folder(name);
    std::fs::copy(root().join("examples/data/conversation.flac"), folder.join("meeting.flac")).unwrap();
    std::fs::write(folder.join(file), text).unwrap();
    folder
}

/// What the example prints.
fn printed(command: &mut Command, folder: &Path) -> String {
    stdout(environment(command).current_dir(folder).env("LD_LIBRARY_PATH", prefix().join("lib")))
}

fn check_rttm(program: &Path, folder: &Path) {
    let rttm = printed(&mut Command::new(program), folder);
    assert!(rttm.lines().filter(|line| line.starts_with("SPEAKER meeting 1 ")).count() > 1, "{rttm}");
}

/// Without the recording, the error goes to standard error and the exit code is 1. Gives the error.
fn missing(program: &Path, folder: &Path) -> String {
    std::fs::remove_file(folder.join("meeting.flac")).unwrap();
    let mut command = Command::new(program);
    environment(&mut command).current_dir(folder).env("LD_LIBRARY_PATH", prefix().join("lib"));
    let output = command.output().unwrap();
    assert!(output.stdout.is_empty() && output.status.code() == Some(1), "{output:?}");
    String::from_utf8(output.stderr).unwrap()
}

/// A folder with a program in C, compiled, and the recording that it names.
fn c_program(name: &str, text: &str) -> (PathBuf, PathBuf) {
    let folder = folder_with(name, "example.c", text);
    let program = folder.join("example");
    compile("cc", "gcc", &["-Wall", "-Wextra", "-Werror"], &folder.join("example.c"), &program);
    (program, folder)
}

#[test]
fn c() {
    let (program, folder) = c_program("readme-c", &block("c"));
    check_rttm(&program, &folder);
    assert_eq!(missing(&program, &folder), "meeting.flac: no such file\n");
}

#[test]
fn errors_and_buffers() {
    let [errors, buffers] = blocks("docs/ERRORS_AND_BUFFERS.md", "c");
    let (program, folder) = c_program("errors", &errors);
    assert!(printed(&mut Command::new(&program), &folder).ends_with(" segments\n"));
    let error = missing(&program, &folder);
    assert!(error.starts_with("meeting.flac: ") && error.contains("no such file"), "{error}");
    let (program, folder) = c_program("buffers", &buffers);
    check_rttm(&program, &folder);
}

#[test]
fn cpp() {
    let folder = folder_with("readme-cpp", "example.cpp", &block("cpp"));
    let program = folder.join("example");
    let flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror"];
    compile("g++", "g++", &flags, &folder.join("example.cpp"), &program);
    check_rttm(&program, &folder);
    assert_eq!(missing(&program, &folder), "meeting.flac: no such file\n");
}

#[test]
fn go() {
    let folder = folder_with("readme-go", "main.go", &block("go"));
    let package = root().join("bindings/go");
    let module = format!(
        "module example\n\ngo 1.24\n\nrequire voiceflow v0.0.0\n\nreplace voiceflow => {}\n",
        package.display()
    );
    std::fs::write(folder.join("go.mod"), module).unwrap();
    let mut go = tool("go", "golang-go");
    go.args(["run", "."]).env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"));
    // Go's cache knows a package by these flags and not by what pkg-config says.
    go.env("CGO_LDFLAGS", format!("-O2 -g -L{}", prefix().join("lib").display()));
    let turns = printed(&mut go, &folder);
    assert!(turns.lines().count() > 1 && turns.lines().all(|line| line.contains(" SPEAKER_0")), "{turns}");
}
