//! `voiceflow import-model`: prepares a speaker embedding model for fast loading.

use std::path::PathBuf;

use clap::Args;
use voiceflow::model;

use crate::exit::{Outcome, print};
use crate::model_args::EmbeddingArgs;
use crate::runtime_args::RuntimeArgs;

const AFTER_HELP: &str = "\
Examples:
  voiceflow import-model wespeaker_resnet34.onnx

Splits the network where its frames are pooled, so that the work on the audio is done once for all windows and \
speakers, and writes what it found beside the file: <stem>.import.json, and where the network could be split \
<stem>.frames.onnx and <stem>.pooling.onnx. Without these files each load looks for the place anew.";

/// Arguments of `import-model`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct ImportModelArgs {
    /// Speaker embedding model, an ONNX file of WeSpeaker, 3D-Speaker or NeMo
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    #[command(flatten)]
    embedding: EmbeddingArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// Runs the command.
pub fn run(args: &ImportModelArgs) -> Outcome {
    let mut config = args.runtime.config()?;
    args.embedding.apply(&mut config);
    let imported = model::import_model(&args.model, &config)?;
    let file = args.model.display();
    let mut lines = match &imported.split {
        Ok(tensor) => format!("{file}: split at `{tensor}`\n"),
        Err(reason) => format!("{file}: runs as a whole: {reason}\n"),
    };
    for written in &imported.files {
        lines.push_str(&format!("wrote {}\n", written.display()));
    }
    print(&lines)
}
