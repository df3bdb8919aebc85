//! What one system has and another has not stands where it can be seen: in the rooms `process` and
//! `files`, or in a place that is listed here. This is so in the library and the command line; the
//! server and the registry are for Linux.

use std::path::Path;

use crate::support::{code, code_of, root, rust_files};

/// What names a single system, or what Linux alone has.
const LINUX: [&str; 6] = ["target_os", "target_env", "\"/proc", "/proc/", "/sys/", "os::linux"];
/// What every Unix has, and no other system; what other systems have and Unix has not.
const UNIX: [&str; 5] = ["std::os::", "libc::", "rustix::", "\"/dev/", "\"/etc/"];

/// What asks one system alone: a room of the library, and one of the command line.
const ROOMS: [&str; 5] =
    ["src/process.rs", "src/process", "src/files.rs", "src/files", "cli/src/bench/process.rs"];
/// Where else Unix is named. Each place says by `cfg` what other systems do there, names what is in
/// the C library of all of them (`atexit`) or what rustix has for all (`poll` of sockets), or a
/// path that a user can name otherwise.
const UNIX_PLACES: [&str; 8] = [
    "cli/src/bench/server.rs",
    "cli/src/bench/server/connection.rs",
    "cli/src/input.rs",
    "cli/src/result_file.rs",
    "src/audio/input/pipe.rs",
    "src/ending.rs",
    "src/ffi/buffer.rs",
    "src/onnx/system_loader.rs",
];

fn named<'a>(code: &str, names: &[&'a str]) -> Vec<&'a str> {
    names.iter().copied().filter(|name| code.contains(name)).collect()
}

#[test]
fn what_one_system_has_stands_in_its_places() {
    let mut rooms = [false; ROOMS.len()];
    let mut seen = Vec::new();
    for path in ["src", "cli/src"].into_iter().flat_map(|sources| rust_files(&root().join(sources))) {
        let place = path.strip_prefix(root()).unwrap();
        if let Some(room) = ROOMS.iter().position(|room| place.starts_with(room)) {
            rooms[room] = true;
            continue;
        }
        let code = code(&path);
        let linux = named(&code, &LINUX);
        assert!(
            linux.is_empty(),
            "{}: {linux:?} is of one system: ask `process` or `files`",
            place.display()
        );
        let unix = named(&code, &UNIX);
        let listed = UNIX_PLACES.into_iter().find(|listed| Path::new(listed) == place);
        assert!(
            unix.is_empty() || listed.is_some(),
            "{}: {unix:?} is not of every system: ask `process` or `files`, or list the place in \
             tests/rust_api/systems.rs where others do something else",
            place.display()
        );
        seen.extend(listed.filter(|_| !unix.is_empty()));
    }
    assert_eq!(rooms, [true; ROOMS.len()], "a room that is not there is not to be listed: {ROOMS:?}");
    seen.sort_unstable();
    assert_eq!(seen, UNIX_PLACES, "a place that names nothing of Unix is not to be listed");
}

#[test]
fn what_one_system_has_is_noticed_in_code_alone() {
    for (line, expected) in [
        ("#[cfg(target_os = \"linux\")]", "target_os"),
        ("if cfg!(all(unix, not(target_os = \"macos\"))) {}", "target_os"),
        ("read_to_string(\"/proc/self/maps\")", "/proc/"),
        ("read_dir(\"/proc\")", "\"/proc"),
        ("format!(\"/sys/fs/cgroup/{group}\")", "/sys/"),
        ("use std::os::linux::fs::MetadataExt;", "os::linux"),
        ("use std::os::{fd::AsFd, unix::fs::MetadataExt};", "std::os::"),
        ("unsafe { libc::getauxval(libc::AT_SECURE) }", "libc::"),
        ("use libc::{dlopen, dlsym};", "libc::"),
        ("rustix::fs::flistxattr(file, names)", "rustix::"),
        ("File::open(\"/dev/null\")", "\"/dev/"),
    ] {
        let in_code = code_of(&format!("fn f() {{\n    {line}\n}}\n"));
        assert!(named(&in_code, &[LINUX.as_slice(), &UNIX].concat()).contains(&expected), "{line}");
        let elsewhere = code_of(&format!("    // {line}\n\n#[cfg(test)]\nmod tests {{\n    {line}\n}}\n"));
        assert!(named(&elsewhere, &[LINUX.as_slice(), &UNIX].concat()).is_empty(), "{line}");
    }
}
