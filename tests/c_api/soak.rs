//! Hours of use, compressed: tests/hosts/soak.c makes handles, diarizes files and pushes a stream,
//! and nothing becomes more.

use std::process::Command;

use crate::support::installed::{compile, environment};
use crate::support::{fresh_folder, root, stdout};

const FLAGS: [&str; 7] =
    ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror", "-pthread"];

/// So many of each handle, so many files, and a stream of so many minutes.
fn soak(name: &str, handles: usize, recordings: usize, minutes: usize) {
    let built = fresh_folder(name).join("soak");
    compile("gcc", "gcc", &FLAGS, &root().join("tests/hosts/soak.c"), &built);
    let mut files: Vec<_> = std::fs::read_dir(root().join("tests/data/audio"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let mut command = Command::new(&built);
    command.args([handles, recordings, minutes].map(|number| number.to_string())).args(files);
    print!("{}", stdout(environment(&mut command)));
}

#[test]
fn nothing_becomes_more() {
    soak("soak-short", 60, 120, 40);
}

#[test]
#[ignore = "takes an hour: make soak"]
fn nothing_becomes_more_in_a_day() {
    soak("soak-day", 10_000, 8_000, 24 * 60);
}
