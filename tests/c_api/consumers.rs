//! The installed packages, as other projects use them: tests/consumers by CMake and by pkg-config,
//! with the shared and with the static library, from the prefix that it was installed to and from
//! one that it was moved to.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::support::{
    fresh_folder, header_functions, root, run, runtime_library, shared_library, stdout, tool,
};

/// The static library, and the libraries that Rust says a program needs beside it: made of what
/// Cargo has compiled for this test, as for a single package it chooses other features of what the
/// library needs, and compiles all of it once more.
fn static_library() -> &'static (PathBuf, BTreeSet<String>) {
    static BUILT: OnceLock<(PathBuf, BTreeSet<String>)> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = fresh_folder("consumers-static");
        let (source, file) = (folder.join("whole.rs"), folder.join("libvoiceflow.a"));
        std::fs::write(&source, "extern crate voiceflow;\n").unwrap();
        let compiled = shared_library().with_file_name("libvoiceflow.rlib");
        let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
        rustc.current_dir(root()).args(["--crate-type", "staticlib", "--print", "native-static-libs"]);
        rustc.arg("--extern").arg(format!("voiceflow={}", compiled.display()));
        rustc.arg("-L").arg(format!("dependency={}", compiled.parent().unwrap().display()));
        let said = run(rustc.arg(&source).arg("-o").arg(&file)).stderr;
        let said = String::from_utf8_lossy(&said);
        let beside = said.lines().find_map(|line| line.split("native-static-libs: ").nth(1));
        let beside = beside.unwrap_or_else(|| panic!("{said}"));
        (file, beside.split_whitespace().map(str::to_owned).collect())
    })
}

/// Installs everything there is.
fn install(name: &str) -> PathBuf {
    let prefix = fresh_folder(name).join("prefix");
    // What to install as the command line is of no matter here.
    let program = std::env::current_exe().unwrap();
    let mut script = Command::new(root().join("scripts/install.sh"));
    script.args([shared_library(), program, runtime_library()]).env("PREFIX", &prefix).env_remove("DESTDIR");
    run(script.env("STATIC_LIBRARY", &static_library().0));
    prefix
}

/// Where all consumers look: what was installed, moved.
fn prefix() -> &'static Path {
    static PREFIX: OnceLock<PathBuf> = OnceLock::new();
    PREFIX.get_or_init(|| {
        let first = install("consumers-prefix");
        let moved = first.with_file_name("moved");
        std::fs::rename(&first, &moved).unwrap();
        moved
    })
}

/// Runs a consumer on the recording without any help to find ONNX Runtime.
fn diarize(program: &Path) -> Output {
    let mut command = Command::new(program);
    for variable in ["VOICEFLOW_ORT_LIBRARY", "ORT_DYLIB_PATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH"] {
        command.env_remove(variable);
    }
    command.arg(root().join("examples/data/conversation.flac")).output().unwrap()
}

/// The consumer says who spoke when; without the model in the library, that it needs one.
fn check(program: &Path) {
    let output = diarize(program);
    if cfg!(feature = "embedded-model") {
        let rttm = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{output:?}");
        assert!(
            rttm.lines().count() > 10 && rttm.lines().all(|line| line.starts_with("SPEAKER recording 1 ")),
            "{rttm}"
        );
    } else {
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("model"), "{output:?}");
    }
}

/// Shared libraries that a program is linked to.
fn needed(program: &Path) -> String {
    stdout(tool("readelf", "binutils").args(["-d", "-W"]).arg(program))
}

fn by_cmake(name: &str, prefix: &Path, linked: &str) -> PathBuf {
    let build = fresh_folder(name);
    let source = root().join("tests/consumers/cmake");
    let mut configure = tool("cmake", "cmake");
    configure.arg("-S").arg(source).arg("-B").arg(&build).arg(format!("-DLINKED={linked}"));
    run(configure.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())));
    run(tool("cmake", "cmake").arg("--build").arg(&build));
    build.join("consumer")
}

fn by_pkg_config(name: &str, prefix: &Path, package: &str) -> PathBuf {
    let program = fresh_folder(name).join("consumer");
    let mut make = tool("make", "make");
    make.arg("-C").arg(root().join("tests/consumers/pkg-config")).arg(format!("PACKAGE={package}"));
    make.arg(format!("PKG_CONFIG_PATH={}", prefix.join("lib/pkgconfig").display()));
    // Settings of the make that may run this test are none of the consumer's.
    run(make.arg(format!("OUT={}", program.display())).env_remove("MAKEFLAGS").env_remove("MAKELEVEL"));
    program
}

#[test]
fn cmake() {
    let program = by_cmake("consumers-cmake", prefix(), "voiceflow");
    assert!(needed(&program).contains("[libvoiceflow.so.1]"));
    check(&program);
}

#[test]
fn pkg_config() {
    let program = by_pkg_config("consumers-pkg-config", prefix(), "voiceflow");
    assert!(needed(&program).contains("[libvoiceflow.so.1]"));
    check(&program);
}

