//! How a channel moves to another version: by compare and swap, so that of two who move it at once
//! one is told.
//!
//! A file and its signature cannot be replaced at one moment. So the signature is written first,
//! under the digest of the file to come; then the file; then the signature beside it, for the tools
//! of others. Readers take the one that fits (`Registry::channel_object`).

use chrono::{SubsecRound, Utc};
use semver::Version;

use crate::channel::Channel;
use crate::digest::Digest;
use crate::error::{Error, Result};
use crate::layout::{self, METADATA, limits};
use crate::names::{ChannelName, ModelName, Reference, Resolved, Target};
use crate::registry::Registry;
use crate::trust::Sign;

/// How often the signature beside a channel's file is written anew because the file moved on.
const ROUNDS: usize = 8;

/// To which version a channel is moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Move {
    /// Up to this one.
    Promote(Version),
    /// Back to this one, or to the one before.
    Rollback(Option<Version>),
}

impl Registry {
    /// Moves a channel. `seen` is the highest sequence of it that anybody remembers: where the
    /// channel's file was lost, the new one goes on from there.
    ///
    /// Gives what the channel names then. Where it names that already, nothing is written but the
    /// signature beside it, if whoever moved it was killed before.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a version that is not there, [`Error::Argument`] for one in the
    /// wrong direction, [`Error::Conflict`] where somebody else moved the channel meanwhile; those
    /// of [`Registry::publish`].
    pub async fn move_channel(
        &self,
        name: &ModelName,
        channel: &ChannelName,
        to: &Move,
        seen: Option<u64>,
        sign: Option<&dyn Sign>,
    ) -> Result<Resolved> {
        let current = self.channel_object(name, channel).await?;
        let present = current.as_ref().map(|(present, _)| present);
        let version = target(present, name, channel, to)?;
        if let Some(present) = present.filter(|present| present.version == version) {
            self.settle_signature(name, channel).await?;
            return Ok(present.resolved(name));
        }
        let reference = Reference { name: name.clone(), target: Target::Version(version.clone()) };
        let found = self.resolve(&reference).await?;
        let sequence = present.map(|present| present.sequence).max(seen).unwrap_or(0);
        let next = Channel {
            channel: Channel::label(name, channel),
            version,
            sha256: found.sha256,
            sequence: sequence.saturating_add(1),
            updated: Utc::now().trunc_subsecs(0),
            previous: present.map(|present| present.version.clone()),
            rollback: matches!(to, Move::Rollback(_)),
        };
        let key = layout::channel_file(name, channel);
        let text = next.text()?.into_bytes();
        let signature = self.signed(&text, &key, sign)?;
        if let Some(signature) = &signature {
            let key = layout::signature_of_contents(name, channel, &Digest::of(&text));
            self.store.create(&key, signature.clone()).await?;
        }
        if !self.store.swap(&key, text.clone(), current.as_ref().map(|(_, object)| object)).await? {
            // A request that was answered too late is made once more, and finds what it wrote
            // itself.
            let there = self.store.get(&key, limits::CHANNEL_BYTES).await?;
            if there.is_none_or(|there| there.bytes != text) {
                let reason = "channel was moved by somebody else at the same time: look at it, and try again";
                return Err(Error::Conflict { place: self.store.place(&key), reason: reason.to_owned() });
            }
        }
        if signature.is_some() {
            self.settle_signature(name, channel).await?;
        }
        self.still_there(name, &next).await?;
        Ok(next.resolved(name))
    }

    /// Writes the signature beside the channel's file as it is by now. Whoever comes later does the
    /// same, so that the last one wins.
    async fn settle_signature(&self, name: &ModelName, channel: &ChannelName) -> Result<()> {
        let beside = layout::channel_signature(name, channel);
        for _ in 0..ROUNDS {
            let there = self.store.get(&beside, limits::SIGNATURE_BYTES).await?;
            let Some(file) =
                self.store.get(&layout::channel_file(name, channel), limits::CHANNEL_BYTES).await?
            else {
                return Ok(());
            };
            let key = layout::signature_of_contents(name, channel, &Digest::of(&file.bytes));
            let Some(right) = self.store.get(&key, limits::SIGNATURE_BYTES).await? else { return Ok(()) };
            if there.as_ref().is_some_and(|there| there.bytes == right.bytes)
                || self.store.swap(&beside, right.bytes, there.as_ref()).await?
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A version may have been removed while the channel was moved to it.
    async fn still_there(&self, name: &ModelName, next: &Channel) -> Result<()> {
        let key = layout::version_file(name, &next.version, METADATA);
        if self.store.get(&key, limits::JSON_BYTES).await?.is_some() {
            return Ok(());
        }
        let reason = "version was removed while the channel was moved to it: move the channel on";
        Err(Error::Conflict { place: self.store.place(&key), reason: reason.to_owned() })
    }
}

/// The version that a move means, which has to lie in its direction.
fn target(present: Option<&Channel>, name: &ModelName, channel: &ChannelName, to: &Move) -> Result<Version> {
    let wrong = |expected: String, found: String| Err(Error::Argument { what: "version", expected, found });
    match (to, present) {
        (Move::Promote(version), Some(present)) if *version < present.version => wrong(
            format!("one above {}, which {name}@{channel} names (`rollback` goes back)", present.version),
            version.to_string(),
        ),
        (Move::Promote(version), _) => Ok(version.clone()),
        (Move::Rollback(_), None) => {
            wrong(format!("that {name}@{channel} names a version to go back from"), "none".to_owned())
        }
        (Move::Rollback(Some(version)), Some(present)) if *version > present.version => wrong(
            format!("one below {}, which {name}@{channel} names (`promote` goes up)", present.version),
            version.to_string(),
        ),
        (Move::Rollback(Some(version)), Some(_)) => Ok(version.clone()),
        (Move::Rollback(None), Some(present)) => match &present.previous {
            Some(previous) if *previous < present.version => Ok(previous.clone()),
            _ => wrong(
                format!("one to go back to, as {name}@{channel} says of none below {}", present.version),
                "none".to_owned(),
            ),
        },
    }
}
