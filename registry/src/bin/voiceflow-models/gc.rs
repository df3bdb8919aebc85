//! `voiceflow-models gc`: what need not be kept goes.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use voiceflow_registry::{Keep, ModelName, Removal};

use crate::exit::{Failure, Outcome, print, print_json};
use crate::settings::Settings;
use crate::table::{Align, Table};

/// Arguments of `gc`.
#[derive(Args)]
pub struct GcArgs {
    /// Only this model
    #[arg(value_name = "MODEL")]
    name: Option<ModelName>,
    /// Keep so many of the highest versions of each model
    #[arg(long, value_name = "N", default_value_t = 3)]
    keep: usize,
    /// Keep versions written in so many days
    #[arg(long, value_name = "DAYS", default_value_t = 30.0)]
    days: f64,
    /// Keep half-written versions for so many hours, in which their publishers may be at work
    #[arg(long, value_name = "HOURS", default_value_t = 24.0)]
    unfinished_hours: f64,
    /// Remove; without it they are only listed
    #[arg(long)]
    delete: bool,
}

/// Runs the command.
pub async fn run(args: &GcArgs, settings: &Settings) -> Outcome {
    let time = |flag: &str, value: f64, unit: f64| {
        let wrong = |_| Failure::Usage(format!("{flag}: expected a time of 0 or more, got {value}"));
        Duration::try_from_secs_f64(value * unit).map_err(wrong)
    };
    let keep = Keep {
        newest: args.keep,
        younger_than: time("--days", args.days, 86_400.0)?,
        unfinished_younger_than: time("--unfinished-hours", args.unfinished_hours, 3600.0)?,
    };
    let registry = settings.registry()?;
    let names = match &args.name {
        Some(name) => vec![name.clone()],
        None => registry.models().await?,
    };
    let mut removals = Vec::new();
    for name in &names {
        removals.extend(registry.removals(name, &keep).await?);
    }
    let mut removed = Vec::new();
    for removal in &removals {
        removed.push(args.delete && registry.remove(removal).await?);
    }
    if settings.json {
        let all: Vec<_> = removals
            .iter()
            .zip(&removed)
            .map(|(removal, removed)| json!({"removal": removal, "removed": removed}))
            .collect();
        return print_json(&json!({"deleted": args.delete, "removals": all}));
    }
    print(&table(&removals, &removed, args.delete))
}

fn table(removals: &[Removal], removed: &[bool], delete: bool) -> String {
    if removals.is_empty() {
        return "nothing to remove\n".to_owned();
    }
    let columns =
        [("model", Align::Left), ("version", Align::Left), ("MB", Align::Right), ("reason", Align::Left)];
    let mut table = Table::new(&columns);
    for (removal, removed) in removals.iter().zip(removed) {
        let note = if delete && !removed { ", but a channel names it by now: kept" } else { "" };
        table.row([
            removal.name.to_string(),
            removal.version.as_ref().map(ToString::to_string).unwrap_or_default(),
            format!("{:.1}", removal.bytes as f64 / 1e6),
            format!("{}{note}", removal.reason),
        ]);
    }
    let end = if delete { "removed\n" } else { "would be removed: --delete removes them\n" };
    table.render() + end
}
