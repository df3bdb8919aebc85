//! Names of models, versions and channels, and what a user writes for them: `fast-cnn@stable`.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::{Error, Result};

/// The folder of a model's channels, which no model and no version can be called.
pub(crate) const CHANNELS: &str = "channels";
/// Longest name of a model.
const MAX_NAME: usize = 64;
/// Longest name of a channel.
const MAX_CHANNEL: usize = 32;
/// Longest version: those of semver may be of any length.
const MAX_VERSION: usize = 64;

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $max:expr, $expected:literal, $allowed:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl FromStr for $type {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                let allowed: fn(u8) -> bool = $allowed;
                let first = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase());
                let good = first && text.len() <= $max && text.bytes().all(allowed) && text != CHANNELS;
                good.then(|| Self(text.to_owned())).ok_or_else(|| {
                    Error::argument($what, format!($expected, $max), text)
                })
            }
        }

        impl TryFrom<String> for $type {
            type Error = Error;

            fn try_from(text: String) -> Result<Self> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> Self {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl $type {
            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// The name of a model: a lowercase letter, then lowercase letters, digits, `-`, `_` and `.`.
    ModelName, "model", MAX_NAME,
    "a lowercase letter, then lowercase letters, digits, '-', '_' or '.', at most {}, not \"channels\"",
    |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte)
);
name!(
    /// The name of a channel: a lowercase letter, then lowercase letters, digits and `-`. No
    /// version looks like one.
    ChannelName, "channel", MAX_CHANNEL,
    "a lowercase letter, then lowercase letters, digits or '-', at most {}",
    |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
);

/// Reads a version. Without build metadata: `1.0.0+a` and `1.0.0+b` have no order.
pub(crate) fn version(text: &str) -> Result<Version> {
    let wrong = || Error::argument("version", "one of semver without build metadata, such as 1.2.0", text);
    let version = Version::parse(text).map_err(|_| wrong())?;
    if text.len() > MAX_VERSION || !version.build.is_empty() { Err(wrong()) } else { Ok(version) }
}

/// The name and the version that a metadata.json says, which messages call `place`.
///
/// # Errors
/// [`Error::Untrusted`] for one that is none, [`Error::Argument`] for names that are none.
pub(crate) fn identity(metadata: &[u8], place: &str) -> Result<(ModelName, Version)> {
    #[derive(Deserialize)]
    struct Metadata {
        name: String,
        version: String,
    }
    let found: Metadata = serde_json::from_slice(metadata).map_err(|error| {
        Error::untrusted(place, "an object with \"name\" and \"version\"", error.to_string())
    })?;
    Ok((found.name.parse()?, version(&found.version)?))
}

/// Whether a metadata.json says this name and version: signed files of one version are none of
/// another.
///
/// # Errors
/// Those of [`identity`]; [`Error::Untrusted`] for another name or version.
pub(crate) fn belongs_to(name: &ModelName, version: &Version, metadata: &[u8], place: &str) -> Result<()> {
    let (found_name, found_version) = identity(metadata, place)?;
    if (&found_name, &found_version) == (name, version) {
        return Ok(());
    }
    let expected = format!("{name} {version}");
    Err(Error::untrusted(place, expected, format!("{found_name} {found_version}")))
}

/// What of a model is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whatever the channel names at the moment.
    Channel(ChannelName),
    /// That version.
    Version(Version),
}

/// A model and what of it is meant: `fast-cnn@stable`, `fast-cnn@1.2.0`; `fast-cnn` alone is
/// `fast-cnn@stable`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The model.
    pub name: ModelName,
    /// The channel or version.
    pub target: Target,
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (name, target) = text.split_once('@').unwrap_or((text, "stable"));
        let target = match version(target) {
            Ok(version) => Target::Version(version),
            Err(_) if target.bytes().next().is_some_and(|byte| byte.is_ascii_digit()) => {
                return version(target).and(Err(Error::argument("version", "one of semver", target)));
            }
            Err(_) => Target::Channel(target.parse()?),
        };
        Ok(Self { name: name.parse()?, target })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Target::Channel(channel) => write!(out, "{}@{channel}", self.name),
            Target::Version(version) => write!(out, "{}@{version}", self.name),
        }
    }
}

/// What a [`Reference`] stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The model.
    pub name: ModelName,
    /// The version.
    pub version: Version,
    /// The digest of the version's checksum.sha256, which names all of its files.
    pub sha256: Digest,
    /// How often the channel was moved; none of a version that was named itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// When the channel was moved to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated: Option<DateTime<Utc>>,
    /// Whether the channel was moved back to it.
    #[serde(default)]
    pub rollback: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_a_name_with_a_channel_or_a_version() {
        let read = |text: &str| text.parse::<Reference>().unwrap().to_string();
        assert_eq!(read("fast-cnn"), "fast-cnn@stable");
        assert_eq!(read("fast-cnn@canary"), "fast-cnn@canary");
        assert_eq!(read("fast-cnn@1.2.0-rc.1"), "fast-cnn@1.2.0-rc.1");
        for bad in
            ["", "@stable", "Fast", "a/b", "..", "a@", "a@b@c", "channels", "a@1.2", "a@1.0.0+b", "a@../b"]
        {
            let error = bad.parse::<Reference>().unwrap_err().to_string();
            assert!(error.contains("expected") && error.contains("got"), "{bad}: {error}");
        }
    }
}
