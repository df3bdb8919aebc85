//! Who may use whom, where unsafe code lives, and how long files are.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::support::{code, root, rust_files};

/// Each room and the rooms that it may use.
const ROOMS: [(&str, &[&str]); 28] = [
    ("assignment", &[]),
    ("types", &[]),
    ("error", &[]),
    ("sync", &[]),
    ("ending", &["error"]),
    ("memory", &["error"]),
    ("files", &["error"]),
    ("noise", &[]),
    ("usage", &[]),
    ("process", &["ending", "error", "sync"]),
    ("call", &["error"]),
    ("config", &["call", "error", "types"]),
    ("pool", &["call", "error", "sync"]),
    ("loading", &["call", "error"]),
    ("audio", &["call", "error", "files", "sync", "types", "config"]),
    ("diarize", &["assignment", "config", "call", "error", "types"]),
    ("output", &["error", "files", "types"]),
    ("transcript", &["error", "output", "types"]),
    ("score", &["assignment", "error", "output", "types"]),
    ("features", &["config", "error"]),
    ("onnx", &["config", "call", "ending", "error", "loading", "pool", "sync"]),
    (
        "model",
        &[
            "config", "call", "diarize", "ending", "error", "features", "loading", "noise", "onnx", "types",
            "usage",
        ],
    ),
    ("analysis", &["audio", "call", "diarize", "error", "model", "sync"]),
    ("gallery", &["assignment", "error", "files", "model", "output", "types"]),
    (
        "diarizer",
        &[
            "analysis", "audio", "config", "call", "diarize", "error", "gallery", "loading", "model", "pool",
            "types", "usage",
        ],
    ),
    ("reload", &["config", "call", "diarizer", "error", "loading", "model", "pool", "sync", "usage"]),
    (
        "stream",
        &[
            "audio", "config", "call", "diarize", "diarizer", "error", "model", "pool", "reload", "sync",
            "types", "usage",
        ],
    ),
    (
        "ffi",
        &[
            "audio", "config", "call", "diarizer", "error", "model", "output", "reload", "stream", "gallery",
            "sync", "types",
        ],
    ),
];

/// The rooms of the server and what each may use.
const SERVER_ROOMS: [(&str, &[&str]); 18] = [
    ("logs", &[]),
    ("allocator", &[]),
    ("priority", &[]),
    ("auth", &[]),
    ("metrics", &[]),
    ("config", &["logs"]),
    ("ask", &["config"]),
    ("traces", &["config"]),
    ("models", &["config", "metrics", "priority"]),
    ("voices", &["auth", "config"]),
    ("work", &["metrics", "models", "priority", "traces", "voices"]),
    ("admission", &["auth", "config", "metrics", "models", "work"]),
    ("report", &[]),
    ("rollout", &["admission", "config", "metrics", "models", "priority", "voices", "work"]),
    ("listen", &["config", "metrics"]),
    (
        "http",
        &[
            "admission",
            "auth",
            "config",
            "listen",
            "metrics",
            "models",
            "rollout",
            "traces",
            "voices",
            "work",
        ],
    ),
    ("live", &["admission", "auth", "http", "listen", "metrics", "models", "traces", "voices", "work"]),
    (
        "serve",
        &[
            "admission",
            "auth",
            "config",
            "http",
            "listen",
            "live",
            "metrics",
            "models",
            "rollout",
            "traces",
            "voices",
            "work",
        ],
    ),
];

/// The rooms of the registry and what each may use; its program is not among them.
const REGISTRY_ROOMS: [(&str, &[&str]); 14] = [
    ("error", &[]),
    ("digest", &["error"]),
    ("files", &["digest", "error"]),
    ("layout", &["digest", "names"]),
    ("names", &["digest", "error"]),
    ("checksums", &["digest", "error", "layout"]),
    ("channel", &["digest", "error", "names"]),
    ("trust", &["error", "files", "layout"]),
    ("store", &["digest", "error", "files", "layout"]),
    ("registry", &["channel", "checksums", "digest", "error", "layout", "names", "store", "trust"]),
    ("publish", &["checksums", "digest", "error", "files", "layout", "names", "registry", "store", "trust"]),
    ("promote", &["channel", "digest", "error", "layout", "names", "registry", "trust"]),
    ("gc", &["digest", "error", "layout", "names", "registry"]),
    (
        "cache",
        &[
            "checksums",
            "digest",
            "error",
            "files",
            "layout",
            "names",
            "publish",
            "registry",
            "store",
            "trust",
        ],
    ),
];

