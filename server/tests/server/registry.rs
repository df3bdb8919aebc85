//! Models of a registry: channels that move, registries that lie or do not answer, and a cache in
//! which stays what runs.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use minisign::KeyPair;
use serde_json::json;
use voiceflow_registry::{Move, Patience, Registry, Resolved, Sign, Staged, Trust};

use crate::reload::{answering, bundle};
use crate::support::{PATIENCE, Server, wait_until};

const FAILED: &str = "voiceflow_model_reloads_total{outcome=\"failed\"}";

struct Key(KeyPair);

impl Sign for Key {
    fn sign(&self, bytes: &[u8], comment: &str) -> Result<String, String> {
        let signed = minisign::sign(None, &self.0.sk, bytes, Some(comment), None);
        signed.map(|signature| signature.into_string()).map_err(|error| error.to_string())
    }
}

/// A registry in a folder, whoever publishes to it, and a cache.
struct Publisher {
    home: tempfile::TempDir,
    key: Key,
    registry: Registry,
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

impl Publisher {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let key = Key(KeyPair::generate_unencrypted_keypair().unwrap());
        let trust = Trust::of(&[key.0.pk.to_base64()]).unwrap();
        let url = home.path().join("registry").display().to_string();
        let registry = Registry::open(&url, trust, Patience::default()).unwrap();
        Self { home, key, registry }
    }

    fn publish(&self, version: &str) -> Resolved {
        let folder = bundle(self.home.path(), version, &[]);
        let metadata = json!({"name": "fast-cnn", "version": version}).to_string();
        fs::write(folder.join("metadata.json"), metadata).unwrap();
        let staged = Staged::read(&folder, &["metadata.json", "model.onnx"]).unwrap();
        wait(self.registry.publish(&staged, Some(&self.key))).unwrap().resolved
    }

    fn move_to(&self, to: Move) {
        let (name, channel) = ("fast-cnn".parse().unwrap(), "stable".parse().unwrap());
        wait(self.registry.move_channel(&name, &channel, &to, None, Some(&self.key))).unwrap();
    }

    /// Publishes a version, and moves the channel up to it.
    fn release(&self, version: &str) -> Resolved {
        let released = self.publish(version);
        self.move_to(Move::Promote(version.parse().unwrap()));
        released
    }

    /// A file of the model in the registry.
    fn path(&self, file: &str) -> PathBuf {
        self.home.path().join("registry/fast-cnn").join(file)
    }

    /// Whether the cache has the version.
    fn cached(&self, version: &Resolved) -> bool {
        self.home.path().join("cache").join(version.sha256.as_str()).is_dir()
    }

    /// A server that follows the channel.
    fn serve(&self, keys: &[&str]) -> Server {
        let cache = self.home.path().join("cache");
        let own = [
            "live.capacity=4".to_owned(),
            "model.bundle=fast-cnn@stable".to_owned(),
            format!("registry.url={}", self.registry.url()),
            format!("registry.keys=[\"{}\"]", self.key.0.pk.to_base64()),
            format!("registry.cache={}", cache.display()),
        ];
        let all: Vec<&str> = own.iter().map(String::as_str).chain(keys.iter().copied()).collect();
        Server::start(&all)
    }
}

#[test]
fn channels_are_followed_and_what_runs_stays_in_the_cache() {
    let publisher = Publisher::new();
    let one = publisher.release("1.0.1");
    // What nobody uses goes at the next fetch.
    let server = publisher.serve(&["rollout.poll_s=0.5", "registry.cache_bytes=1"]);
    assert_eq!(answering(&server), "fast-cnn/1.0.1");
    let two = publisher.release("1.0.2");
    wait_until("the channel is followed", || answering(&server) == "fast-cnn/1.0.2");
    // The arm can still go back to it.
    assert!(publisher.cached(&one) && publisher.cached(&two));
    publisher.move_to(Move::Rollback(None));
    wait_until("the channel is followed back", || answering(&server) == "fast-cnn/1.0.1");

    // What the server itself goes back from is not loaded again until the channel moves on.
    assert_eq!(server.post_admin("/rollback", "").status, 200);
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(answering(&server), "fast-cnn/1.0.2");
    publisher.release("1.0.3");
    wait_until("the channel is followed on", || answering(&server) == "fast-cnn/1.0.3");
    publisher.release("1.0.4");
    wait_until("the channel is followed on", || answering(&server) == "fast-cnn/1.0.4");
    assert!(publisher.cached(&two) && !publisher.cached(&one));
    assert_eq!(server.metric(FAILED), 0.0);
}