/// Programs with the library in them look for ONNX Runtime in their own folder and in the lib
/// folder beside it.
#[test]
fn the_static_library() {
    let programs = [
        by_cmake("consumers-cmake-static", prefix(), "static"),
        by_pkg_config("consumers-pkg-config-static", prefix(), "voiceflow-static"),
    ];
    for (number, program) in programs.iter().enumerate() {
        assert!(!needed(program).contains("voiceflow"), "{}", needed(program));
        let installed = prefix().join(format!("bin/consumer-{number}"));
        std::fs::copy(program, &installed).unwrap();
        check(&installed);
    }
}

#[test]
fn the_static_library_has_all_functions_and_says_what_it_needs() {
    let (library, beside) = static_library();
    let table = stdout(tool("nm", "binutils").args(["--defined-only", "--extern-only"]).arg(library));
    let names = table.lines().filter_map(|line| line.split_whitespace().last());
    let defined: BTreeSet<&str> = names.filter(|name| name.starts_with("vf_")).collect();
    let functions = header_functions();
    assert_eq!(defined, functions.iter().map(|(name, ..)| name.as_str()).collect());

    let questions = [
        ["--static", "--libs-only-l", "voiceflow"],
        ["--libs-only-l", "--libs-only-other", "voiceflow-static"],
    ];
    for question in questions {
        let mut pkg_config = tool("pkg-config", "pkg-config");
        pkg_config.args(question).env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"));
        let said = stdout(&mut pkg_config);
        let libraries = said.split_whitespace().map(str::to_owned);
        let libraries: BTreeSet<String> =
            libraries.filter(|word| word.starts_with("-l") && word != "-lvoiceflow").collect();
        assert_eq!(&libraries, beside, "{question:?}; right: what rustc says");
    }
}

#[test]
fn packages_have_the_version_and_name_what_is_missing() {
    let version = env!("CARGO_PKG_VERSION");
    for package in ["voiceflow", "voiceflow-static"] {
        let mut pkg_config = tool("pkg-config", "pkg-config");
        pkg_config.args(["--modversion", package]).env("PKG_CONFIG_PATH", prefix().join("lib/pkgconfig"));
        assert_eq!(stdout(&mut pkg_config).trim(), version);
    }

    let folder = fresh_folder("consumers-versions");
    let configure = |name: &str, prefix: &Path, find: &str| {
        let project = folder.join(name);
        std::fs::create_dir(&project).unwrap();
        let text =
            format!("cmake_minimum_required(VERSION 3.16)\nproject(p LANGUAGES C)\nfind_package({find})\n");
        std::fs::write(project.join("CMakeLists.txt"), text).unwrap();
        let mut cmake = tool("cmake", "cmake");
        cmake.arg("-S").arg(&project).arg("-B").arg(project.join("build"));
        let output = cmake.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        (output.status.success(), text)
    };
    let exact = format!("voiceflow {version} EXACT REQUIRED COMPONENTS static");
    let (found, said) = configure("exact", prefix(), &exact);
    assert!(found, "{said}");
    let (found, said) = configure("later", prefix(), "voiceflow 99 REQUIRED");
    assert!(!found && said.contains(&format!("version: {version}")), "{said}");

    let small = folder.join("prefix");
    let mut script = Command::new(root().join("scripts/install.sh"));
    run(script
        .arg(shared_library())
        .env("PREFIX", &small)
        .env_remove("DESTDIR")
        .env_remove("STATIC_LIBRARY"));
    let (found, said) = configure("small", &small, "voiceflow REQUIRED");
    assert!(found, "{said}");
    let (found, said) = configure("no-static", &small, "voiceflow REQUIRED COMPONENTS static");
    assert!(!found && said.contains("has no component static of voiceflow"), "{said}");
}

/// Everything that was installed goes, nothing else does, and a second installation over the first
/// is one.
#[test]
fn uninstall() {
    let prefix = install("consumers-uninstall");
    let other = prefix.join("lib/cmake/other.cmake");
    std::fs::write(&other, "").unwrap();
    let list = std::fs::read_to_string(prefix.join("share/voiceflow/installed.txt")).unwrap();
    let script = || {
        let mut script = Command::new(root().join("scripts/uninstall.sh"));
        script.env("PREFIX", &prefix).env_remove("DESTDIR");
        script
    };
    let files = || {
        let found = stdout(Command::new("find").arg(&prefix).args(["-not", "-type", "d", "-printf", "%P\n"]));
        found.lines().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let mut expected: BTreeSet<String> = list.lines().map(str::to_owned).collect();
    for licence in ["LICENSE-MIT", "LICENSE-APACHE", "THIRD-PARTY-NOTICES.txt", "onnxruntime/LICENSE"] {
        assert!(expected.contains(&format!("share/doc/voiceflow/{licence}")), "{licence}: {list}");
    }
    assert_eq!(expected.len(), list.lines().count(), "{list}");
    expected.insert("lib/cmake/other.cmake".to_owned());
    assert_eq!(files(), expected);

    run(&mut script());
    assert_eq!(files(), BTreeSet::from(["lib/cmake/other.cmake".to_owned()]));
    for folder in ["include/voiceflow", "lib/cmake/voiceflow", "share/doc/voiceflow", "share/voiceflow"] {
        assert!(!prefix.join(folder).exists(), "{folder}");
    }
    let output = script().output().unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("installed.txt: no such file"), "{output:?}");
}
