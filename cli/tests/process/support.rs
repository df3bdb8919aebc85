//! What these tests share: where things lie, and the program with nothing but what it needs around
//! it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The recording that most tests run on; a path from the root of the checkout.
pub const CONVERSATION: &str = "examples/data/conversation.flac";

/// The root of the checkout, the working directory of the program.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn runtime_library() -> PathBuf {
    if let Some(path) = std::env::var_os("VOICEFLOW_ORT_LIBRARY") {
        return path.into();
    }
    let path = root().join(".runtime/onnxruntime-1.31.1/libonnxruntime.so.1.31.1");
    assert!(path.is_file(), "{}: not there; run scripts/fetch_runtime.sh", path.display());
    path
}

/// The program in an empty environment.
pub fn bare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_voiceflow"));
    command.env_clear().current_dir(root());
    command
}

/// The program with an ONNX Runtime.
pub fn voiceflow() -> Command {
    let mut command = bare();
    command.env("VOICEFLOW_ORT_LIBRARY", runtime_library());
    command
}

/// How a process ended and what it said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs `command` to its end.
pub fn say(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code().expect("an end by itself, not by a signal"),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the program with an ONNX Runtime and `arguments`.
pub fn run(arguments: &[&str]) -> Said {
    say(voiceflow().args(arguments))
}

/// Runs the program, which must succeed and say nothing on standard error, and gives its output.
pub fn output(arguments: &[&str]) -> String {
    let said = run(arguments);
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{arguments:?}");
    said.out
}

/// Asserts that `said` is a failure of the work in one line, and gives that line.
pub fn failure(said: &Said) -> &str {
    assert_eq!(said.code, 1, "{said:?}");
    let line = said.err.strip_prefix("voiceflow: ").expect("the name of the program");
    assert_eq!(line.matches('\n').count(), 1, "{line}");
    line.trim_end()
}

/// Writes 16 kHz mono samples as a WAV file.
pub fn write_wav(path: &Path, samples: &[f32]) {
    write_frames(path, 1, samples.iter().copied());
}

/// Writes 16 kHz samples of two channels as a WAV file.
pub fn write_stereo_wav(path: &Path, left: &[f32], right: &[f32]) {
    assert_eq!(left.len(), right.len());
    write_frames(path, 2, left.iter().zip(right).flat_map(|(left, right)| [*left, *right]));
}

fn write_frames(path: &Path, channels: u16, values: impl Iterator<Item = f32>) {
    let data: Vec<u8> = values.flat_map(|value| ((value * 32767.0) as i16).to_le_bytes()).collect();
    let rate = voiceflow::audio::SAMPLE_RATE;
    let mut bytes = b"RIFF".to_vec();
    bytes.extend((36 + data.len() as u32).to_le_bytes());
    bytes.extend(b"WAVEfmt \x10\0\0\0\x01\0");
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((2 * u32::from(channels) * rate).to_le_bytes());
    bytes.extend((2 * channels).to_le_bytes());
    bytes.extend(b"\x10\0data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    std::fs::write(path, bytes).unwrap();
}
