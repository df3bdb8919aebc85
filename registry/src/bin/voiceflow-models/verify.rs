//! `voiceflow-models verify`: is what is stored what was signed?

use clap::Args;
use serde_json::json;
use voiceflow_registry::Reference;

use crate::exit::{Outcome, print, print_json};
use crate::settings::Settings;

/// Arguments of `verify`.
#[derive(Args)]
pub struct VerifyArgs {
    /// MODEL@CHANNEL or MODEL@VERSION; MODEL alone is MODEL@stable
    #[arg(value_name = "MODEL")]
    reference: Reference,
}

/// Runs the command.
pub async fn run(args: &VerifyArgs, settings: &Settings) -> Outcome {
    let registry = settings.registry()?;
    let resolved = registry.resolve(&args.reference).await?;
    let bytes = registry.verify(&resolved).await?;
    let signed = registry.checks_signatures();
    if settings.json {
        return print_json(&json!({"resolved": resolved, "bytes": bytes, "signature": signed}));
    }
    let what = if signed {
        "signature and files are good"
    } else {
        "files are good; no key is trusted, so no signature was checked"
    };
    print(&format!("{} {}: {what}, {bytes} bytes\n", resolved.name, resolved.version))
}
