//! Models of a few hundred bytes that grow while ONNX Runtime loads them (tests/data/growing) take
//! neither memory nor time.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

mod support;

use std::time::Duration;

use voiceflow::model::Session;
use voiceflow::{Call, Config, Error, ModelSource};

/// Most that the resident memory may grow by, for all models one after another. Without a limit
/// each takes 0.5 to 20 GB.
const MOST_KIB: u64 = 400 * 1024;

/// Longest time for one of them, on a machine that does other work. Those that are not refused are
/// loaded by ONNX Runtime.
const LONGEST: Duration = Duration::from_secs(120);

/// Peak resident memory of this process in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn what_grows_while_it_is_loaded_is_bounded() {
    let mut config = Config::default();
    config.set_runtime_library(support::runtime_library());
    config.set_threads(1).unwrap();
    Session::new(&config).unwrap();
    let before = peak_kib();
    let folder = support::root().join("tests/data/growing");
    let mut models = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        if file.extension().is_none_or(|extension| extension != "onnx") {
            continue;
        }
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        config.set_model(ModelSource::File(file));
        let error = Session::load(&config, &Call::none().with_deadline(Some(LONGEST))).unwrap_err();
        let grown = peak_kib() - before;
        let text = error.to_string();
        let is_refused = match &error {
            Error::Limit(_) => true,
            Error::Model(_) => {
                text.contains("breaks the model contract") || text.contains("not a valid ONNX model")
            }
            _ => false,
        };
        assert!(is_refused, "{name}: {text}");
        assert!(grown < MOST_KIB, "{name}: {grown} KiB");
        models += 1;
    }
    assert!(models >= 15, "{models}");
}
