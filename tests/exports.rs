//! The shared library: its exports, its name, and that it stays loaded.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

mod support;

use std::collections::BTreeSet;
use std::fs;

use support::{ffi_files, header_functions, root, shared_library, stdout, tool, without_tests};

#[test]
fn exports_header_and_committed_list_are_the_same() {
    let table = stdout(tool("nm", "binutils").args(["-D", "--defined-only"]).arg(shared_library()));
    let exported: BTreeSet<String> =
        table.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect();
    let declared: BTreeSet<String> = header_functions().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(exported, declared, "left: nm -D, right: include/voiceflow.h");

    let path = root().join("tests/exports.txt");
    if std::env::var_os("VOICEFLOW_BLESS").is_some() {
        fs::write(&path, exported.iter().map(|name| format!("{name}\n")).collect::<String>()).unwrap();
    }
    let committed: BTreeSet<String> =
        fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect();
    assert_eq!(
        exported, committed,
        "tests/exports.txt (right) differs: a function that went breaks programs; for new ones run \
         VOICEFLOW_BLESS=1 cargo test --test exports"
    );
}

#[test]
fn the_soname_carries_the_abi_and_the_library_stays_loaded() {
    let table = stdout(tool("readelf", "binutils").args(["-d", "-W"]).arg(shared_library()));
    let abi = voiceflow::ffi::version::VF_ABI_VERSION;
    assert_eq!(voiceflow::ffi::version::vf_abi_version(), abi);
    assert!(table.contains(&format!("soname: [libvoiceflow.so.{abi}]")), "{table}");
    assert!(table.contains("NODELETE"), "{table}");
    // ONNX Runtime is loaded when it is needed, never linked.
    assert!(!table.contains("onnxruntime"), "{table}");
}

#[test]
fn every_exported_body_begins_with_its_guard() {
    let mut bodies = 0;
    for file in ffi_files() {
        let source = fs::read_to_string(&file).unwrap();
        let source = without_tests(&source);
        let exported = source.split("#[unsafe(no_mangle)]").skip(1);
        for function in exported {
            let name = function.split("fn ").nth(1).unwrap().split('(').next().unwrap();
            let body = function.split_once("{\n").unwrap().1;
            // A comment may stand before it.
            let first = body.lines().map(str::trim).find(|line| !line.starts_with("//")).unwrap();
            assert!(first.starts_with("guard("), "{}: {name} begins with {first}", file.display());
            bodies += 1;
        }
        assert_eq!(
            source.matches("pub extern \"C\" fn").count()
                + source.matches("pub unsafe extern \"C\" fn").count(),
            source.matches("#[unsafe(no_mangle)]").count(),
            "{}: an extern \"C\" function is not exported by its own name",
            file.display()
        );
        assert!(!source.contains("macro_rules!"), "{}: cbindgen does not see into macros", file.display());
    }
    assert_eq!(bodies, header_functions().len());
}
