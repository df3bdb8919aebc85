//! Whom the library trusts: in a process with more rights than whoever started it, nothing that
//! they chose decides which ONNX Runtime is loaded. These tests give a program to another user,
//! which only root can; elsewhere they are skipped, with their number printed.

use std::fs::Permissions;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;
use std::process::Command;

use crate::support::{root, run, runtime_library, shared_library, tool};

/// A user without rights, by convention.
const NOBODY: u32 = 65_534;

/// A folder that any user may look into, with the program `bin/host`, the library in `own`, a
/// model, and an ONNX Runtime where nothing looks for it.
struct Installed {
    folder: tempfile::TempDir,
}

impl Installed {
    fn new(source: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installed = Self { folder };
        installed.open_to_all("");
        for name in ["bin", "own", "runtime"] {
            std::fs::create_dir(installed.path(name)).unwrap();
            installed.open_to_all(name);
        }
        let library = installed.path(&format!("own/libvoiceflow.so.{}", voiceflow::ABI_VERSION));
        std::fs::copy(shared_library(), &library).unwrap();
        std::fs::copy(runtime_library(), installed.runtime()).unwrap();
        std::fs::copy(root().join("tests/data/models/good.onnx"), installed.path("model.onnx")).unwrap();
        let mut gcc = tool("gcc", "gcc");
        gcc.args(["-std=c11", "-Wall", "-Werror"]).arg(root().join("tests/hosts").join(source)).arg("-I");
        gcc.arg(root().join("include")).arg(&library).arg("-o").arg(installed.host());
        run(gcc.arg(format!("-Wl,-rpath,{}", installed.path("own").display())));
        installed
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn open_to_all(&self, name: &str) {
        std::fs::set_permissions(self.path(name), Permissions::from_mode(0o755)).unwrap();
    }

    fn host(&self) -> PathBuf {
        self.path("bin/host")
    }

    fn runtime(&self) -> PathBuf {
        self.path("runtime/libonnxruntime.so.1")
    }

    /// Puts a way to the ONNX Runtime into `folder`.
    fn lead(&self, folder: &str) {
        std::fs::create_dir_all(self.path(folder)).unwrap();
        symlink(self.runtime(), self.path(folder).join("libonnxruntime.so.1")).unwrap();
    }

    /// Lets the program run with the rights of its owner, who is not the one that starts it.
    /// Returns whether that is possible here: not for a user other than root, and not where the
    /// file system heeds no such bit.
    fn elevate(&self) -> bool {
        chown(self.host(), Some(NOBODY), None).is_ok()
            && std::fs::set_permissions(self.host(), Permissions::from_mode(0o4755)).is_ok()
            && self.say(|command| command).starts_with("1 ")
    }

    /// What the program says.
    fn say(&self, prepare: impl FnOnce(&mut Command) -> &mut Command) -> String {
        let mut command = Command::new(self.host());
        command.env_clear().arg(self.path("model.onnx"));
        let output = prepare(&mut command).output().unwrap();
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

fn skipped(what: &str) {
    println!("skipped 1 test: {what} needs root and a file system that heeds the set-user-ID bit");
}

/// A variable, and the path that it names.
type Variable = (&'static str, fn(&Installed) -> PathBuf);

/// A way by which the user who starts a program could choose the library that it loads.
struct Way {
    name: &'static str,
    lay: fn(&Installed),
    variable: Option<Variable>,
}

const WAYS: [Way; 5] = [
    Way {
        name: "VOICEFLOW_ORT_LIBRARY",
        lay: |_| (),
        variable: Some(("VOICEFLOW_ORT_LIBRARY", Installed::runtime)),
    },
    Way { name: "ORT_DYLIB_PATH", lay: |_| (), variable: Some(("ORT_DYLIB_PATH", Installed::runtime)) },
    Way {
        name: "a virtual environment",
        lay: |installed| installed.lead("environment/lib/python3.12/site-packages/onnxruntime/capi"),
        variable: Some(("VIRTUAL_ENV", |installed| installed.path("environment"))),
    },
    Way { name: "the folder of the program", lay: |installed| installed.lead("bin"), variable: None },
    Way { name: "the folder lib beside both", lay: |installed| installed.lead("lib"), variable: None },
];

#[test]
fn nothing_from_outside_chooses_the_library_of_an_elevated_process() {
    for way in WAYS {
        let installed = Installed::new("elevated.c");
        let say = |installed: &Installed| {
            installed.say(|command| {
                command.envs(way.variable.map(|(variable, value)| (variable, value(installed))))
            })
        };
        let without = installed.say(|command| command);
        assert!(without.starts_with("0 ONNX Runtime was not found"), "{}: {without}", way.name);
        (way.lay)(&installed);
        // To an ordinary process the way is open.
        let ordinary = say(&installed);
        assert!(ordinary.starts_with("0 success"), "{}: {ordinary}", way.name);
        if !installed.elevate() {
            return skipped("an elevated process");
        }
        let elevated = say(&installed);
        assert!(elevated.starts_with("1 ONNX Runtime was not found"), "{}: {elevated}", way.name);
        let passed_over = "passed over, as this process has more rights than who started it: ";
        assert!(elevated.contains(passed_over), "{}: {elevated}", way.name);
    }
}

#[test]
fn an_elevated_process_takes_what_it_names_and_what_lies_beside_the_library() {
    let installed = Installed::new("elevated.c");
    if !installed.elevate() {
        return skipped("an elevated process");
    }
    let named = installed.say(|command| command.arg(installed.runtime()));
    assert!(named.starts_with("1 success"), "{named}");
    installed.lead("own");
    let beside = installed.say(|command| command);
    assert!(beside.starts_with("1 success"), "{beside}");
}

/// By the variable, and by the working directory in two ways; each leads to a bundle of an ordinary
/// process.
#[test]
fn nothing_from_outside_chooses_the_bundle_of_an_elevated_process() {
    for (place, variable) in [("bundles", true), ("here/.models", false), ("here", false)] {
        let installed = Installed::new("elevated.c");
        installed.lead("own");
        let bundle = installed.path(place).join("good");
        std::fs::create_dir_all(&bundle).unwrap();
        std::fs::copy(installed.path("model.onnx"), bundle.join("model.onnx")).unwrap();
        let say = || {
            let mut command = Command::new(installed.host());
            command.env_clear().env("VF_TEST_BUNDLE", "1").arg("good");
            command.envs(variable.then(|| ("VOICEFLOW_MODELS", installed.path(place))));
            let here = installed.path(if variable { "bin" } else { "here" });
            let output = command.current_dir(here).output().unwrap();
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
        };
        let ordinary = say();
        assert!(ordinary.starts_with("0 success"), "{place}: {ordinary}");
        if !installed.elevate() {
            return skipped("an elevated process");
        }
        let elevated = say();
        assert!(elevated.starts_with("1 ") && elevated.contains("bundle good: "), "{place}: {elevated}");
    }
}

/// RLIMIT_NPROC counts the threads of a user, and not those of root.
#[test]
fn threads_that_cannot_be_had_are_not_the_models_fault() {
    let installed = Installed::new("no_threads.c");
    if chown(installed.path("model.onnx"), Some(NOBODY), None).is_err() {
        return skipped("a user with a limit of threads");
    }
    let runtime = installed.runtime();
    let user = NOBODY.to_string();
    let said = installed.say(|command| command.arg(user).env("VOICEFLOW_ORT_LIBRARY", runtime));
    let (status, text) = said.split_once(' ').unwrap();
    assert!(["-10", "-14"].contains(&status), "{said}");
    assert!(!text.contains("not a valid ONNX model") && text.contains("thread"), "{said}");
}
