//! The cache: what it keeps, what it gives up, and what it does without a registry.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use voiceflow_registry::{Cache, Error, Registry};

use crate::proxy::{Hook, Message};
use crate::servers;
use crate::support::{IMPATIENCE, Key, PATIENCE, open, pull, reference, release, tool, wait};

/// A registry in a folder and a cache.
struct Place {
    home: tempfile::TempDir,
    registry: Registry,
    cache: Cache,
}

impl Place {
    fn new(cache_bytes: u64) -> Self {
        let home = tempfile::tempdir().unwrap();
        let registry = open(home.path().join("registry").to_str().unwrap());
        let cache = Cache::open(home.path().join("cache"), cache_bytes).unwrap();
        Self { home, registry, cache }
    }

    fn pull(&self, text: &str) -> voiceflow_registry::Result<String> {
        pull(&self.cache, &self.registry, text)
    }

    /// The folder of what a reference stands for.
    fn folder(&self, text: &str) -> PathBuf {
        let resolved = wait(self.registry.resolve(&reference(text))).unwrap();
        self.cache.root().join(resolved.sha256.as_str())
    }
}

/// A server waits for the registry on threads that it shares with others.
#[test]
fn waits_can_move_between_threads() {
    fn movable<T: Send>(_: &T) {}
    let place = Place::new(1 << 20);
    release(&place.registry, "1.0.0", "one");
    let resolved = wait(place.registry.resolve(&reference("tiny"))).unwrap();
    let (tiny, name) = (reference("tiny"), "tiny".parse().unwrap());
    movable(&place.cache.resolve(&place.registry, &tiny));
    movable(&place.cache.fetch(&place.registry, &resolved));
    movable(&place.registry.versions(&name));
    movable(&place.registry.verify(&resolved));
}

#[test]
fn what_was_damaged_is_fetched_anew() {
    let place = Place::new(1 << 20);
    release(&place.registry, "1.0.0", "one");
    assert_eq!(place.pull("tiny").unwrap(), "one");
    let folder = place.folder("tiny");
    let damages: [&dyn Fn(); 6] = [
        &|| fs::write(folder.join("model.onnx"), "two").unwrap(),
        &|| fs::remove_file(folder.join("model.onnx")).unwrap(),
        &|| fs::write(folder.join("checksum.sha256"), "").unwrap(),
        &|| fs::remove_file(folder.join("checksum.sha256.minisig")).unwrap(),
        &|| fs::write(folder.join("more"), "").unwrap(),
        &|| {
            // To a file with the same contents: whoever made the link can change them.
            fs::rename(folder.join("model.onnx"), place.home.path().join("elsewhere")).unwrap();
            symlink(place.home.path().join("elsewhere"), folder.join("model.onnx")).unwrap();
        },
    ];
    for damage in damages {
        damage();
        assert_eq!(place.pull("tiny").unwrap(), "one");
        let found = wait(place.cache.resolve(&place.registry, &reference("tiny"))).unwrap();
        let again = wait(place.cache.fetch(&place.registry, &found.resolved)).unwrap();
        assert!(!again.was_fetched());
    }
}

#[test]
fn what_a_killed_repair_left_is_in_nobodys_way() {
    let place = Place::new(1 << 20);
    release(&place.registry, "1.0.0", "one");
    assert_eq!(place.pull("tiny").unwrap(), "one");
    let folder = place.folder("tiny");
    let name = format!("{}.damaged", folder.file_name().unwrap().to_str().unwrap());
    let left = place.cache.root().join("partial").join(name);
    fs::create_dir(&left).unwrap();
    fs::write(left.join("model.onnx"), "two").unwrap();
    fs::write(folder.join("model.onnx"), "two").unwrap();
    assert_eq!(place.pull("tiny").unwrap(), "one");
    assert!(!left.exists());
}