#[test]
fn registries_that_lie_change_nothing() {
    let publisher = Publisher::new();
    publisher.release("1.0.1");
    let server = publisher.serve(&["rollout.poll_s=0"]);
    let refused = |stage: &str, failures: f64| {
        let answer = server.post_admin("/reload", "");
        let error = &answer.json()["error"];
        assert_eq!(
            (answer.status, &error["code"], &error["param"]),
            (409, &json!("reload_failed"), &json!(stage)),
            "{error}"
        );
        assert_eq!((server.metric(FAILED), answering(&server).as_str()), (failures, "fast-cnn/1.0.1"));
    };
    let channel = publisher.path("channels/stable.json");
    let signature = publisher.path("channels/stable.json.minisig");
    let old = (fs::read(&channel).unwrap(), fs::read(&signature).unwrap());
    let model = publisher.path("1.0.2/model.onnx");
    publisher.release("1.0.2");
    let whole = fs::read(&model).unwrap();
    fs::write(&model, &whole[1..]).unwrap();
    refused("fetch", 1.0);
    // What it has seen counts, although it never ran.
    let new = (fs::read(&channel).unwrap(), fs::read(&signature).unwrap());
    fs::write(&channel, &old.0).unwrap();
    fs::write(&signature, &old.1).unwrap();
    refused("resolve", 2.0);
    let other = String::from_utf8(new.0.clone()).unwrap().replace("1.0.2", "1.0.1");
    fs::write(&channel, other).unwrap();
    refused("resolve", 3.0);
    for model in ["fast-cnn@nowhere", "Fast@stable", "fast-cnn@9.9.9"] {
        let answer = server.post_admin("/reload", &json!({"model": model}).to_string());
        assert_eq!((answer.status, &answer.json()["error"]["param"]), (409, &json!("resolve")), "{model}");
    }
    fs::write(&channel, new.0).unwrap();
    fs::write(&signature, new.1).unwrap();
    fs::write(&model, whole).unwrap();
    assert_eq!(server.post_admin("/reload", "").status, 200);
    assert_eq!(answering(&server), "fast-cnn/1.0.2");
}

#[test]
fn how_long_nothing_was_heard_of_the_registry_is_told() {
    let publisher = Publisher::new();
    publisher.release("1.0.1");
    let server = publisher.serve(&["rollout.poll_s=0.5"]);
    let age_s = || server.metric("voiceflow_model_look_age_seconds{arm=\"stable\"}");
    std::thread::sleep(Duration::from_secs(4));
    wait_until("the registry is looked at", || age_s() < 3.0);
    let (registry, gone) = (publisher.home.path().join("registry"), publisher.home.path().join("gone"));
    fs::rename(&registry, &gone).unwrap();
    wait_until("the registry is missed", || age_s() > 5.0);
    assert_eq!(answering(&server), "fast-cnn/1.0.1");
    fs::rename(&gone, &registry).unwrap();
    wait_until("the registry is back", || age_s() < 3.0);
    // Whoever lies is not heard.
    let channel = publisher.path("channels/stable.json");
    fs::write(&channel, fs::read_to_string(&channel).unwrap().replace("1.0.1", "1.0.2")).unwrap();
    wait_until("the lie is no answer", || age_s() > 5.0);
    assert_eq!(answering(&server), "fast-cnn/1.0.1");
}

#[test]
fn nobody_looks_where_nobody_is_told_to() {
    let server = Server::start(&["live.capacity=4", "rollout.poll_s=0"]);
    assert!(!server.get_admin("/metrics").text().contains("voiceflow_model_look_age_seconds"));
}

#[test]
fn a_registry_that_never_answers_is_not_waited_for() {
    let cache = tempfile::tempdir().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let key = Key(KeyPair::generate_unencrypted_keypair().unwrap());
    let keys = [
        "live.capacity=4",
        "registry.url=s3://bucket/models",
        "registry.timeout_s=0.5",
        &format!("registry.keys=[\"{}\"]", key.0.pk.to_base64()),
        &format!("registry.cache={}", cache.path().display()),
    ];
    let variables = [
        ("AWS_ENDPOINT_URL", endpoint.as_str()),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
    ];
    let server = Server::start_with(&keys, &variables);
    let running = answering(&server);
    let began = Instant::now();
    let answer = server.post_admin("/reload", r#"{"model":"fast-cnn@stable"}"#);
    assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    let error = answer.error();
    assert_eq!((error.0, error.1.as_str()), (409, "reload_failed"));
    assert!(error.2.contains("fast-cnn/channels/stable.json: cannot be reached"), "{}", error.2);
    assert_eq!(answering(&server), running);
}
