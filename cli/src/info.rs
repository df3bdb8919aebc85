//! `voiceflow info`: what this installation consists of.

use clap::Args;
use voiceflow::model::{ModelInfo, runtime};
use voiceflow::{ABI_VERSION, Config, Diarizer, Provider};

use crate::exit::{Outcome, print};
use crate::runtime_args::RuntimeArgs;

const AFTER_HELP: &str = "\
Examples:
  voiceflow info
  voiceflow info --runtime /opt/onnxruntime/lib/libonnxruntime.so

Ends with 1 when no ONNX Runtime is found or an embedded model cannot be used.";

/// Arguments of `info`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct InfoArgs {
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// Runs the command.
pub fn run(args: &InfoArgs) -> Outcome {
    let config = args.runtime.config()?;
    print(&format!("voiceflow     {}\nABI           {ABI_VERSION}\n", env!("CARGO_PKG_VERSION")))?;
    print(&runtime_lines(&config)?)?;
    print(&model_lines(&config)?)
}

fn runtime_lines(config: &Config) -> voiceflow::Result<String> {
    let found = runtime::load(config)?;
    let providers: Vec<&str> = runtime::available_providers().into_iter().map(Provider::name).collect();
    let version = found.version.as_deref().unwrap_or("of unknown version");
    let path = found.path.display();
    Ok(format!("ONNX Runtime  {version} ({path})\nproviders     {}\n", providers.join(", ")))
}

fn model_lines(config: &Config) -> voiceflow::Result<String> {
    let recordings = Diarizer::new(config)?;
    let streams = recordings.for_streams()?;
    if recordings.model() == streams.model() {
        let missing = "accurate is not in this build (Cargo feature accurate-model)";
        return Ok(format!("{}  {missing}\n", lines("model", recordings.model())));
    }
    Ok(lines("recordings", recordings.model()) + &lines("live audio", streams.model()))
}

fn lines(what: &str, model: &ModelInfo) -> String {
    let ModelInfo { name, version, sha256, window_samples, hop_samples, sample_rate, provider, .. } = model;
    let seconds = |samples: usize| samples as f64 / *sample_rate as f64;
    format!(
        "{what:<14}{name} {version}\n  sha256      {sha256}\n  window      {} s, hop {} s\n  runs on     {}\n",
        seconds(*window_samples),
        seconds(*hop_samples),
        provider.name()
    )
}
