//! The examples of docs/MODELS.md, run as they stand there, against S3.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::path::Path;
use std::process::Command;

use crate::proxy::{exchange, request};
use crate::servers;
use crate::support::{User, root};

#[test]
fn the_commands_of_the_page_run() {
    let page = std::fs::read_to_string(root().join("docs/MODELS.md")).unwrap();
    let blocks: Vec<&str> =
        page.split("```sh\n").skip(1).map(|block| block.split("```").next().unwrap()).collect();
    assert!(blocks.len() >= 4, "{blocks:?}");
    let bucket = servers::plain_s3();
    // The bucket of the page; one that is there already is as good.
    exchange(bucket.store, &request("PUT", "/models", &[], b"")).unwrap();
    let mut user = User::new();
    user.variables.retain(|(name, _)| ["HOME", "VOICEFLOW_ORT_LIBRARY"].contains(&name.as_str()));
    let work = user.home.path().join("work");
    std::fs::create_dir(&work).unwrap();
    std::os::unix::fs::symlink(root().join("models"), work.join("models")).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_voiceflow-models")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-ec", &blocks.concat()]).current_dir(&work).env_clear().env("PATH", path);
    shell.envs(user.variables.iter().map(|(name, value)| (name, value)));
    shell.envs(bucket.variables.iter().map(|(name, value)| (name, value)));
    let output = shell.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    assert!(
        text(&output.stdout).contains("fast-cnn@stable names 1.0.1 (move 1)"),
        "{}",
        text(&output.stdout)
    );
}
