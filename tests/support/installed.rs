//! The library as a user has it: installed by scripts/install.sh under a prefix of the tests' own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::support::{fresh_folder, root, run, runtime_library, shared_library, stdout, tool};

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

/// What pkg-config says of the installed library, with the place where programs look for it when they run.
pub fn build_flags() -> Vec<String> {
    let lib = prefix().join("lib");
    let mut pkg_config = tool("pkg-config", "pkg-config");
    pkg_config.args(["--cflags", "--libs", "voiceflow"]).env("PKG_CONFIG_PATH", lib.join("pkgconfig"));
    let mut flags: Vec<String> = stdout(&mut pkg_config).split_whitespace().map(str::to_owned).collect();
    flags.push(format!("-Wl,-rpath,{}", lib.display()));
    flags
}

/// What programs of the tests find in their environment.
pub fn environment(command: &mut Command) -> &mut Command {
    command
        .env("VOICEFLOW_ORT_LIBRARY", runtime_library())
        .env("VF_TEST_MODEL", model())
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
