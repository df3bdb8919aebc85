//! The library as a user has it: installed by scripts/install.sh under a prefix of the tests' own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::{fresh_folder, root, run, runtime_library, shared_library, stdout, tool};

/// The model that the C tests and the examples run.
pub fn model() -> PathBuf {
    root().join("tests/data/models/good.onnx")
}

/// A public model with random weights.
pub fn family(name: &str) -> PathBuf {
    root().join(format!("tests/data/families/{name}.onnx"))
}

/// The prefix, installed once for each test program.
pub fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let name = std::env::current_exe().unwrap();
        let prefix = fresh_folder(&format!("prefix-{}", name.file_name().unwrap().to_str().unwrap()));
        let script = root().join("scripts/install.sh");
        let said =
            stdout(Command::new(script).arg(shared_library()).env("PREFIX", &prefix).env_remove("DESTDIR"));
        assert!(Path::new(said.trim()).starts_with(prefix.join("lib")), "{said}");
        prefix
    })
}

/// What pkg-config says of the installed library.
fn pkg_config(questions: &[&str]) -> Vec<String> {
    let mut pkg_config = tool("pkg-config", "pkg-config");
    pkg_config.args(questions).arg("voiceflow").env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"));
    stdout(&mut pkg_config).split_whitespace().map(str::to_owned).collect()
}

/// Where programs look for the installed library when they run.
fn run_path() -> String {
    format!("-Wl,-rpath,{}", prefix().join("lib").display())
}

/// What a compiler needs for the installed header and library.
pub fn build_flags() -> Vec<String> {
    [pkg_config(&["--cflags", "--libs"]), vec![run_path()]].concat()
}

/// What a compiler needs for the installed library with another header.
pub fn link_flags() -> Vec<String> {
    [pkg_config(&["--libs"]), vec![run_path()]].concat()
}

/// What programs of the tests find in their environment.
pub fn environment(command: &mut Command) -> &mut Command {
    command
        .env("VOICEFLOW_ORT_LIBRARY", runtime_library())
        .env("VF_TEST_MODEL", model())
        .env("VF_TEST_BUNDLE", root().join("models/fast-cnn/1.0.1"))
        .env("VF_TEST_SEGMENTATION", family("segmentation"))
        .env("VF_TEST_EMBEDDING", family("campplus"))
        .env("VF_TEST_WHOLE_EMBEDDING", family("titanet"))
        .env("VF_TEST_BROKEN_MODEL", root().join("tests/data/models/wrong_contract.onnx"))
        .env("VF_TEST_EMBEDDED", if cfg!(feature = "embedded-model") { "1" } else { "0" })
}

/// Compiles `source` to `program`.
pub fn compile(compiler: &str, package: &str, flags: &[&str], source: &Path, program: &Path) {
    run(tool(compiler, package).args(flags).arg(source).args(build_flags()).arg("-o").arg(program));
}

/// One file of each format and of each way to hold samples.
fn audio_files() -> Vec<PathBuf> {
    let names = [
        "16k.flac",
        "16k_6ch.flac",
        "16k_id3.mp3",
        "16k_stereo.ogg",
        "16k_stereo_faststart.m4a",
        "48k.aac",
        "48k_fragmented.m4a",
        "adpcm_ima_8k.wav",
        "f32_8k.wav",
        "mulaw_8k.wav",
        "s16_11k_stereo.wav",
        "s24_16k.wav",
        "u8_8k.wav",
    ];
    names.iter().map(|name| root().join("tests/data/audio").join(name)).collect()
}

/// The command for a program of tests/c; `diarizer`, `sources` and `stacks` get the files.
pub fn arguments<'a>(command: &'a mut Command, program: &Path) -> &'a mut Command {
    command.arg(program);
    if ["diarizer", "sources", "stacks"].iter().any(|name| program.ends_with(name)) {
        command.args(audio_files());
    }
    environment(command)
}
