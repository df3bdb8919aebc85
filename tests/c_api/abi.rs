//! The binary interface: programs built against the first release of this ABI number run on today's
//! library.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::installed::{arguments, link_flags};
use crate::support::{fresh_folder, root, run, tool};

/// What the first release of this ABI number left, made by scripts/freeze_abi.sh.
fn frozen(name: &str) -> PathBuf {
    let path = root().join("tests/abi").join(name);
    assert!(path.is_file(), "{}: not there; run scripts/freeze_abi.sh for a new ABI number", path.display());
    path
}

/// The header and the C tests of that release.
fn old_sources(name: &str) -> PathBuf {
    let folder = fresh_folder(name);
    let archive = frozen(&format!("programs-{}.tar.xz", voiceflow::ABI_VERSION));
    run(tool("tar", "tar").arg("--extract").arg("--directory").arg(&folder).arg("--file").arg(archive));
    folder
}

/// How libabigail judges the interface that `header` describes: nothing may be gone or changed,
/// more may be there.
fn compare(folder: &Path, header: &str) -> Output {
    let (path, library) = (folder.join("voiceflow.h"), folder.join("libvoiceflow.so"));
    fs::write(&path, header).unwrap();
    run(tool("python3", "python3").arg(root().join("tests/abi/interface.py")).arg(&path).arg(&library));
    let baseline = frozen(&format!("libvoiceflow.so.{}.abi", voiceflow::ABI_VERSION));
    let mut abidiff = tool("abidiff", "abigail-tools");
    abidiff.arg("--no-added-syms").arg(baseline).arg(library).output().unwrap()
}

fn header() -> String {
    fs::read_to_string(root().join("include/voiceflow.h")).unwrap()
}

#[test]
fn nothing_is_gone_or_changed() {
    let output = compare(&fresh_folder("abi-diff"), &header());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

/// That the comparison can fail.
#[test]
fn changes_that_break_programs_are_found() {
    let folder = fresh_folder("abi-broken");
    let broken = [
        ("vf_status vf_cancel_set(", "vf_status vf_cancel_raise("),
        ("    int32_t speaker;\n", "    int16_t speaker;\n"),
        ("    double start_s;\n", "    float start_s;\n"),
        ("    uint32_t reserved;\n", "    uint64_t reserved;\n"),
        ("VF_E_AUDIO = -6", "VF_E_AUDIO = -60"),
        ("double *latency_ms", "float *latency_ms"),
        ("uint32_t vf_abi_version(void)", "uint64_t vf_abi_version(void)"),
    ];
    for (old, new) in broken {
        let changed = header().replacen(old, new, 1);
        assert_ne!(changed, header(), "{old}: not in the header");
        assert!(!compare(&folder, &changed).status.success(), "{old} -> {new}: not found");
    }
    // One more function is no break.
    let more = header().replacen(
        "const char *vf_version(void);",
        "const char *vf_version(void);\nconst char *vf_more(void);",
        1,
    );
    assert!(compare(&folder, &more).status.success());
}

/// Values that programs have compiled in.
#[test]
fn constants_are_what_they_were() {
    let constants = |header: &str| {
        let lines = header.lines().filter(|line| line.starts_with("#define VF_"));
        lines.map(str::to_owned).collect::<Vec<String>>()
    };
    let old =
        constants(&fs::read_to_string(old_sources("abi-constants").join("include/voiceflow.h")).unwrap());
    assert!(old.len() >= 3, "{old:?}");
    let today = constants(&header());
    for line in old {
        assert!(today.contains(&line), "{line}: not in today's header");
    }
}

#[test]
fn old_programs_run_on_todays_library() {
    let sources = old_sources("abi-programs");
    let include = format!("-I{}", sources.join("include").display());
    let mut programs = 0;
    for entry in fs::read_dir(sources.join("tests/c")).unwrap() {
        let source = entry.unwrap().path();
        if source.extension().is_none_or(|extension| extension != "c") {
            continue;
        }
        let program = source.with_extension("");
        // Against the old header and no other.
        let mut gcc = tool("gcc", "gcc");
        gcc.args(["-std=c11", "-pthread", &include]).arg(&source).args(link_flags()).arg("-o").arg(&program);
        run(&mut gcc);
        run(arguments(&mut Command::new("env"), &program));
        programs += 1;
    }
    assert!(programs >= 10, "only {programs} programs");
}