#[test]
fn a_key_that_is_no_longer_trusted_counts_no_more_in_the_cache_either() {
    let place = Place::new(1 << 20);
    release(&place.registry, "1.0.0", "one");
    place.pull("tiny").unwrap();
    let other = Registry::open(place.registry.url(), Key::new().trust(), PATIENCE).unwrap();
    let resolved = wait(place.registry.resolve(&reference("tiny"))).unwrap();
    let error = wait(place.cache.fetch(&other, &resolved)).unwrap_err().to_string();
    assert!(error.contains("expected a signature of the trusted key, found one of another key"), "{error}");
}

#[test]
fn versions_in_use_are_not_given_up() {
    let place = Place::new(30_000);
    let contents = |letter: &str| letter.repeat(10_000);
    let fetch = |text: &str| {
        wait(async {
            let found = place.cache.resolve(&place.registry, &reference(text)).await.unwrap();
            place.cache.fetch(&place.registry, &found.resolved).await.unwrap()
        })
    };
    for (version, letter) in [("1.0.0", "a"), ("1.1.0", "b"), ("1.2.0", "c"), ("1.3.0", "d")] {
        release(&place.registry, version, &contents(letter));
    }
    let used = fetch("tiny@1.0.0");
    drop(fetch("tiny@1.1.0"));
    // Folders are told apart by the time of their last use.
    std::thread::sleep(std::time::Duration::from_millis(20));
    drop(fetch("tiny@1.2.0"));
    assert!(!place.folder("tiny@1.1.0").exists(), "used longest ago");
    assert!(used.folder().exists() && place.folder("tiny@1.2.0").exists());
    let second = fetch("tiny@1.2.0");
    let third = fetch("tiny@1.3.0");
    assert!([&used, &second, &third].iter().all(|bundle| bundle.folder().exists()), "all in use");
    drop((used, second));
    drop(fetch("tiny@1.1.0"));
    assert!(third.folder().exists());
    let kept = fs::read_dir(place.cache.root())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().len() == 64);
    assert_eq!(kept.count(), 2);
    assert_eq!(fs::read_dir(place.cache.root().join("partial")).unwrap().count(), 0);
}

#[test]
fn a_warm_cache_needs_no_registry_and_a_cold_one_says_so() {
    struct Dead(std::sync::atomic::AtomicBool);
    impl Hook for std::sync::Arc<Dead> {
        fn request(&self, _n: usize, request: Message) -> Option<Message> {
            (!self.0.load(std::sync::atomic::Ordering::SeqCst)).then_some(request)
        }
    }
    let dead = std::sync::Arc::new(Dead(false.into()));
    let bucket = servers::s3(dead.clone());
    let registry = servers::open(&bucket);
    release(&registry, "1.0.0", "one");
    let home = tempfile::tempdir().unwrap();
    let warm = Cache::open(home.path().join("warm"), 1 << 20).unwrap();
    for text in ["tiny", "tiny@1.0.0"] {
        assert_eq!(pull(&warm, &registry, text).unwrap(), "one");
    }
    dead.0.store(true, std::sync::atomic::Ordering::SeqCst);
    let registry = servers::open_with(&bucket, IMPATIENCE);
    for text in ["tiny", "tiny@1.0.0"] {
        let found = wait(warm.resolve(&registry, &reference(text))).unwrap();
        assert!(matches!(found.stale, Some(Error::Unavailable { .. })), "{found:?}");
        assert_eq!(pull(&warm, &registry, text).unwrap(), "one");
    }
    let cold = Cache::open(home.path().join("cold"), 1 << 20).unwrap();
    let error = pull(&cold, &registry, "tiny").unwrap_err();
    let expected = format!("{}/tiny/channels/stable.json: cannot be reached: ", bucket.url);
    assert!(error.is_unavailable() && error.to_string().starts_with(&expected), "{error}");
}

/// A registry that answers, one that gives no models, and one that is away.
#[derive(Clone)]
struct Ailing(Arc<AtomicU8>);

