//! include/voiceflow.h is what cbindgen makes of src/ffi, and its comments keep the house's form.

use std::fs;

use crate::support::{ffi_files, header_functions, root};

#[test]
fn the_header_is_what_the_sources_say() {
    let config = cbindgen::Config::from_file(root().join("cbindgen.toml")).unwrap();
    let builder = ffi_files()
        .into_iter()
        .fold(cbindgen::Builder::new().with_config(config), |builder, file| builder.with_src(file));
    let mut rendered = Vec::new();
    builder.generate().unwrap().write(&mut rendered);
    let rendered = String::from_utf8(rendered).unwrap();

    let path = root().join("include/voiceflow.h");
    if std::env::var_os("VOICEFLOW_BLESS").is_some() {
        fs::write(&path, &rendered).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differs = rendered.lines().zip(committed.lines()).position(|(new, old)| new != old);
    assert!(
        rendered == committed,
        "include/voiceflow.h differs from src/ffi (line {:?}): run VOICEFLOW_BLESS=1 cargo test --test c_api header::",
        differs.map(|line| line + 1)
    );
}

const ANY: &str = "Any thread, concurrently";
const ONE: &str = "One thread at a time per handle";
const ONCE: &str = "Once, before others";

#[test]
fn every_function_says_its_threads_and_its_statuses() {
    let functions = header_functions();
    assert!(functions.len() > 40, "found only {}", functions.len());
    assert!(functions.windows(2).all(|pair| pair[0].0 != pair[1].0), "a function is declared twice");
    for (name, comment, declaration) in functions {
        let phrases = [ANY, ONE, ONCE].iter().filter(|phrase| comment.contains(*phrase)).count();
        assert_eq!(phrases, 1, "{name}: expected one of the three thread phrases");
        if declaration.starts_with("vf_status") {
            for status in ["VF_OK", "VF_E_INVALID_ARGUMENT", "VF_E_PANIC"] {
                assert!(comment.contains(status), "{name}: does not list {status}");
            }
        } else {
            assert!(comment.contains("Cannot fail"), "{name}: returns no status and does not say so");
        }
        let parameters = declaration.split_once('(').unwrap().1.trim_end_matches(')');
        for parameter in parameters.split(',').map(str::trim).filter(|parameter| *parameter != "void") {
            let parameter = parameter.rsplit([' ', '*']).next().unwrap();
            assert!(
                comment.contains(&format!("`{parameter}`")),
                "{name}: the parameter {parameter} is not described"
            );
        }
    }
}

#[test]
fn a_const_handle_means_any_thread() {
    const HANDLES: [&str; 7] =
        ["vf_options", "vf_session", "vf_diarizer", "vf_diarization", "vf_stream", "vf_gallery", "vf_cancel"];
    for (name, comment, declaration) in header_functions() {
        let first = declaration.split_once('(').unwrap().1.split([',', ')']).next().unwrap().trim();
        let is_handle = |constant: &str| {
            HANDLES.iter().any(|handle| {
                first
                    .strip_prefix(&format!("{constant}struct {handle} *"))
                    .or(first.strip_prefix(&format!("{constant}{handle} *")))
                    .is_some_and(|rest| !rest.starts_with('*'))
            })
        };
        if is_handle("const ") {
            assert!(comment.contains(ANY), "{name}: takes a const handle but not any thread");
        } else if is_handle("") {
            assert!(comment.contains(ONE), "{name}: changes its handle but allows several threads");
        }
    }
}
