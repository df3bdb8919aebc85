//! `voiceflow-models publish`: a bundle that passes all gates becomes a version.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use voiceflow_registry::{Channel, ChannelName, Error, Reference, Registry, Staged, Target};

use crate::bundle::{self, RuntimeArgs};
use crate::exit::{Failure, Outcome, print, print_json};
use crate::gates::Gates;
use crate::report::Report;
use crate::settings::Settings;
use crate::signer::{SignArgs, as_sign};

const AFTER_HELP: &str = "\
Refused are bundles whose models break their contract or give other results than their golden vector, that have \
no validation_report.json or one of other files, whose DER is above the gates or above that of the version that \
the channel names, and whose version is not above that one. Every breach is printed on a line of its own. Model \
files, golden vectors, metadata, report, licences and documents are published; --with adds others. The version \
is in no channel yet: `promote` does that.";

/// Arguments of `publish`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct PublishArgs {
    /// Folder of the bundle; its metadata.json says name and version
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
    /// Channel whose present version is compared with
    #[arg(long, value_name = "CHANNEL", default_value = "stable")]
    channel: ChannelName,
    /// Gates (TOML) [default: those of the project]
    #[arg(long, value_name = "FILE")]
    gates: Option<PathBuf>,
    /// Another file of the folder that is published too, such as a variant; several times
    #[arg(long = "with", value_name = "FILE")]
    also: Vec<String>,
    #[command(flatten)]
    sign: SignArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// Runs the command.
pub async fn run(args: &PublishArgs, settings: &Settings) -> Outcome {
    let registry = settings.registry()?;
    let gates = Gates::read(args.gates.as_deref())?;
    let signer = args.sign.signer()?;
    let (files, others) = bundle::choose(&args.folder, &args.also)?;
    let staged = Staged::read(&args.folder, &files)?;
    let reference = Reference { name: staged.name().clone(), target: Target::Channel(args.channel.clone()) };
    let present = match registry.channel(staged.name(), &args.channel).await {
        Ok(present) => Some(present),
        Err(Error::NotFound { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    let mut breaches = Vec::new();
    // The version that the channel names is published once more without harm: nothing is written.
    let again = present.as_ref().is_some_and(|present| present.sha256 == staged.resolved().sha256);
    if let Some(present) = present.as_ref().filter(|present| !again && *staged.version() <= present.version) {
        let expected = format!("expected one above {}, which {reference} names", present.version);
        breaches.push(format!("version: {expected}, found {}", staged.version()));
    }
    breaches.extend(measured(args, &registry, &gates, &staged, present.as_ref().filter(|_| !again)).await?);
    breaches.extend(bundle::breaches(&args.folder, &staged, &args.runtime)?);
    if !breaches.is_empty() {
        let lines: String = breaches.iter().map(|breach| breach.replace('\n', " ") + "\n").collect();
        print(&lines)?;
        let count = breaches.len();
        let times = if count == 1 { "one reason".to_owned() } else { format!("{count} reasons") };
        return Err(Failure::Failed(format!("{}: not published, for {times}", args.folder.display())));
    }
    let published = registry.publish(&staged, as_sign(signer.as_ref())).await?;
    if settings.json {
        return print_json(&json!({
            "published": published.resolved, "new": published.new, "bytes": staged.bytes(),
            "files": files, "left_out": others,
        }));
    }
    let what = if published.new { "published" } else { "is there already" };
    let left_out = match others.is_empty() {
        true => String::new(),
        false => format!("left out: {}\n", others.join(", ")),
    };
    print(&format!("{} {} {what}: {} bytes\n{left_out}", staged.name(), staged.version(), staged.bytes()))
}

/// What the report keeps from being published, by itself and beside the present version's.
async fn measured(
    args: &PublishArgs,
    registry: &Registry,
    gates: &Gates,
    staged: &Staged,
    present: Option<&Channel>,
) -> Result<Vec<String>, Failure> {
    const FILE: &str = "validation_report.json";
    let Some(text) = bundle::read(&args.folder, FILE)? else {
        return Ok(vec![format!("{FILE}: expected the report of an evaluation, there is none")]);
    };
    let report = match Report::parse(&text) {
        Ok(report) => report,
        Err(Failure::Failed(reason)) => return Ok(vec![reason]),
        Err(other) => return Err(other),
    };
    let before = match present {
        Some(present) => {
            let reference =
                Reference { name: staged.name().clone(), target: Target::Version(present.version.clone()) };
            let resolved = registry.resolve(&reference).await?;
            Some(Report::parse(&registry.file(&resolved, FILE).await?)?)
        }
        None => None,
    };
    let mut breaches: Vec<String> = report
        .breaches(&bundle::models(staged))
        .into_iter()
        .map(|breach| format!("{FILE}: {breach}"))
        .collect();
    breaches.extend(gates.breaches(staged.name().as_str(), &report, before.as_ref()));
    Ok(breaches)
}