const NO_MODELS: u8 = 1;
const AWAY: u8 = 2;

impl Ailing {
    fn is(&self, state: u8) {
        self.0.store(state, Ordering::SeqCst);
    }
}

impl Hook for Ailing {
    fn request(&self, _n: usize, request: Message) -> Option<Message> {
        let fails = match self.0.load(Ordering::SeqCst) {
            NO_MODELS => request.path().ends_with("model.onnx"),
            state => state == AWAY,
        };
        (!fails).then_some(request)
    }
}

#[test]
fn what_could_not_be_fetched_is_not_what_is_left_without_a_registry() {
    let ailing = Ailing(Arc::default());
    let bucket = servers::s3(ailing.clone());
    let registry = servers::open_with(&bucket, IMPATIENCE);
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path(), 1 << 20).unwrap();
    let last = || {
        let found = wait(cache.resolve(&registry, &reference("tiny"))).unwrap();
        assert!(found.stale.is_some(), "{found:?}");
        found.resolved.version.to_string()
    };
    release(&registry, "1.0.0", "one");
    assert_eq!(pull(&cache, &registry, "tiny").unwrap(), "one");
    // Two versions that never came.
    for (version, contents) in [("1.1.0", "two"), ("1.2.0", "three")] {
        release(&registry, version, contents);
        ailing.is(NO_MODELS);
        assert!(pull(&cache, &registry, "tiny").unwrap_err().is_unavailable());
        ailing.is(AWAY);
        assert_eq!((last().as_str(), pull(&cache, &registry, "tiny").unwrap().as_str()), ("1.0.0", "one"));
        // What was seen counts all the same.
        let seen = cache.seen(&registry, &reference("tiny")).unwrap().unwrap();
        assert_eq!(seen.version.to_string(), version);
        ailing.is(0);
    }
    // Once it came, it is what is left.
    assert_eq!(pull(&cache, &registry, "tiny").unwrap(), "three");
    ailing.is(AWAY);
    assert_eq!((last().as_str(), pull(&cache, &registry, "tiny").unwrap().as_str()), ("1.2.0", "three"));
    ailing.is(0);
    // Whoever has had it goes back to no older one.
    let found = wait(cache.resolve(&registry, &reference("tiny"))).unwrap();
    fs::remove_dir_all(cache.root().join(found.resolved.sha256.as_str())).unwrap();
    ailing.is(AWAY);
    assert_eq!(last(), "1.2.0");
}

/// By strace, which lets the system calls of a program fail.
#[test]
fn a_full_disk_is_told_and_leaves_the_cache_as_it_was() {
    let user = crate::support::User::new();
    let registry = open(user.home.path().join("registry").to_str().unwrap());
    release(&registry, "1.0.0", "one");
    user.run(&["pull", "tiny"]);
    release(&registry, "1.1.0", "two");
    for call in ["fsync", "mkdir", "rename"] {
        let program = user.program(&["pull", "tiny"]);
        let mut strace = tool("strace", "strace");
        strace.args(["-f", "-qq", "-o", "/dev/null", "-e"]).arg(format!("inject={call}:error=ENOSPC"));
        strace.arg(program.get_program()).args(program.get_args()).env_clear();
        strace.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let output = strace.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{call}: {error}");
        assert!(error.contains("No space left on device") && error.contains("/cache/"), "{call}: {error}");
        let cache = Cache::open(user.home.path().join("cache"), 1 << 20).unwrap();
        assert_eq!(pull(&cache, &registry, "tiny@1.0.0").unwrap(), "one");
        assert_eq!(fs::read_dir(cache.root().join("partial")).unwrap().count(), 0, "{call}");
    }
    user.run(&["pull", "tiny"]);
    assert_eq!(fs::read_to_string(user.home.path().join("cache/names/tiny/model.onnx")).unwrap(), "two");
}
