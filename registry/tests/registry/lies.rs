//! Registries that lie, are slow, or send more than they should.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use voiceflow_registry::{Cache, Digest, Error, Registry, Sign};

use crate::proxy::{Hook, Message};
use crate::servers;
use crate::support::{IMPATIENCE, KEY, Key, open, pull, release, wait};

/// A registry in a folder whose files a test changes, with 1.0.0 and 1.1.0 of `tiny`.
struct Liar {
    home: tempfile::TempDir,
    registry: Registry,
}

impl Liar {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let registry = open(home.path().join("registry").to_str().unwrap());
        release(&registry, "1.0.0", "one");
        release(&registry, "1.1.0", "two");
        Self { home, registry }
    }

    fn path(&self, file: &str) -> PathBuf {
        Path::new(self.registry.url()).join("tiny").join(file)
    }

    /// What a cold cache says of it.
    fn refused(&self, text: &str) -> String {
        let cache = tempfile::tempdir_in(&self.home).unwrap();
        let cache = Cache::open(cache.path(), 1 << 20).unwrap();
        let error = pull(&cache, &self.registry, text).unwrap_err();
        assert!(matches!(error, Error::Untrusted { .. }), "{error}");
        let left = fs::read_dir(cache.root())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().len() == 64);
        assert_eq!(left.count(), 0);
        error.to_string()
    }

    /// Signs a list of files anew, as a publisher with the key could.
    fn sign_list(&self, version: &str, list: &str) {
        fs::write(self.path(&format!("{version}/checksum.sha256")), list).unwrap();
        let signature = KEY.sign(list.as_bytes(), "test").unwrap();
        fs::write(self.path(&format!("{version}/checksum.sha256.minisig")), signature).unwrap();
    }
}

#[test]
fn wrong_bytes_are_refused() {
    let liar = Liar::new();
    fs::write(liar.path("1.1.0/model.onnx"), "own").unwrap();
    let error = liar.refused("tiny");
    let place = liar.path("1.1.0/model.onnx").display().to_string();
    assert!(error.starts_with(&format!("{place}: not trusted: expected sha256 ")), "{error}");
    assert!(error.contains(Digest::of(b"own").as_str()), "{error}");
    fs::write(liar.path("1.1.0/checksum.sha256"), "").unwrap();
    assert!(liar.refused("tiny").contains("1.1.0/checksum.sha256: not trusted: expected sha256 "));
    assert!(liar.refused("tiny@1.1.0").contains("found one of other contents"));
}

#[test]
fn signatures_of_others_are_refused() {
    let liar = Liar::new();
    let other = Key::new();
    let list = fs::read(liar.path("1.1.0/checksum.sha256")).unwrap();
    fs::write(liar.path("1.1.0/checksum.sha256.minisig"), other.sign(&list, "").unwrap()).unwrap();
    assert!(liar.refused("tiny").contains("1.1.0/checksum.sha256: not trusted: expected a signature of the"));
    fs::remove_file(liar.path("1.1.0/checksum.sha256.minisig")).unwrap();
    assert!(liar.refused("tiny").contains("found no signature"));
    let channel = fs::read_to_string(liar.path("channels/stable.json")).unwrap();
    fs::write(liar.path("channels/stable.json"), channel.replace("1.1.0", "1.0.0")).unwrap();
    assert!(liar.refused("tiny").contains("channels/stable.json: not trusted"));
    fs::write(liar.path("channels/stable.json.minisig"), "x".repeat(5000)).unwrap();
    let cache = Cache::open(liar.home.path().join("cache"), 1 << 20).unwrap();
    assert!(matches!(pull(&cache, &liar.registry, "tiny"), Err(Error::Limit { .. })));
}

#[test]
fn signed_files_of_one_place_are_none_of_another() {
    let liar = Liar::new();
    // Of another version: its list alone, then all files.
    let files = ["checksum.sha256", "checksum.sha256.minisig", "metadata.json", "model.onnx"];
    let path = |version: &str, file: &str| liar.path(&format!("{version}/{file}"));
    let own = files.map(|file| fs::read(path("1.1.0", file)).unwrap());
    let cache = Cache::open(liar.home.path().join("cache"), 1 << 20).unwrap();
    let (name, canary) = ("tiny".parse().unwrap(), "canary".parse().unwrap());
    let to = voiceflow_registry::Move::Promote("1.1.0".parse().unwrap());
    for (copied, said) in [(2, "expected sha256 "), (4, "expected tiny 1.1.0, found tiny 1.0.0")] {
        for file in files.into_iter().take(copied) {
            fs::copy(path("1.0.0", file), path("1.1.0", file)).unwrap();
        }
        let expected = format!("1.1.0/metadata.json: not trusted: {said}");
        let error = liar.refused("tiny@1.1.0");
        assert!(error.contains(&expected), "{error}");
        let error = pull(&cache, &liar.registry, "tiny@1.1.0").unwrap_err().to_string();
        assert!(error.contains(&expected), "{error}");
        let moved = wait(liar.registry.move_channel(&name, &canary, &to, None, Some(&*KEY)));
        assert!(matches!(moved, Err(Error::Untrusted { .. })), "{moved:?}");
    }
    // Nobody remembers what was refused.
    for (file, contents) in files.into_iter().zip(&own) {
        fs::write(path("1.1.0", file), contents).unwrap();
    }
    assert_eq!(pull(&cache, &liar.registry, "tiny@1.1.0").unwrap(), "two");
    // Of another channel.
    for end in ["json", "json.minisig"] {
        fs::copy(liar.path(&format!("channels/stable.{end}")), liar.path(&format!("channels/canary.{end}")))
            .unwrap();
    }
    assert!(liar.refused("tiny@canary").contains("expected channel \"tiny/canary\", found \"tiny/stable\""));
}

