//! Publishers, promoters and pullers that are killed at every step: what they leave is the state
//! before or the state after, and the next one goes on.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};

use voiceflow_registry::{Cache, Digest, Error, Registry};

use crate::proxy::{Hook, Message};
use crate::servers::{self, Bucket};
use crate::support::{KEY, PATIENCE, User, bundle, open, pull, reference, release, staged, tool, wait};

/// Variable by which this program, started by one of its tests, knows what it is to publish.
const FOLDER: &str = "VOICEFLOW_TEST_PUBLISHES";

/// The other process of the tests below; nothing by itself.
#[test]
fn publisher() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let variable = |name: &str| std::env::var(name).unwrap();
    let trust = voiceflow_registry::Trust::of(&[variable("VOICEFLOW_TRUSTED_KEYS")]).unwrap();
    let registry = Registry::open(&variable("VOICEFLOW_REGISTRY"), trust, PATIENCE).unwrap();
    let files = ["metadata.json", "model.onnx", "golden.json"];
    let staged = voiceflow_registry::Staged::read(Path::new(&folder), &files).unwrap();
    let signer = Secret(variable("VOICEFLOW_SIGNING_KEY"));
    wait(registry.publish(&staged, Some(&signer))).unwrap();
}

/// The secret key in a file.
struct Secret(String);

impl voiceflow_registry::Sign for Secret {
    fn sign(&self, bytes: &[u8], comment: &str) -> Result<String, String> {
        let key = std::fs::read_to_string(&self.0).unwrap();
        let key = minisign::SecretKeyBox::from_string(&key).unwrap().into_unencrypted_secret_key().unwrap();
        Ok(minisign::sign(None, &key, bytes, Some(comment), None).unwrap().into_string())
    }
}

/// What is done by the process that is killed.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Publish,
    Promote,
    Pull,
}

impl Deed {
    fn command(self, user: &User, folder: &Path) -> Command {
        let mut command = match self {
            Deed::Publish => {
                let mut command = Command::new(std::env::current_exe().unwrap());
                command.args(["--exact", "kills::publisher", "--quiet"]).env_clear();
                command.envs(user.variables.iter().map(|(name, value)| (name, value)));
                command.env(FOLDER, folder);
                command
            }
            Deed::Promote => user.program(&["promote", "tiny@1.1.0", "stable"]),
            Deed::Pull => user.program(&["pull", "tiny@stable"]),
        };
        command.stdout(Stdio::null());
        command
    }

    /// What others may find after it was killed, and after it is done.
    fn check(self, registry: &Registry, user: &User, done: bool) {
        let found = wait(registry.resolve(&reference("tiny"))).unwrap().version.to_string();
        match self {
            Deed::Publish => match wait(registry.resolve(&reference("tiny@1.1.0"))) {
                Ok(resolved) => assert_eq!(wait(registry.verify(&resolved)).unwrap(), 3 + 2 + 36),
                Err(error) => assert!(!done && matches!(error, Error::NotFound { .. }), "{error}"),
            },
            Deed::Promote => {
                assert!(found == "1.1.0" || !done && found == "1.0.0", "{found}");
                // The tools of others take the signature beside the file; here that of a folder.
                let channels = Path::new(registry.url()).join("tiny/channels");
                if done && channels.is_dir() {
                    let read = |file: &str| std::fs::read(channels.join(file)).unwrap();
                    let contents = Digest::of(&read("stable.json"));
                    assert_eq!(read("stable.json.minisig"), read(&format!("stable.{contents}.minisig")));
                }
            }
            Deed::Pull => {
                let cache = Cache::open(user.home.path().join("cache"), 1 << 20).unwrap();
                let expected = if found == "1.0.0" { "one" } else { "two" };
                assert_eq!(pull(&cache, registry, "tiny").unwrap(), expected);
            }
        }
    }

    /// Everything before it.
    fn prepare(self, registry: &Registry) -> tempfile::TempDir {
        release(registry, "1.0.0", "one");
        let next = bundle("1.1.0", "two");
        if !matches!(self, Deed::Publish) {
            wait(registry.publish(&staged(&next), Some(&*KEY))).unwrap();
        }
        next
    }
}

/// Whose request is the n-th kills the process that made it, before or after it is passed on.
#[derive(Default)]
struct Gun {
    aim: Mutex<Option<(u32, usize, bool)>>,
    /// Requests before those that count.
    from: Mutex<usize>,
}

