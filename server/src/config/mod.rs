//! What the server is told: a file, the environment and flags, in this order, each over the one
//! before. One struct for each section; a key that none of them has is refused.

mod arms;
mod live;
mod load;
mod registry;
mod sections;
mod tls;
mod traces;
mod voices;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Parser;
use serde::{Deserialize, Serialize};

pub use arms::{Arm, Rollout, SHADOW, Shadow, check_arms};
pub use live::Live;
pub use registry::Registry;
pub use sections::{Auth, Batch, Drain, Limits, Listen, Log, Model, ProviderName};
pub use tls::Tls;
pub use traces::Traces;
pub use voices::Voices;

/// What `--help` says of the configuration and the end.
pub const AFTER_HELP: &str = "\
Each key of the configuration can stand in the file, in the environment and in --set:
  [limits]                                     in the file
  upload_bytes = 1000000
  VOICEFLOW_SERVER_LIMITS__UPLOAD_BYTES=1000000  in the environment
  --set limits.upload_bytes=1000000            as a flag

Signals: SIGTERM and SIGINT drain the server and end it; a second one ends it at once.

Exit codes:
  0  drained
  1  failed: an address is in use, a model cannot be loaded, …
  2  usage: arguments or configuration make no sense
  3  the drain ran out of time, or was cut short";

/// Speaker diarization over HTTP and WebSocket.
#[derive(Clone, Parser)]
#[command(name = "voiceflow-server", version, after_help = AFTER_HELP)]
pub struct Arguments {
    /// Configuration file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Public address [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Address of metrics and administration [default: 127.0.0.1:9464]
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub admin_listen: Option<String>,
    /// Accept everybody on an address that other machines can reach
    #[arg(long)]
    pub insecure_listen: bool,
    /// One key of the configuration; may be given more than once
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    pub set: Vec<String>,
    /// Print the effective configuration and end
    #[arg(long)]
    pub check_config: bool,
    /// Ask the running server of this configuration whether it lives, and end: 0, or 1 and why not
    #[arg(long, conflicts_with = "check_config")]
    pub health: bool,
}

/// The effective configuration.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Sockets.
    pub listen: Listen,
    /// TLS on the public address.
    pub tls: Tls,
    /// Who may ask.
    pub auth: Auth,
    /// What runs.
    pub model: Model,
    /// Recordings.
    pub batch: Batch,
    /// Streams.
    pub live: Live,
    /// Galleries of known voices.
    pub voices: Voices,
    /// What a client may ask for.
    pub limits: Limits,
    /// How the server ends.
    pub drain: Drain,
    /// Log records.
    pub log: Log,
    /// Traces.
    pub traces: Traces,
    /// Where models come from that are named with @.
    pub registry: Registry,
    /// A candidate that is compared and answers nobody.
    pub shadow: Shadow,
    /// How new models take the place of old ones.
    pub rollout: Rollout,
    /// Models that share the requests and streams; without them, all go to those of `model`.
    pub arms: Vec<Arm>,
}

impl Config {
    /// The configuration of these arguments, over this environment, over the file.
    ///
    /// # Errors
    /// What is wrong, with the key: a file that cannot be read, an unknown key, a value of another
    /// type or out of range.
    pub fn load(
        arguments: &Arguments,
        environment: impl Iterator<Item = (OsString, OsString)>,
    ) -> Result<Self, String> {
        let config: Self = load::layered(arguments, environment)?;
        config.check()?;
        Ok(config)
    }

