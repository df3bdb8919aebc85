//! `voiceflow-models show`: what a version is.

use clap::Args;
use serde_json::{Value, json};
use voiceflow_registry::Reference;

use crate::exit::{Failure, Outcome, print, print_json};
use crate::report::Report;
use crate::settings::Settings;

/// Arguments of `show`.
#[derive(Args)]
pub struct ShowArgs {
    /// MODEL@CHANNEL or MODEL@VERSION; MODEL alone is MODEL@stable
    #[arg(value_name = "MODEL")]
    reference: Reference,
}

/// Runs the command.
pub async fn run(args: &ShowArgs, settings: &Settings) -> Outcome {
    let registry = settings.registry()?;
    let resolved = registry.resolve(&args.reference).await?;
    let checksums = registry.files(&resolved).await?;
    let metadata = registry.file(&resolved, "metadata.json").await?;
    let metadata: Value = serde_json::from_slice(&metadata)
        .map_err(|error| Failure::Failed(format!("metadata.json of {}: {error}", args.reference)))?;
    let report = match checksums.of("validation_report.json") {
        Some(_) => Some(Report::parse(&registry.file(&resolved, "validation_report.json").await?)?),
        None => None,
    };
    let ders = report.map(|report| report.ders()).unwrap_or_default();
    if settings.json {
        let files: serde_json::Map<String, Value> =
            checksums.files().map(|(file, digest)| (file.to_owned(), json!(digest))).collect();
        return print_json(&json!({
            "registry": registry.url(), "resolved": resolved, "files": files, "der": ders, "metadata": metadata,
        }));
    }
    let mut lines = vec![
        ("model", resolved.name.to_string()),
        ("version", resolved.version.to_string()),
        ("sha256", resolved.sha256.to_string()),
    ];
    if let (Some(sequence), Some(updated)) = (resolved.sequence, resolved.updated) {
        let back = if resolved.rollback { ", moved back" } else { "" };
        let when = updated.format("%Y-%m-%d %H:%M");
        lines.push(("channel", format!("{}, move {sequence} of {when}{back}", args.reference)));
    }
    lines.extend(ders.iter().map(|(set, der)| ("DER", format!("{:.2} % on {set}", 100.0 * der))));
    lines.extend(checksums.files().map(|(file, digest)| ("file", format!("{digest}  {file}"))));
    print(&lines.iter().map(|(key, value)| format!("{key:<9}{value}\n")).collect::<String>())
}
