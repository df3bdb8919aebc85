//! The arguments that every command has, with what the environment and a file of settings say.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use voiceflow_registry::{Cache, Patience, Registry, Trust};

use crate::exit::Failure;

/// Largest file of settings in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Arguments of every command.
#[derive(Args)]
#[command(next_help_heading = "Registry")]
pub struct RegistryArgs {
    /// Registry: a folder, file:///FOLDER, s3://BUCKET/PREFIX or gs://BUCKET/PREFIX
    #[arg(long, global = true, value_name = "URL", env = "VOICEFLOW_REGISTRY")]
    registry: Option<String>,
    /// Public key of minisign whose signatures count, in base64 or as its file; several count all.
    /// The variable VOICEFLOW_TRUSTED_KEYS has them with commas between. Needed for s3:// and gs://
    #[arg(long = "key", global = true, value_name = "KEY")]
    keys: Vec<String>,
    /// Folder of versions that were fetched [default: voiceflow/models in the user's cache]
    #[arg(long, global = true, value_name = "FOLDER", env = "VOICEFLOW_MODELS_CACHE")]
    cache: Option<PathBuf>,
    /// Bytes from which on the cache gives up what was used longest ago [default: 4294967296]
    #[arg(long, global = true, value_name = "BYTES")]
    cache_bytes: Option<u64>,
    /// Seconds to wait for each answer of the registry, 0.1 to 3600
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 15.0)]
    timeout: f64,
    /// File of settings (TOML: registry, trusted_keys, cache, cache_bytes) [default:
    /// voiceflow/models.toml in the user's configuration]
    #[arg(long, global = true, value_name = "FILE", env = "VOICEFLOW_MODELS_CONFIG")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

/// The file.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    registry: Option<String>,
    trusted_keys: Vec<String>,
    cache: Option<PathBuf>,
    cache_bytes: Option<u64>,
}

/// What counts: flags before variables before the file.
pub struct Settings {
    registry: Option<String>,
    keys: Vec<String>,
    cache: Option<PathBuf>,
    cache_bytes: u64,
    patience: Patience,
    /// Whether JSON is printed.
    pub json: bool,
}

impl RegistryArgs {
    pub fn settings(&self) -> Result<Settings, Failure> {
        if !(0.1..=3600.0).contains(&self.timeout) {
            return Err(Failure::Usage(format!("--timeout: expected 0.1 to 3600, got {}", self.timeout)));
        }
        let file = match &self.config {
            Some(path) => read(path)?,
            None => {
                match user_folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("models.toml")) {
                    Some(path) if path.is_file() => read(&path)?,
                    _ => File::default(),
                }
            }
        };
        let usual = Patience::default();
        let answer = Duration::from_secs_f64(self.timeout);
        let patience = Patience { answer, transfer: usual.transfer.max(answer) };
        Ok(Settings {
            registry: self.registry.clone().or(file.registry),
            keys: first([self.keys.clone(), keys_of_variable(), file.trusted_keys]),
            cache: self
                .cache
                .clone()
                .or(file.cache)
                .or_else(|| user_folder("XDG_CACHE_HOME", ".cache").map(|folder| folder.join("models"))),
            cache_bytes: self.cache_bytes.or(file.cache_bytes).unwrap_or(Cache::USUAL_BYTES),
            patience,
            json: self.json,
        })
    }
}

impl Settings {
    /// The registry.
    pub fn registry(&self) -> Result<Registry, Failure> {
        let url = self.registry.as_deref().filter(|url| !url.is_empty()).ok_or_else(|| {
            Failure::Usage("expected a registry: --registry URL or VOICEFLOW_REGISTRY".to_owned())
        })?;
        Ok(Registry::open(url, Trust::of(&self.keys)?, self.patience)?)
    }

    /// The cache.
    pub fn cache(&self) -> Result<Cache, Failure> {
        let folder = self.cache.as_deref().ok_or_else(|| {
            Failure::Usage("expected a folder for the cache: --cache FOLDER or VOICEFLOW_MODELS_CACHE".into())
        })?;
        Ok(Cache::open(folder, self.cache_bytes)?)
    }
}

/// The first of these that has any.
fn first(lists: [Vec<String>; 3]) -> Vec<String> {
    lists.into_iter().find(|list| !list.is_empty()).unwrap_or_default()
}

fn keys_of_variable() -> Vec<String> {
    let text = std::env::var("VOICEFLOW_TRUSTED_KEYS").unwrap_or_default();
    text.split(',').map(str::trim).filter(|key| !key.is_empty()).map(str::to_owned).collect()
}

/// The project's folder among those that the user has for one purpose.
fn user_folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set(variable).or_else(|| set("HOME").map(|home| home.join(below_home)))?;
    Some(folder.join("voiceflow"))
}

fn read(path: &Path) -> Result<File, Failure> {
    let wrong = |reason: String| Failure::Usage(format!("{}: {reason}", path.display()));
    let length = std::fs::metadata(path).map_err(|error| wrong(error.to_string()))?.len();
    if length > MAX_FILE {
        return Err(wrong(format!("expected at most {MAX_FILE} bytes, found {length}")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    toml::from_str(&text).map_err(|error| wrong(error.message().to_owned()))
}