/// What any room may use.
const GROUND: [&str; 3] = ["files", "memory", "process"];

/// Longest source file, tests in it included.
const MAX_LINES: usize = 400;

/// The files of a room below `base`: a file, a folder, or both.
fn files(base: &str, room: &str) -> Vec<PathBuf> {
    let base = root().join(base);
    let (file, folder) = (base.join(format!("{room}.rs")), base.join(room));
    let mut files = if folder.is_dir() { rust_files(&folder) } else { Vec::new() };
    files.extend(file.is_file().then_some(file));
    files
}

/// The first names after each `crate::`, those in braces included.
fn used(code: &str) -> Vec<String> {
    let mut names = Vec::new();
    for rest in code.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap(),
            None => rest.split([',', ';', ' ', ')', '\n']).next().unwrap(),
        };
        for name in list.split(',') {
            let name = name.trim().split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            names.push(name.to_owned());
        }
    }
    names
}

/// The room in which a name that the crate re-exports at its root is made.
fn room_of(name: &str) -> &str {
    match name {
        "Config" | "ModelSource" | "Provider" | "ProviderPolicy" => "config",
        "Call" => "call",
        "Error" | "Result" | "Stage" => "error",
        "Annotations" | "Diarization" | "Segment" | "Speaker" | "Turn" => "types",
        "Diarizer" => "diarizer",
        "Gallery" | "Identity" | "Voice" => "gallery",
        "Reloadable" => "reload",
        other => other,
    }
}

#[test]
fn rooms_use_only_what_lies_below_them() {
    let exists =
        |room: &str| root().join(format!("src/{room}.rs")).exists() || root().join("src").join(room).exists();
    for (room, allowed) in ROOMS.into_iter().filter(|(room, _)| exists(room)) {
        for path in files("src", room) {
            for name in used(&code(&path)) {
                let target = room_of(&name);
                assert!(
                    target == room || allowed.contains(&target) || GROUND.contains(&target),
                    "{}: uses {target}, but {room} may use only {allowed:?}",
                    path.display()
                );
            }
        }
    }
}

/// Fails where a file of a room of a program uses another room than itself and those `allowed`;
/// gives the files with their code.
fn files_that_use_only(sources: &str, room: &str, allowed: &[&str]) -> Vec<(PathBuf, String)> {
    let files = files(sources, room);
    assert!(!files.is_empty(), "{sources}/{room}: not there");
    let checked = |path: PathBuf| {
        let code = code(&path);
        for target in used(&code) {
            assert!(
                target == room || allowed.contains(&target.as_str()),
                "{}: uses {target}, but {room} may use only {allowed:?}",
                path.display()
            );
        }
        (path, code)
    };
    files.into_iter().map(checked).collect()
}

#[test]
fn rooms_of_the_server_use_only_what_lies_below_them() {
    for (room, allowed) in SERVER_ROOMS {
        for (path, code) in files_that_use_only("server/src", room, allowed) {
            for (call, its_room) in [
                ("Diarizer::load(", "models"),
                ("Diarizer::new(", "models"),
                ("Registry::open(", "models"),
                ("Stream::new(", "work"),
            ] {
                assert!(
                    !code.contains(call) || room == its_room,
                    "{}: calls {call}, which {its_room} does",
                    path.display()
                );
            }
        }
    }
    for entry in fs::read_dir(root().join("server/src")).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let listed = SERVER_ROOMS.iter().any(|(known, _)| *known == room);
        assert!(listed || room == "main", "server/src/{room}: say in SERVER_ROOMS what it may use");
    }
}

#[test]
fn rooms_of_the_registry_use_only_what_lies_below_them() {
    for (room, allowed) in REGISTRY_ROOMS {
        for (path, code) in files_that_use_only("registry/src", room, allowed) {
            for (name, its_place) in [("voiceflow::", "the program"), ("minisign::", "the program")] {
                assert!(!code.contains(name), "{}: names {name}, which {its_place} does", path.display());
            }
        }
    }
    for entry in fs::read_dir(root().join("registry/src")).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let listed = REGISTRY_ROOMS.iter().any(|(known, _)| *known == room);
        assert!(
            listed || ["bin", "lib"].contains(&room.as_str()),
            "registry/src/{room}: not in REGISTRY_ROOMS"
        );
    }
}