#[test]
fn a_channel_does_not_go_back_to_what_it_said() {
    let liar = Liar::new();
    let cache = Cache::open(liar.home.path().join("cache"), 1 << 20).unwrap();
    let files = ["channels/stable.json", "channels/stable.json.minisig"];
    let kept = || files.map(|file| fs::read(liar.path(file)).unwrap());
    let restore = |kept: &[Vec<u8>; 2]| {
        for (file, contents) in files.iter().zip(kept) {
            fs::write(liar.path(file), contents).unwrap();
        }
    };
    assert_eq!(pull(&cache, &liar.registry, "tiny").unwrap(), "two");
    let second = kept();
    // A rollback, whose file says so.
    let (name, channel) = ("tiny".parse().unwrap(), "stable".parse().unwrap());
    let back = voiceflow_registry::Move::Rollback(None);
    wait(liar.registry.move_channel(&name, &channel, &back, None, Some(&*KEY))).unwrap();
    assert_eq!(pull(&cache, &liar.registry, "tiny").unwrap(), "one");
    let third = kept();
    std::thread::sleep(Duration::from_millis(1100));
    release(&liar.registry, "1.2.0", "three");
    assert_eq!(pull(&cache, &liar.registry, "tiny").unwrap(), "three");
    // Old mirrors: the second file, and the rollback of former times.
    for old in [&second, &third] {
        restore(old);
        let error = pull(&cache, &liar.registry, "tiny").unwrap_err().to_string();
        assert!(error.contains("tiny@stable: not trusted: expected a sequence above 4"), "{error}");
    }
    // Where the registry was lost, the channel goes on from what is remembered.
    for file in files {
        fs::remove_file(liar.path(file)).unwrap();
    }
    let seen = cache.seen(&liar.registry, &"tiny".parse().unwrap()).unwrap().unwrap();
    let to = voiceflow_registry::Move::Promote("1.1.0".parse().unwrap());
    wait(liar.registry.move_channel(&name, &channel, &to, seen.sequence, Some(&*KEY))).unwrap();
    assert_eq!(pull(&cache, &liar.registry, "tiny").unwrap(), "two");
}

#[test]
fn paths_of_a_signed_list_lead_nowhere_else() {
    let liar = Liar::new();
    let list = fs::read_to_string(liar.path("1.1.0/checksum.sha256")).unwrap();
    let digest = Digest::of(b"two");
    for name in
        ["../../../model.onnx", "/tmp/model.onnx", "sub/model.onnx", "..", ".bashrc", "checksum.sha256"]
    {
        liar.sign_list("1.1.0", &format!("{list}{digest}  {name}\n"));
        let error = liar.refused("tiny@1.1.0");
        assert!(error.contains("1.1.0/checksum.sha256: not trusted: expected names of letters"), "{error}");
    }
    liar.sign_list("1.1.0", &"x".repeat(70_000));
    let cache = Cache::open(liar.home.path().join("cache"), 1 << 20).unwrap();
    assert!(matches!(pull(&cache, &liar.registry, "tiny@1.1.0"), Err(Error::Limit { .. })));
}

/// Answers for model.onnx by `send`.
struct Slow(fn(TcpStream));

impl Hook for Slow {
    fn answer(&self, _n: usize, request: &Message, mut answer: Message) -> Option<Message> {
        if request.is("GET") && request.path().ends_with("model.onnx") {
            answer.headers.push(("x-slow".to_owned(), "yes".to_owned()));
        }
        Some(answer)
    }

    fn send(&self, mut to: TcpStream, answer: &[u8]) {
        if answer.windows(6).any(|part| part == b"x-slow") {
            (self.0)(to);
        } else {
            let _ = to.write_all(answer);
        }
    }
}

/// What a client with little patience says of a registry that sends model.onnx so, and does all
/// else as it should.
fn slow(send: fn(TcpStream)) -> String {
    let bucket = servers::s3(Slow(send));
    release(&servers::open(&bucket), "1.0.0", "one");
    let registry = servers::open_with(&bucket, IMPATIENCE);
    let home = tempfile::tempdir().unwrap();
    let cache = Cache::open(home.path(), 1 << 20).unwrap();
    let error = pull(&cache, &registry, "tiny").unwrap_err();
    assert_eq!(fs::read_dir(cache.root().join("partial")).unwrap().count(), 0);
    error.to_string()
}

const HEAD: &str = "HTTP/1.1 200 OK\r\netag: \"x\"\r\nlast-modified: Mon, 30 Nov 2026 08:00:00 GMT\r\n";

#[test]
fn a_registry_that_says_nothing_any_more_is_left() {
    // Nobody waits for so long.
    let error = slow(|_to| std::thread::sleep(Duration::from_secs(86_400)));
    assert!(error.contains("tiny/1.0.0/model.onnx: cannot be reached"), "{error}");
}

#[test]
fn a_registry_that_drips_is_left_too() {
    let error = slow(|mut to| {
        let _ = to.write_all(format!("{HEAD}content-length: 1000000\r\n\r\n").as_bytes());
        while to.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(200));
        }
    });
    assert!(error.contains("tiny/1.0.0/model.onnx: cannot be reached"), "{error}");
}

#[test]
fn a_file_without_end_is_not_read_to_its_end() {
    let error = slow(|mut to| {
        let _ = to.write_all(format!("{HEAD}content-length: 9000000000\r\n\r\n").as_bytes());
        while to.write_all(&[0; 65536]).is_ok() {}
    });
    assert!(error.contains("model.onnx: expected at most 2147483648 bytes, found more"), "{error}");
}
