//! The examples, run as their first comment says, against the installed library.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

#[path = "support/installed.rs"]
mod installed;
mod support;

use std::path::PathBuf;
use std::process::Command;

use voiceflow::audio::{AudioSource, FileSource};

use installed::{compile, environment, family, model, prefix};
use support::{fresh_folder, root, run, stdout, tool};

fn recording() -> PathBuf {
    root().join("examples/data/conversation.flac")
}

#[test]
fn c() {
    let program = fresh_folder("example-c").join("diarize");
    let flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-std=c99"];
    compile("cc", "gcc", &flags, &root().join("examples/c/diarize.c"), &program);
    let turns = stdout(environment(&mut Command::new(&program)).arg(recording()).arg(model()));
    assert!(turns.lines().count() > 1 && turns.lines().all(|line| line.contains("speaker")), "{turns}");

    let output =
        environment(&mut Command::new(&program)).args(["/nowhere.wav"]).arg(model()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere.wav: no such file"), "{output:?}");
}

/// Live, from standard input.
#[test]
fn c_stream() {
    let program = fresh_folder("example-c-stream").join("stream");
    let flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-std=c99"];
    compile("cc", "gcc", &flags, &root().join("examples/c/stream.c"), &program);
    let (mut source, mut samples) = (FileSource::open(&recording()).unwrap(), Vec::new());
    while source.read(&mut samples).unwrap() > 0 {}
    let raw: Vec<u8> = samples.iter().flat_map(|&s| ((s * 32_768.0) as i16).to_le_bytes()).collect();
    let file = program.with_file_name("conversation.raw");
    std::fs::write(&file, raw).unwrap();
    let with_input =
        |command: &mut Command| stdout(environment(command).stdin(std::fs::File::open(&file).unwrap()));
    let turns = with_input(Command::new(&program).arg(model()));
    assert!(turns.lines().count() > 1 && turns.lines().all(|line| line.contains("speaker")), "{turns}");
    #[cfg(feature = "embedded-model")]
    assert!(with_input(&mut Command::new(&program)).lines().count() > 1);

    let output = environment(&mut Command::new(&program)).arg("/nowhere.onnx").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere.onnx"), "{output:?}");
}

#[test]
fn c_with_two_public_models() {
    let program = fresh_folder("example-c-public").join("public_models");
    let flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-std=c99"];
    compile("cc", "gcc", &flags, &root().join("examples/c/public_models.c"), &program);
    let (segmentation, embedding) = (family("segmentation"), family("wespeaker_resnet34"));
    let output =
        run(environment(&mut Command::new(&program)).arg(recording()).args([&segmentation, &embedding]));
    let rttm = String::from_utf8(output.stdout).unwrap();
    assert!(
        rttm.lines().count() > 1 && rttm.lines().all(|line| line.starts_with("SPEAKER audio 1 ")),
        "{rttm}"
    );
    let expected = "segmentation + wespeaker_resnet34: windows of 10.0 s, at most 3 speakers in each, ";
    assert!(String::from_utf8_lossy(&output.stderr).starts_with(expected), "{:?}", output.stderr);

    let swapped =
        environment(&mut Command::new(&program)).arg(recording()).args([&embedding, &segmentation]).output();
    let output = swapped.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("wespeaker_resnet34.onnx: expected a segmentation network"), "{said}");
}

#[test]
fn python_by_ctypes() {
    let script = root().join("examples/python/ctypes_ten_lines.py");
    let mut python = tool("python3", "python3");
    environment(&mut python).env("LD_LIBRARY_PATH", prefix().join("lib"));
    let rttm = stdout(python.arg(&script).arg(recording()).arg(model()));
    assert!(
        rttm.lines().count() > 1 && rttm.lines().all(|line| line.starts_with("SPEAKER audio 1 ")),
        "{rttm}"
    );

    let mut python = tool("python3", "python3");
    environment(&mut python).env("LD_LIBRARY_PATH", prefix().join("lib"));
    let output = python.arg(&script).arg("/nowhere.wav").arg(model()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("/nowhere.wav: no such file"), "{output:?}");
}

/// As most users call it: with the model in the library.
#[cfg(feature = "embedded-model")]
#[test]
fn c_with_the_model_in_the_library() {
    let program = fresh_folder("example-c-embedded").join("diarize");
    compile("cc", "gcc", &[], &root().join("examples/c/diarize.c"), &program);
    let turns = stdout(environment(&mut Command::new(&program)).arg(recording()));
    assert!(turns.lines().count() > 1 && turns.lines().all(|line| line.contains("speaker")), "{turns}");
}

/// The library can be built and its folder moved: nothing in it names the place it was installed to.
#[test]
fn the_installed_library_can_be_moved() {
    let moved = fresh_folder("moved").join("there");
    run(Command::new("cp").arg("-a").arg(prefix()).arg(&moved));
    let mut pkg_config = tool("pkg-config", "pkg-config");
    pkg_config.args(["--cflags", "voiceflow"]).env("PKG_CONFIG_PATH", moved.join("lib/pkgconfig"));
    assert!(stdout(&mut pkg_config).contains("/there/"));
    let link = std::fs::read_link(moved.join("lib/libvoiceflow.so")).unwrap();
    assert!(link.is_relative() && link.to_str().unwrap().ends_with(".so.1"), "{}", link.display());
}