#[test]
fn every_room_is_on_the_list() {
    let mut found = 0;
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let room = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if room != "lib" {
            assert!(
                ROOMS.iter().any(|(known, _)| *known == room),
                "src/{room}: say in ROOMS what it may use"
            );
            found += 1;
        }
    }
    assert!(found > 5);
}

/// Where unsafe code may stand: at the C interface, where ONNX Runtime lends memory (ADR 13), where
/// the environment of the process is read and written, where the system's loader is asked (ADR 14),
/// and where the process says that it ends (ADR 15).
const UNSAFE: [&str; 6] = [
    "ffi",
    "onnx/input_memory.rs",
    "onnx/system_loader.rs",
    "process/environment.rs",
    "process/environment",
    "ending.rs",
];

#[test]
fn one_room_names_the_runtime_and_unsafe_code_has_its_places() {
    for path in rust_files(&root().join("src")) {
        let room = path.strip_prefix(root().join("src")).unwrap();
        let source = fs::read_to_string(&path).unwrap();
        let code = code(&path);
        if !room.starts_with("onnx") {
            let named = code.match_indices("ort::").any(|(at, _)| {
                !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
            });
            assert!(!named, "{}: names ort", path.display());
        }
        if !UNSAFE.iter().any(|place| room.starts_with(place)) {
            let allows = source.contains("allow(unsafe_code)") || source.contains("expect(unsafe_code");
            let where_else = UNSAFE.join(" and ");
            assert!(
                !allows && !code.contains("unsafe {"),
                "{}: unsafe code outside {where_else}",
                path.display()
            );
        }
    }
}

#[test]
fn the_programs_use_the_rust_interface() {
    for program in ["cli", "registry", "server"] {
        let folder = root().join(program);
        if folder.is_dir() {
            for path in rust_files(&folder) {
                // That of the standard library is another one.
                assert!(
                    !code(&path).replace("std::ffi::", "").contains("ffi::"),
                    "{}: names ffi",
                    path.display()
                );
            }
        }
    }
}

#[test]
fn files_are_short() {
    let folders = ["src", "server/src", "registry/src"].map(|folder| rust_files(&root().join(folder)));
    for path in folders.into_iter().flatten() {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= MAX_LINES, "{}: {lines} lines; it holds two concepts", path.display());
    }
}

/// The packages that a lock file chooses: name, the numbers that must agree for two versions to be
/// one to Cargo, and the version.
fn locked(folder: &str) -> BTreeSet<(String, String, String)> {
    let file = fs::read_to_string(root().join(folder).join("Cargo.lock")).unwrap();
    let quoted = |line: &str| line.split('"').nth(1).unwrap().to_owned();
    file.split("[[package]]")
        .skip(1)
        .map(|package| {
            let said = |key| quoted(package.lines().find(|line| line.starts_with(key)).unwrap());
            let version = said("version = ");
            let numbers = if version.starts_with("0.") { 2 } else { 1 };
            let line = version.split('.').take(numbers).collect::<Vec<_>>().join(".");
            (said("name = "), line, version)
        })
        .collect()
}

/// So that the fuzzers run the crates that ship, and the folder of builds has each crate once.
#[test]
fn workspaces_apart_have_the_versions_of_the_library() {
    let ships = locked("");
    for folder in ["fuzz", "tests/schedules", "tests/races"] {
        for (name, line, version) in locked(folder) {
            let ours: Vec<&str> = ships
                .iter()
                .filter(|own| (&own.0, &own.1) == (&name, &line))
                .map(|own| own.2.as_str())
                .collect();
            assert!(
                ours.is_empty() || ours.contains(&version.as_str()),
                "{folder}/Cargo.lock: expected {name} {ours:?} as in Cargo.lock, got {version}; \
                 `cargo update --manifest-path {folder}/Cargo.toml {name}@{version} --precise {}`",
                ours[0]
            );
        }
    }
}
