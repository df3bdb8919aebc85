//! `voiceflow-models list`: what a registry has.

use clap::Args;
use serde_json::json;
use voiceflow_registry::{Channel, ModelName, Registry, VersionInfo};

use crate::exit::{Failure, Outcome, print, print_json};
use crate::settings::Settings;
use crate::table::{Align, Table};

/// Arguments of `list`.
#[derive(Args)]
pub struct ListArgs {
    /// Only this model
    #[arg(value_name = "MODEL")]
    name: Option<ModelName>,
}

/// A model with what its channels say.
struct Model {
    name: ModelName,
    versions: Vec<VersionInfo>,
    channels: Vec<Channel>,
}

/// Runs the command.
pub async fn run(args: &ListArgs, settings: &Settings) -> Outcome {
    let registry = settings.registry()?;
    let names = match &args.name {
        Some(name) => vec![name.clone()],
        None => registry.models().await?,
    };
    let mut models = Vec::new();
    for name in names {
        models.push(read(&registry, name).await?);
    }
    if let Some(name) = args.name.as_ref().filter(|_| models.iter().all(|model| model.versions.is_empty())) {
        return Err(Failure::Failed(format!("{}: {name}: not there; expected a model", registry.url())));
    }
    if settings.json {
        let models: Vec<_> = models
            .iter()
            .map(|model| json!({"name": model.name, "versions": model.versions, "channels": model.channels}))
            .collect();
        return print_json(&json!({"registry": registry.url(), "models": models}));
    }
    print(&table(&models).render())
}

async fn read(registry: &Registry, name: ModelName) -> Result<Model, Failure> {
    let (versions, names) = registry.versions(&name).await?;
    let mut channels = Vec::new();
    for channel in names {
        channels.push(registry.channel(&name, &channel).await?);
    }
    Ok(Model { name, versions, channels })
}

fn table(models: &[Model]) -> Table {
    let columns = [
        ("model", Align::Left),
        ("version", Align::Left),
        ("MB", Align::Right),
        ("written", Align::Left),
        ("channels", Align::Left),
    ];
    let mut table = Table::new(&columns);
    for Model { name, versions, channels } in models {
        for info in versions.iter().rev() {
            let named = channels.iter().filter(|channel| channel.version == info.version);
            let mut notes: Vec<&str> =
                named.filter_map(|channel| channel.channel.split('/').next_back()).collect();
            if !info.complete {
                notes.push("(half-written)");
            }
            table.row([
                name.to_string(),
                info.version.to_string(),
                format!("{:.1}", info.bytes as f64 / 1e6),
                info.written.format("%Y-%m-%d %H:%M").to_string(),
                notes.join(", "),
            ]);
        }
    }
    table
}