    /// As a file of the configuration.
    ///
    /// # Errors
    /// A value that TOML cannot hold.
    pub fn to_toml(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|error| error.to_string())
    }

    /// The arms: those that are configured, or one with the models of `model`.
    pub fn all_arms(&self) -> Vec<Arm> {
        if self.arms.is_empty() {
            return vec![Arm::only(self.model.bundle.as_deref())];
        }
        self.arms.clone()
    }

    /// Bundles that run.
    pub fn bundles(&self) -> usize {
        self.all_arms().len() + usize::from(self.shadow.model.is_some())
    }

    fn check(&self) -> Result<(), String> {
        if !self.arms.is_empty() && self.model.bundle.is_some() {
            return Err("model.bundle: expected none beside arms, got one".to_owned());
        }
        check_arms(&self.all_arms())?;
        self.registry.check()?;
        self.shadow.check()?;
        self.rollout.check(self.bundles())?;
        self.tls.check()?;
        self.listen.check(self.auth.tokens.is_some() || self.tls.client_ca.is_some())?;
        self.batch.check()?;
        self.live.check()?;
        self.voices.check()?;
        self.traces.check()?;
        self.limits.check()?;
        self.drain.check()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Config, String> {
        let arguments = ["voiceflow-server"].iter().chain(arguments);
        let arguments = Arguments::try_parse_from(arguments).unwrap();
        Config::load(&arguments, environment.iter().map(|(key, value)| (key.into(), value.into())))
    }

    #[test]
    fn flags_go_over_the_environment_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.toml");
        std::fs::write(&path, "[limits]\nupload_bytes = 1\naudio_s = 1.5\n[batch]\nwaiting = 1\n").unwrap();
        let environment = [
            ("VOICEFLOW_SERVER_LIMITS__UPLOAD_BYTES", "2"),
            ("VOICEFLOW_SERVER_BATCH__WAITING", "2"),
            ("HOME", "/"),
        ];
        let path = path.to_str().unwrap();
        let config = load(&["--config", path, "--set", "batch.waiting=3"], &environment).unwrap();
        assert_eq!((config.limits.upload_bytes, config.batch.waiting), (2, 3));
        assert_eq!((config.limits.audio_s, config.batch.deadline_s), (1.5, 600.0));
    }

    #[test]
    fn the_effective_configuration_reads_back() {
        let config = load(&["--listen", "127.0.0.1:0", "--set", "log.format=text"], &[]).unwrap();
        let text = config.to_toml().unwrap();
        assert!(text.contains("address = \"127.0.0.1:0\"") && text.contains("format = \"text\""), "{text}");
        assert_eq!(toml::from_str::<Config>(&text).unwrap(), config);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let refused = |arguments: &[&str], environment: &[(&str, &str)]| {
            load(arguments, environment).unwrap_err().replace('\n', " ")
        };
        let error = refused(&["--set", "limits.uploads=3"], &[]);
        assert!(error.contains("unknown field `uploads`"), "{error}");
        let error = refused(&[], &[("VOICEFLOW_SERVER_LIMIT__UPLOAD_BYTES", "3")]);
        assert!(error.contains("unknown field `limit`"), "{error}");
        let error = refused(&[], &[("VOICEFLOW_SERVER_UPLOAD_BYTES", "3")]);
        assert!(error.contains("VOICEFLOW_SERVER_UPLOAD_BYTES: expected"), "{error}");
        let error = refused(&["--set", "limits.upload_bytes=many"], &[]);
        assert!(error.contains("invalid type: string \"many\""), "{error}");
        let error = refused(&["--set", "limits.upload_bytes=0"], &[]);
        assert_eq!(error, "limits.upload_bytes: expected 1 or more, got 0");
        let error = refused(&["--set", "batch.deadline_s=nan"], &[]);
        assert_eq!(error, "batch.deadline_s: expected 0.001 to 86400, got NaN");
        let error = refused(&["--set", "batch"], &[]);
        assert_eq!(error, "--set batch: expected SECTION.KEY=VALUE");
        let error = refused(&["--config", "/nowhere.toml"], &[]);
        assert!(error.starts_with("/nowhere.toml: "), "{error}");
    }

    #[test]
    fn arms_stand_in_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.toml");
        let arms = "[[arms]]\nname = \"stable\"\nweight = 9\n[[arms]]\nname = \"next\"\nmodel = \"fast\"\n";
        std::fs::write(&path, arms).unwrap();
        let path = path.to_str().unwrap();
        let config = load(&["--config", path], &[]).unwrap();
        let of = |name: &str, model: Option<&str>, weight| Arm {
            name: name.to_owned(),
            model: model.map(str::to_owned),
            weight,
        };
        assert_eq!(config.all_arms(), [of("stable", None, 9.0), of("next", Some("fast"), 1.0)]);
        assert_eq!(toml::from_str::<Config>(&config.to_toml().unwrap()).unwrap(), config);
        let error = load(&["--config", path, "--set", "model.bundle=fast"], &[]).unwrap_err();
        assert_eq!(error, "model.bundle: expected none beside arms, got one");
        let error = load(&["--set", "arms.next=fast"], &[]).unwrap_err();
        assert!(error.starts_with("configuration: "), "{error}");
        let config = load(&["--set", "model.bundle=fast"], &[]).unwrap();
        assert_eq!(config.all_arms(), [of("stable", Some("fast"), 1.0)]);
    }

    #[test]
    fn everybody_is_accepted_on_the_loopback_only() {
        let error = load(&["--listen", "0.0.0.0:8080"], &[]).unwrap_err();
        assert!(error.starts_with("listen.address: expected a loopback address"), "{error}");
        assert!(load(&["--listen", "0.0.0.0:8080", "--insecure-listen"], &[]).is_ok());
        assert!(load(&["--listen", "[::1]:8080"], &[]).is_ok());
        let tokens = "auth.tokens=/nowhere.toml";
        assert!(load(&["--listen", "0.0.0.0:8080", "--set", tokens], &[]).is_ok());
        assert!(load(&["--admin-listen", "0.0.0.0:9464", "--set", tokens], &[]).is_err());
        let error = load(&["--listen", "localhost"], &[]).unwrap_err();
        assert_eq!(error, "listen.address: expected ADDRESS:PORT such as 127.0.0.1:8080, got localhost");
    }
}
