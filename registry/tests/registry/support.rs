//! What these tests share: keys, bundles, the program, a registry and a cache of their own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;
use std::time::Duration;

use minisign::KeyPair;
use tempfile::TempDir;
use voiceflow_registry::{Cache, Patience, Reference, Registry, Sign, Staged, Trust};

/// The root of the checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A key pair.
pub struct Key {
    pair: KeyPair,
}

/// The key that is trusted in most tests.
pub static KEY: LazyLock<Key> = LazyLock::new(Key::new);

impl Key {
    pub fn new() -> Self {
        Self { pair: KeyPair::generate_unencrypted_keypair().unwrap() }
    }

    /// The public key in base64.
    pub fn public(&self) -> String {
        self.pair.pk.to_base64()
    }

    pub fn trust(&self) -> Trust {
        Trust::of(&[self.public()]).unwrap()
    }

    /// Writes the secret key into a file.
    pub fn write(&self, path: &Path) {
        std::fs::write(path, self.pair.sk.to_box(None).unwrap().into_string()).unwrap();
    }
}

impl Sign for Key {
    fn sign(&self, bytes: &[u8], comment: &str) -> Result<String, String> {
        let signed = minisign::sign(None, &self.pair.sk, bytes, Some(comment), None);
        signed.map(|signature| signature.into_string()).map_err(|error| error.to_string())
    }
}

/// Waits that are long enough for a machine that does much else.
pub const PATIENCE: Patience =
    Patience { answer: Duration::from_secs(120), transfer: Duration::from_secs(600) };

/// Waits for registries that do not answer.
pub const IMPATIENCE: Patience =
    Patience { answer: Duration::from_secs(10), transfer: Duration::from_secs(20) };

/// Runs a future to its end.
pub fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

/// A folder with a bundle whose model is `contents`: the library does not look into models.
pub fn bundle(version: &str, contents: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let metadata = format!(r#"{{"name": "tiny", "version": "{version}"}}"#);
    for (file, contents) in
        [("metadata.json", metadata.as_str()), ("model.onnx", contents), ("golden.json", "{}")]
    {
        std::fs::write(folder.path().join(file), contents).unwrap();
    }
    folder
}

/// The same, read.
pub fn staged(folder: &TempDir) -> Staged {
    Staged::read(folder.path(), &["metadata.json", "model.onnx", "golden.json"]).unwrap()
}

/// What a text refers to.
pub fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// A registry that trusts [`KEY`].
pub fn open(url: &str) -> Registry {
    Registry::open(url, KEY.trust(), PATIENCE).unwrap()
}

/// Publishes a version of `tiny`, and moves its channel `stable` up to it.
pub fn release(registry: &Registry, version: &str, contents: &str) {
    let folder = bundle(version, contents);
    wait(registry.publish(&staged(&folder), Some(&*KEY))).unwrap();
    promote(registry, version).unwrap();
}

/// Moves the channel `stable` of `tiny`.
pub fn promote(
    registry: &Registry,
    version: &str,
) -> voiceflow_registry::Result<voiceflow_registry::Resolved> {
    let to = voiceflow_registry::Move::Promote(version.parse().unwrap());
    let (name, channel) = ("tiny".parse().unwrap(), "stable".parse().unwrap());
    wait(registry.move_channel(&name, &channel, &to, None, Some(&*KEY)))
}

/// Resolves through the cache and fetches; the contents of the model.
pub fn pull(cache: &Cache, registry: &Registry, text: &str) -> voiceflow_registry::Result<String> {
    wait(async {
        let found = cache.resolve(registry, &reference(text)).await?;
        let bundle = cache.fetch(registry, &found.resolved).await?;
        Ok(std::fs::read_to_string(bundle.folder().join("model.onnx")).unwrap())
    })
}

/// The file of ONNX Runtime.
pub fn runtime_library() -> PathBuf {
    if let Some(path) = std::env::var_os("VOICEFLOW_ORT_LIBRARY") {
        return path.into();
    }
    let path = root().join(".runtime/onnxruntime-1.31.1/libonnxruntime.so.1.31.1");
    assert!(path.is_file(), "{}: not there; run scripts/fetch_runtime.sh", path.display());
    path
}

/// A user of the program: a home, a registry in a folder, a cache, a secret key.
pub struct User {
    pub home: TempDir,
    pub variables: Vec<(String, String)>,
}

impl User {
    pub fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        KEY.write(&home.path().join("secret.key"));
        let path = |name: &str| home.path().join(name).display().to_string();
        let variables = [
            ("HOME", path("")),
            ("VOICEFLOW_REGISTRY", path("registry")),
            ("VOICEFLOW_MODELS_CACHE", path("cache")),
            ("VOICEFLOW_TRUSTED_KEYS", KEY.public()),
            ("VOICEFLOW_SIGNING_KEY", path("secret.key")),
            ("VOICEFLOW_ORT_LIBRARY", runtime_library().display().to_string()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Self { home, variables }
    }

    /// The same user with another registry and what its store asks for.
    pub fn at(mut self, url: &str, variables: &[(&str, String)]) -> Self {
        self.variables.retain(|(name, _)| name != "VOICEFLOW_REGISTRY");
        self.variables.push(("VOICEFLOW_REGISTRY".to_owned(), url.to_owned()));
        self.variables.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        self
    }

    /// The program with these arguments, in an environment with nothing else.
    pub fn program(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_voiceflow-models"));
        command.args(arguments).env_clear().current_dir(root());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn output(&self, arguments: &[&str]) -> Output {
        self.program(arguments).output().unwrap()
    }

    /// What it prints when it succeeds.
    pub fn run(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments:?}: {}: {error}", output.status);
        String::from_utf8(output.stdout).unwrap()
    }

    /// The exit code, and what it prints to both streams, when it fails.
    pub fn fail(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = self.output(arguments);
        assert!(!output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// What it prints as JSON.
    pub fn json(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.run(&[&["--json"], arguments].concat())).unwrap()
    }
}

/// A tool of Debian's, or a message that says how to get it.
pub fn tool(name: &str, package: &str) -> Command {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    assert!(found, "{name} not found: install it, for example with `apt-get install {package}`");
    Command::new(name)
}
