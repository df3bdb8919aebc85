//! The examples, run as their first comment says, against the installed library.

#[cfg(feature = "embedded-model")]
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use voiceflow::audio::{AudioSource, FileSource};

use crate::support::installed::{compile, environment, family, model, prefix};
use crate::support::{fresh_folder, root, run, stdout, tool};

fn recording() -> PathBuf {
    root().join("examples/data/conversation.flac")
}

/// The recording, at 16 kHz.
fn samples() -> Vec<f32> {
    let (mut source, mut samples) = (FileSource::open(recording()).unwrap(), Vec::new());
    while source.read(&mut samples).unwrap() > 0 {}
    samples
}

fn raw(samples: &[f32]) -> Vec<u8> {
    samples.iter().flat_map(|&sample| ((sample * 32_768.0) as i16).to_le_bytes()).collect()
}

/// Solo speech of the first two speakers, as NAME=FILE.
#[cfg(feature = "embedded-model")]
fn solo_recordings(folder: &Path) -> [String; 2] {
    [("ada", 0.6, 5.2), ("ben", 5.6, 10.5)].map(|(name, start_s, end_s)| {
        let file = folder.join(format!("{name}.wav"));
        let data = raw(&samples()[(start_s * 16e3) as usize..(end_s * 16e3) as usize]);
        let length = data.len() as u32;
        let header = [
            b"RIFF".as_slice(),
            &(36 + length).to_le_bytes(),
            b"WAVEfmt \x10\0\0\0\x01\0\x01\0",
            &16_000_u32.to_le_bytes(),
            &32_000_u32.to_le_bytes(),
            b"\x02\0\x10\0data",
            &length.to_le_bytes(),
        ];
        std::fs::write(&file, [header.concat(), data].concat()).unwrap();
        format!("{name}={}", file.display())
    })
}

/// An example of a folder of its own, compiled.
fn compiled(compiler: (&str, &str), standard: &str, source: &str) -> PathBuf {
    static PROGRAMS: AtomicUsize = AtomicUsize::new(0);
    let number = PROGRAMS.fetch_add(1, Ordering::Relaxed);
    let program = fresh_folder(&format!("example-{number}")).join("program");
    let flags = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", standard];
    compile(compiler.0, compiler.1, &flags, &root().join("examples").join(source), &program);
    program
}

/// A C example as a program.
fn c_program(name: &str) -> PathBuf {
    compiled(("cc", "gcc"), "-std=c99", &format!("c/{name}.c"))
}

/// A C++ example as a program.
#[cfg(feature = "embedded-model")]
fn cpp_program(name: &str) -> PathBuf {
    compiled(("c++", "g++"), "-std=c++17", &format!("cpp/{name}.cpp"))
}

/// A Rust example as a program.
#[cfg(feature = "embedded-model")]
fn rust_program(name: &str) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    let messages = stdout(cargo.current_dir(root()).args([
        "build",
        "--locked",
        "--workspace",
        "--quiet",
        "--message-format=json",
        "--example",
        name,
    ]));
    let built = messages.split("\"executable\":\"").nth(1).unwrap_or_else(|| panic!("{name}: {messages}"));
    PathBuf::from(built.split('"').next().unwrap())
}

/// The same tasks in C, C++ and Rust, with the model in the library.
#[cfg(feature = "embedded-model")]
mod each_task {
    use super::*;

    /// What the program of each language prints.
    fn outputs(name: &str, arguments: &[&str], input: Option<&Path>) -> [String; 3] {
        [c_program(name), cpp_program(name), rust_program(name)].map(|program| {
            let mut command = Command::new(program);
            environment(&mut command).args(arguments);
            if let Some(input) = input {
                command.stdin(std::fs::File::open(input).unwrap());
            }
            stdout(&mut command)
        })
    }

    /// What the program of each language says when it fails.
    fn complaints(name: &str, arguments: &[&str]) -> [String; 3] {
        [c_program(name), cpp_program(name), rust_program(name)].map(|program| {
            let output = environment(&mut Command::new(program)).args(arguments).output().unwrap();
            assert!(matches!(output.status.code(), Some(1 | 2)), "{output:?}");
            String::from_utf8(output.stderr).unwrap()
        })
    }

    fn name(path: &Path) -> &str {
        path.to_str().unwrap()
    }

    #[test]
    fn diarize() {
        for turns in outputs("diarize", &[name(&recording())], None) {
            assert!(turns.lines().count() > 10 && turns.contains("(overlap)"), "{turns}");
        }
        for said in complaints("diarize", &["/nowhere.wav"]) {
            assert_eq!(said, "diarize: /nowhere.wav: no such file\n");
        }
    }

    #[test]
    fn stream() {
        let file = fresh_folder("example-stream").join("conversation.raw");
        std::fs::write(&file, raw(&samples())).unwrap();
        let [c, cpp, rust] = outputs("stream", &[], Some(&file));
        assert!(c.lines().count() > 10, "{c}");
        assert_eq!([&c, &c], [&cpp, &rust]);
    }

    #[test]
    fn batch_infer() {
        let file = fresh_folder("example-batch").join("conversation.raw");
        std::fs::write(&file, raw(&samples())).unwrap();
        let [from_samples, in_cpp] = [c_program("batch_infer"), cpp_program("batch_infer")].map(|program| {
            let input = std::fs::File::open(&file).unwrap();
            stdout(environment(&mut Command::new(program)).stdin(input))
        });
        let from_file = stdout(environment(&mut Command::new(rust_program("batch_infer"))).arg(recording()));
        assert_eq!(from_samples.lines().count(), 6, "{from_samples}");
        assert_eq!([&from_samples, &from_samples], [&in_cpp, &from_file]);
        let talk = from_file.split_whitespace().filter_map(|word| word.parse::<u32>().ok()).sum::<u32>();
        assert!(talk > 300, "{from_file}");
    }

    #[test]
    fn identify() {
        let [ada, ben] = solo_recordings(&fresh_folder("example-identify"));
        for names in outputs("identify", &[name(&recording()), &ada, &ben], None) {
            let lines: Vec<&str> = names.lines().collect();
            assert!(lines[0].starts_with("SPEAKER_00 is ada (similarity 0."), "{names}");
            assert!(lines[1].starts_with("SPEAKER_01 is ben (similarity 0."), "{names}");
            assert!(lines[2].starts_with("SPEAKER_02 is a stranger"), "{names}");
        }
        for said in complaints("identify", &[name(&recording()), "ada"]) {
            assert!(said.contains("ada: expected NAME=FILE"), "{said}");
        }
    }

    #[test]
    fn own_logger() {
        let file = fresh_folder("example-log").join("program.log");
        for printed in outputs("own_logger", &[name(&recording()), name(&file)], None) {
            assert_eq!(printed, "3 speakers\n");
        }
        let log = std::fs::read_to_string(&file).unwrap();
        assert_eq!(log.matches("ONNX Runtime loaded from").count(), 3, "{log}");
    }

    #[test]
    fn deadline() {
        for printed in outputs("deadline", &[name(&recording()), "0"], None) {
            assert_eq!(printed, "not done within 0 ms\n");
        }
        for printed in outputs("deadline", &[name(&recording()), "600000"], None) {
            assert!(printed.ends_with(" segments\n"), "{printed}");
        }
    }
}

#[test]
fn c() {
    let program = c_program("diarize");
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
    let program = c_program("stream");
    let file = program.with_file_name("conversation.raw");
    std::fs::write(&file, raw(&samples())).unwrap();
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
    let program = c_program("public_models");
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

/// The library can be built and its folder moved: nothing in it names the place it was installed
/// to.
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
