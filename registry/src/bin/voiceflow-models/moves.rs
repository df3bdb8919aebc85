//! `voiceflow-models promote` and `rollback`: which version a channel names.

use clap::Args;
use serde_json::json;
use voiceflow_registry::{ChannelName, Move, Reference, Resolved, Target, Version};

use crate::exit::{Failure, Outcome, print, print_json};
use crate::settings::Settings;
use crate::signer::{SignArgs, as_sign};

/// Arguments of `promote`.
#[derive(Args)]
pub struct PromoteArgs {
    /// MODEL@VERSION, or MODEL@CHANNEL for the version that another channel names
    #[arg(value_name = "MODEL@VERSION")]
    reference: Reference,
    /// The channel that moves
    #[arg(value_name = "CHANNEL")]
    channel: ChannelName,
    #[command(flatten)]
    sign: SignArgs,
}

/// Arguments of `rollback`.
#[derive(Args)]
pub struct RollbackArgs {
    /// MODEL@CHANNEL; MODEL alone is MODEL@stable
    #[arg(value_name = "MODEL@CHANNEL")]
    reference: Reference,
    /// Version to go back to [default: the one that the channel named before]
    #[arg(long, value_name = "VERSION")]
    to: Option<Version>,
    #[command(flatten)]
    sign: SignArgs,
}

/// Runs `promote`.
pub async fn promote(args: &PromoteArgs, settings: &Settings) -> Outcome {
    let version = match &args.reference.target {
        Target::Version(version) => version.clone(),
        Target::Channel(_) => settings.registry()?.resolve(&args.reference).await?.version,
    };
    let to = Reference { name: args.reference.name.clone(), target: Target::Channel(args.channel.clone()) };
    run(&to, &args.channel, &Move::Promote(version), &args.sign, settings).await
}

/// Runs `rollback`.
pub async fn rollback(args: &RollbackArgs, settings: &Settings) -> Outcome {
    let Target::Channel(channel) = &args.reference.target else {
        let expected = "MODEL@VERSION: expected MODEL@CHANNEL, with the version as --to";
        return Err(Failure::Usage(expected.to_owned()));
    };
    run(&args.reference, channel, &Move::Rollback(args.to.clone()), &args.sign, settings).await
}

async fn run(
    reference: &Reference,
    channel: &ChannelName,
    to: &Move,
    sign: &SignArgs,
    settings: &Settings,
) -> Outcome {
    let registry = settings.registry()?;
    let cache = settings.cache()?;
    let signer = sign.signer()?;
    let seen = cache.seen(&registry, reference)?;
    let before = seen.as_ref().and_then(|seen| seen.sequence);
    let moved = registry.move_channel(&reference.name, channel, to, before, as_sign(signer.as_ref())).await?;
    // So that this machine knows an old file from now on.
    cache.resolve(&registry, reference).await?;
    tell(reference, &moved, settings.json)
}

fn tell(reference: &Reference, moved: &Resolved, json: bool) -> Outcome {
    if json {
        return print_json(&json!({"channel": reference.to_string(), "resolved": moved}));
    }
    let sequence = moved.sequence.unwrap_or_default();
    print(&format!("{reference} names {} (move {sequence})\n", moved.version))
}
