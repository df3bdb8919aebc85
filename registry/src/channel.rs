//! The file of a channel: which version it names.

use chrono::{DateTime, Utc};
use semver::Version;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::names::{ChannelName, ModelName, Resolved};

/// What a channel's file says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Model and channel, `fast-cnn/stable`: the signed file of one channel is none for another.
    pub channel: String,
    /// The version that the channel names.
    pub version: Version,
    /// The digest of that version's checksum.sha256.
    pub sha256: Digest,
    /// How often the channel was moved. A lower one than before is an old file.
    pub sequence: u64,
    /// When it was moved.
    pub updated: DateTime<Utc>,
    /// The version that it named before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Version>,
    /// Whether it was moved back.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rollback: bool,
}

impl Channel {
    /// What stands in [`Channel::channel`].
    pub(crate) fn label(name: &ModelName, channel: &ChannelName) -> String {
        format!("{name}/{channel}")
    }

    /// Reads the file of a channel, which messages call `place`.
    ///
    /// # Errors
    /// [`Error::Untrusted`] for one that is none, and for that of another channel.
    pub(crate) fn parse(text: &[u8], name: &ModelName, channel: &ChannelName, place: &str) -> Result<Self> {
        let found: Self = serde_json::from_slice(text)
            .map_err(|error| Error::untrusted(place, "the file of a channel", error.to_string()))?;
        let label = Self::label(name, channel);
        if found.channel != label {
            return Err(Error::untrusted(
                place,
                format!("channel {label:?}"),
                format!("{:?}", found.channel),
            ));
        }
        crate::names::version(&found.version.to_string())
            .map_err(|error| Error::untrusted(place, "a version", error.to_string()))?;
        Ok(found)
    }

    /// The file.
    pub(crate) fn text(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::argument("channel", "one that JSON can hold", error.to_string()))?;
        Ok(text + "\n")
    }

    /// What it stands for.
    pub(crate) fn resolved(&self, name: &ModelName) -> Resolved {
        Resolved {
            name: name.clone(),
            version: self.version.clone(),
            sha256: self.sha256.clone(),
            sequence: Some(self.sequence),
            updated: Some(self.updated),
            rollback: self.rollback,
        }
    }
}
