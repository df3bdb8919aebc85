//! `voiceflow validate`: can a model be used, and what is it?

use std::path::PathBuf;

use clap::Args;
use voiceflow::ModelSource;
use voiceflow::model::{self, ModelKind};

use crate::exit::{Failure, Outcome, print};
use crate::model_args::PublicModelArgs;
use crate::runtime_args::RuntimeArgs;

const AFTER_HELP: &str = "\
Examples:
  voiceflow validate model.onnx
  voiceflow validate segmentation-3.0.onnx
  voiceflow validate --embedding-family wespeaker embedding.onnx
  voiceflow validate --provider cuda --require-provider model.onnx

Tells by its tensors whether the file is a joint model, a segmentation or a speaker embedding model, loads it as \
`diarize` would and says what it found. Prints each breach on a line of its own and ends with 1 when there is one.";

/// Arguments of `validate`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct ValidateArgs {
    /// The ONNX file
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    #[command(flatten)]
    public: PublicModelArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// Runs the command.
pub fn run(args: &ValidateArgs) -> Outcome {
    let mut config = args.runtime.config()?;
    args.public.apply(&mut config)?;
    let report = model::validate(&ModelSource::File(args.model.clone()), &config)?;
    let file = args.model.display();
    let good = match report.kind {
        ModelKind::Joint => "keeps the model contract",
        ModelKind::Segmentation => "a segmentation model",
        ModelKind::Embedding => "a speaker embedding model",
    };
    if report.breaches.is_empty() {
        let facts = report.facts.iter().map(|(name, value)| format!("  {name:<10}{value}\n"));
        return print(&format!("{file}: {good}\n{}", facts.collect::<String>()));
    }
    let lines = report.breaches.iter().map(|breach| format!("{}\n", breach.replace('\n', " ")));
    print(&lines.collect::<String>())?;
    let count = report.breaches.len();
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
    Err(Failure::Failed(match report.kind {
        ModelKind::Joint => format!("{file}: breaks the model contract {times}"),
        ModelKind::Segmentation | ModelKind::Embedding => format!("{file}: cannot be used as {good}"),
    }))
}
