//! The examples of README.md in C, C++ and Go, run as they stand there against the installed library. That in Python is run
//! by the tests of its package.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::installed::{compile, environment, prefix};
use crate::support::{fresh_folder, root, stdout, tool};

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

/// What the example prints.
fn printed(command: &mut Command, folder: &Path) -> String {
    stdout(environment(command).current_dir(folder).env("LD_LIBRARY_PATH", prefix().join("lib")))
}

fn check_rttm(program: &Path, folder: &Path) {
    let rttm = printed(&mut Command::new(program), folder);
    assert!(rttm.lines().filter(|line| line.starts_with("SPEAKER meeting 1 ")).count() > 1, "{rttm}");
}

#[test]
fn c() {
    let folder = folder_with("readme-c", "example.c", &block("c"));
    let program = folder.join("example");
    compile("cc", "gcc", &["-Wall", "-Wextra", "-Werror"], &folder.join("example.c"), &program);
    check_rttm(&program, &folder);
}

#[test]
fn cpp() {
    let folder = folder_with("readme-cpp", "example.cpp", &block("cpp"));
    let program = folder.join("example");
    let flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror"];
    compile("g++", "g++", &flags, &folder.join("example.cpp"), &program);
    check_rttm(&program, &folder);
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
    let turns = printed(&mut go, &folder);
    assert!(turns.lines().count() > 1 && turns.lines().all(|line| line.contains(" SPEAKER_0")), "{turns}");
}
