//! `voiceflow validate`: does a model keep the model contract?

use std::path::PathBuf;

use clap::Args;
use voiceflow::{ModelSource, model};

use crate::exit::{Failure, Outcome, print};
use crate::runtime_args::RuntimeArgs;

const AFTER_HELP: &str = "\
Examples:
  voiceflow validate model.onnx
  voiceflow validate --provider cuda --require-provider model.onnx

Prints each breach on a line of its own and ends with 1 when there is one.";

/// Arguments of `validate`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct ValidateArgs {
    /// The ONNX file
    #[arg(value_name = "MODEL")]
    model: PathBuf,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// Runs the command.
pub fn run(args: &ValidateArgs) -> Outcome {
    let config = args.runtime.config()?;
    let breaches = model::validate(&ModelSource::File(args.model.clone()), &config)?;
    let file = args.model.display();
    if breaches.is_empty() {
        return print(&format!("{file}: keeps the model contract\n"));
    }
    let lines = breaches.iter().map(|breach| format!("{}\n", breach.replace('\n', " ")));
    print(&lines.collect::<String>())?;
    let count = breaches.len();
    let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
    Err(Failure::Failed(format!("{file}: breaks the model contract {times}")))
}
