//! `voiceflow-models pull`: a version into the cache.

use clap::Args;
use serde_json::json;
use voiceflow_registry::Reference;

use crate::exit::{Outcome, print, print_json, warn};
use crate::settings::Settings;

const AFTER_HELP: &str = "\
Prints the folder of the version, which the flag --models of voiceflow takes. Where the registry cannot be \
reached, it is the version that was fetched last, with a warning. Each model's link in the folder `names` of \
the cache leads to the version that was pulled last: `--models CACHE/names/MODEL`, or `--models MODEL` with \
VOICEFLOW_MODELS=CACHE/names for a model that is not compiled in.";

/// Arguments of `pull`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct PullArgs {
    /// MODEL@CHANNEL or MODEL@VERSION; MODEL alone is MODEL@stable
    #[arg(value_name = "MODEL")]
    reference: Reference,
}

/// Runs the command.
pub async fn run(args: &PullArgs, settings: &Settings) -> Outcome {
    let registry = settings.registry()?;
    let cache = settings.cache()?;
    let found = cache.resolve(&registry, &args.reference).await?;
    if let Some(error) = &found.stale {
        warn(&format!("{error}; going on with {} {}", found.resolved.name, found.resolved.version));
    }
    let bundle = cache.fetch(&registry, &found.resolved).await?;
    let link = cache.link(&bundle)?;
    if settings.json {
        return print_json(&json!({
            "folder": bundle.folder(), "link": link, "resolved": bundle.resolved(),
            "fetched": bundle.was_fetched(), "stale": found.stale.map(|error| error.to_string()),
        }));
    }
    print(&format!("{}\n", bundle.folder().display()))
}