impl Gun {
    fn fires(&self, n: usize, after: bool) -> bool {
        let aim = *self.aim.lock().unwrap();
        let Some((process, at, then)) = aim else { return false };
        let hit = (n - *self.from.lock().unwrap(), after) == (at, then);
        if hit {
            let process = rustix::process::Pid::from_raw(process as i32).unwrap();
            rustix::process::kill_process(process, rustix::process::Signal::KILL).unwrap();
        }
        hit
    }
}

impl Hook for Arc<Gun> {
    fn request(&self, n: usize, request: Message) -> Option<Message> {
        (!self.fires(n, false)).then_some(request)
    }

    fn answer(&self, n: usize, _request: &Message, answer: Message) -> Option<Message> {
        (!self.fires(n, true)).then_some(answer)
    }
}

/// Kills at every request, before and after it. Each round has a registry of its own.
fn at_every_request(deed: Deed) {
    let gun = Arc::new(Gun::default());
    let bucket = servers::s3(gun.clone());
    let mut killed = 0;
    for after in [false, true] {
        for at in 1.. {
            let url = format!("{}/{deed:?}-{after}-{at}", bucket.url);
            let here = Bucket { url: url.clone(), ..clone(&bucket) };
            let registry = servers::open(&here);
            let next = deed.prepare(&registry);
            let user = User::new().at(&url, &bucket.variables);
            *gun.from.lock().unwrap() = bucket.proxy.requests.load(std::sync::atomic::Ordering::SeqCst);
            let mut child = {
                // The process cannot ask for anything before the gun knows it.
                let mut aim = gun.aim.lock().unwrap();
                let child = deed.command(&user, next.path()).spawn().unwrap();
                *aim = Some((child.id(), at, after));
                child
            };
            let status = child.wait().unwrap();
            *gun.aim.lock().unwrap() = None;
            if status.success() {
                deed.check(&registry, &user, true);
                break;
            }
            assert!(was_killed(status), "{deed:?} {at}: {status}");
            killed += 1;
            deed.check(&registry, &user, false);
            assert!(deed.command(&user, next.path()).status().unwrap().success(), "{deed:?} {at}");
            deed.check(&registry, &user, true);
        }
    }
    assert!(killed >= 10, "{deed:?}: killed {killed} times");
}

fn clone(bucket: &Bucket) -> Bucket {
    Bucket {
        url: bucket.url.clone(),
        store: bucket.store,
        variables: bucket.variables.clone(),
        proxy: crate::proxy::Proxy { address: bucket.proxy.address, requests: bucket.proxy.requests.clone() },
    }
}

fn was_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9) || status.code() == Some(128 + 9)
}

#[test]
fn publishers_are_killed_at_every_request() {
    at_every_request(Deed::Publish);
}

#[test]
fn promoters_are_killed_at_every_request() {
    at_every_request(Deed::Promote);
}

#[test]
fn pullers_are_killed_at_every_request() {
    at_every_request(Deed::Pull);
}

/// Kills at every system call by which something becomes lasting, in a folder and in the cache.
fn at_every_system_call(deed: Deed) {
    let mut killed = 0;
    for call in ["fsync", "rename", "linkat", "link", "unlink", "mkdir"] {
        for at in 1.. {
            let user = User::new();
            let registry = open(user.home.path().join("registry").to_str().unwrap());
            let next = deed.prepare(&registry);
            let program = deed.command(&user, next.path());
            let mut strace = tool("strace", "strace");
            strace.args(["-f", "-qq", "-o", "/dev/null", "-e"]);
            strace.arg(format!("inject={call}:signal=SIGKILL:when={at}"));
            strace.arg(program.get_program()).args(program.get_args()).env_clear();
            strace.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
            let output = strace.output().unwrap();
            if output.status.success() {
                deed.check(&registry, &user, true);
                break;
            }
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(was_killed(output.status), "{deed:?} {call} {at}: {}: {error}", output.status);
            killed += 1;
            deed.check(&registry, &user, false);
            assert!(deed.command(&user, next.path()).status().unwrap().success(), "{deed:?} {call} {at}");
            deed.check(&registry, &user, true);
        }
    }
    assert!(killed >= 10, "{deed:?}: killed {killed} times");
}

#[test]
fn publishers_are_killed_at_every_system_call() {
    at_every_system_call(Deed::Publish);
}

#[test]
fn promoters_are_killed_at_every_system_call() {
    at_every_system_call(Deed::Promote);
}

#[test]
fn pullers_are_killed_at_every_system_call() {
    at_every_system_call(Deed::Pull);
}
