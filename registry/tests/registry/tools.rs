//! Signatures beside the tool `minisign` of Debian, and lists beside `sha256sum`, in both
//! directions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::{User, bundle, open, promote, release, staged, tool, wait};

/// Runs a tool in a folder, which has to succeed.
pub fn run(command: &mut Command, folder: &std::path::Path, input: &str) -> String {
    let mut child = command
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A tool that asks for nothing reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{command:?}: {}{}", text(&output.stdout), text(&output.stderr));
    text(&output.stdout)
}

pub fn minisign() -> Command {
    tool("minisign", "minisign")
}

#[test]
fn minisign_verifies_what_is_published_here() {
    let user = User::new();
    let registry = open(user.home.path().join("registry").to_str().unwrap());
    release(&registry, "1.0.0", "one");
    release(&registry, "1.1.0", "two");
    let model = user.home.path().join("registry/tiny");
    for (folder, file) in [("1.1.0", "checksum.sha256"), ("channels", "stable.json")] {
        let arguments = ["-V", "-P", &crate::support::KEY.public(), "-m", file];
        let said = run(minisign().args(arguments), &model.join(folder), "");
        assert!(said.contains("Signature and comment signature verified"), "{said}");
        assert!(said.contains(&format!("Trusted comment: tiny/{folder}/{file}")), "{said}");
    }
    let said = run(tool("sha256sum", "coreutils").args(["-c", "checksum.sha256"]), &model.join("1.1.0"), "");
    assert_eq!(said, "golden.json: OK\nmetadata.json: OK\nmodel.onnx: OK\n");
}

#[test]
fn keys_and_signatures_of_minisign_count_here() {
    let mut user = User::new();
    let home = user.home.path().to_owned();
    // Without a password, and with one.
    for (name, made, password) in [("plain", &["-W"][..], ""), ("locked", &[], "a password")] {
        let (public, secret) = (home.join(format!("{name}.pub")), home.join(format!("{name}.key")));
        let mut key = minisign();
        key.arg("-G").arg("-f").args(made).arg("-p").arg(&public).arg("-s").arg(&secret);
        run(&mut key, &home, &format!("{password}\n{password}\n"));
        user.variables.retain(|(name, _)| {
            !["VOICEFLOW_TRUSTED_KEYS", "VOICEFLOW_SIGNING_KEY", "VOICEFLOW_REGISTRY"]
                .contains(&name.as_str())
        });
        let registry = home.join(format!("registry-{name}"));
        let path = |path: &std::path::Path| path.display().to_string();
        user.variables.push(("VOICEFLOW_TRUSTED_KEYS".into(), path(&public)));
        user.variables.push(("VOICEFLOW_SIGNING_KEY".into(), path(&secret)));
        user.variables.push(("VOICEFLOW_SIGNING_PASSWORD".into(), password.into()));
        user.variables.push(("VOICEFLOW_REGISTRY".into(), path(&registry)));
        // A version without a channel, signed by the tool.
        let folder = bundle("1.0.0", "one");
        let staged = staged(&folder);
        let version = registry.join("tiny/1.0.0");
        fs::create_dir_all(&version).unwrap();
        for file in ["metadata.json", "model.onnx", "golden.json"] {
            fs::copy(folder.path().join(file), version.join(file)).unwrap();
        }
        fs::write(version.join("checksum.sha256"), staged.checksums().text()).unwrap();
        run(
            minisign().arg("-S").arg("-s").arg(&secret).arg("-m").arg("checksum.sha256"),
            &version,
            &format!("{password}\n"),
        );
        assert!(user.run(&["verify", "tiny@1.0.0"]).starts_with("tiny 1.0.0: signature and files are good"));
        // The secret key of the tool signs a channel here.
        user.run(&["promote", "tiny@1.0.0", "stable"]);
        run(
            minisign().arg("-V").arg("-p").arg(&public).args(["-m", "stable.json"]),
            &registry.join("tiny/channels"),
            "",
        );
        let pulled = user.run(&["pull", "tiny"]);
        assert_eq!(
            fs::read_to_string(std::path::Path::new(pulled.trim()).join("model.onnx")).unwrap(),
            "one"
        );
    }
    user.variables.push(("VOICEFLOW_SIGNING_PASSWORD".into(), "wrong".into()));
    let (code, _, error) = user.fail(&["rollback", "tiny"]);
    assert_eq!(code, 2, "{error}");
    assert!(error.contains("--sign ") && error.contains("password"), "{error}");
}

#[test]
fn a_channel_is_verified_by_minisign_after_every_move() {
    let user = User::new();
    let registry = open(user.home.path().join("registry").to_str().unwrap());
    for version in ["1.0.0", "1.1.0", "1.2.0"] {
        wait(registry.publish(&staged(&bundle(version, version)), Some(&*crate::support::KEY))).unwrap();
        promote(&registry, version).unwrap();
        let arguments = ["-V", "-P", &crate::support::KEY.public(), "-m", "stable.json"];
        run(minisign().args(arguments), &user.home.path().join("registry/tiny/channels"), "");
    }
}
