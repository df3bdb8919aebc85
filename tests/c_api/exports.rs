//! The shared library: its exports, its name, and that it stays loaded.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::support::{ffi_files, header_functions, root, shared_library, stdout, tool, without_tests};

/// The list of symbols in Debian's format (deb-symbols(5)): the SONAME, then each function with the
/// release that first had it.
const SYMBOLS: &str = "tests/abi/libvoiceflow1.symbols";
const SYMBOLS_HEAD: &str = "libvoiceflow.so.1 libvoiceflow1 #MINVER#";

/// The functions of a list of symbols, each with its release.
fn committed_symbols(list: &str) -> BTreeMap<String, String> {
    let entry = |line: &str| {
        let (name, release) = line.trim().split_once("@Base ").unwrap_or_else(|| panic!("{SYMBOLS}: {line}"));
        (name.to_owned(), release.to_owned())
    };
    list.lines().skip(1).map(entry).collect()
}

#[test]
fn exports_header_and_committed_list_are_the_same() {
    let table = stdout(tool("nm", "binutils").args(["-D", "--defined-only"]).arg(shared_library()));
    let exported: BTreeSet<String> =
        table.lines().filter_map(|line| line.split_whitespace().last()).map(str::to_owned).collect();
    let declared: BTreeSet<String> = header_functions().into_iter().map(|(name, ..)| name).collect();
    assert_eq!(exported, declared, "left: nm -D, right: include/voiceflow.h");

    let path = root().join(SYMBOLS);
    let list = fs::read_to_string(&path).unwrap_or_default();
    let mut committed = committed_symbols(&list);
    if std::env::var_os("VOICEFLOW_BLESS").is_some() {
        for name in &exported {
            committed.entry(name.clone()).or_insert_with(|| env!("CARGO_PKG_VERSION").to_owned());
        }
        let lines = committed.iter().map(|(name, release)| format!(" {name}@Base {release}\n"));
        fs::write(&path, format!("{SYMBOLS_HEAD}\n{}", lines.collect::<String>())).unwrap();
    } else {
        assert_eq!(list.lines().next(), Some(SYMBOLS_HEAD), "{SYMBOLS}");
    }
    assert!(SYMBOLS_HEAD.starts_with(&format!("libvoiceflow.so.{} ", voiceflow::ABI_VERSION)));
    assert_eq!(
        exported,
        committed.into_keys().collect(),
        "{SYMBOLS} (right) differs: a function that went breaks programs; for new ones run \
         VOICEFLOW_BLESS=1 cargo test --test c_api exports::"
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
            // That one may be called from inside a callback.
            let guard = if name == "vf_cancel_set" { "guard_anywhere(" } else { "guard(" };
            assert!(first.starts_with(guard), "{}: {name} begins with {first}", file.display());
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
