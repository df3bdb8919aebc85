//! `voiceflow info`: what this installation consists of.

use clap::Args;
use voiceflow::model::{ModelInfo, runtime};
use voiceflow::{ABI_VERSION, Call, Config, Diarizer, Provider};

use crate::exit::{Outcome, print};
use crate::model_args::ModelArgs;
use crate::runtime_args::RuntimeArgs;

const AFTER_HELP: &str = "\
Examples:
  voiceflow info
  voiceflow info --models fast-cnn
  voiceflow info --runtime /opt/onnxruntime/lib/libonnxruntime.so

The defaults are the flags that a command works with where none is given; those of a model are what it was tuned to. \
The tuning is the object that a model file or the metadata.json of a bundle says it by. \
Ends with 1 when no ONNX Runtime is found or an embedded model cannot be used.";

/// Arguments of `info`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct InfoArgs {
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// Runs the command.
pub fn run(args: &InfoArgs) -> Outcome {
    let mut config = args.runtime.config()?;
    args.models.apply(&mut config)?;
    print(&format!("voiceflow     {}\nABI           {ABI_VERSION}\n", env!("CARGO_PKG_VERSION")))?;
    print(&runtime_lines(&config)?)?;
    print(&model_lines(&config, args.models.given())?)
}

fn runtime_lines(config: &Config) -> voiceflow::Result<String> {
    let found = runtime::load(config)?;
    let providers: Vec<&str> = runtime::available_providers().into_iter().map(Provider::name).collect();
    let version = found.version.as_deref().unwrap_or("of unknown version");
    let path = found.path.display();
    Ok(format!("ONNX Runtime  {version} ({path})\nproviders     {}\n", providers.join(", ")))
}

fn model_lines(config: &Config, chosen: bool) -> voiceflow::Result<String> {
    let recordings = Diarizer::new(config)?;
    let streams = recordings.for_streams(&Call::none())?;
    let latency = format!("--latency {}", config.latency_s());
    if recordings.model() == streams.model() {
        let all = lines("model", &recordings, &latency);
        let missing =
            "  accurate is not in this build (Cargo feature accurate-model), nor installed for it\n";
        return Ok(if chosen { all } else { all + missing });
    }
    Ok(lines("recordings", &recordings, "") + &lines("live audio", &streams, &latency))
}

/// A model, and the flags that stand for its defaults; `others` are those that no model brings.
fn lines(what: &str, diarizer: &Diarizer, others: &str) -> String {
    let ModelInfo { name, version, sha256, max_speakers, embedding_dim, provider, .. } = diarizer.model();
    let provider = provider.name();
    let settings = diarizer.settings();
    let title = format!("{what:<14}{name} {version}");
    let clustering = settings.clustering.name();
    let size = settings.min_cluster_size.map(|windows| format!(" --min-cluster-size {windows}"));
    format!(
        "{}\n  sha256      {sha256}\n  window      {} s, {max_speakers} local speakers, embeddings of \
         {embedding_dim} values\n  runs on     {provider}\n  tuning      {}\n  defaults    --clustering {clustering} \
         --clustering-threshold {}{}\n              --hop {} --min-speech {} --min-silence {} --threshold {}{}\n",
        title.trim_end(),
        settings.window_s,
        diarizer.tuning(),
        settings.clustering_threshold,
        size.unwrap_or_default(),
        settings.hop_s,
        settings.min_speech_s,
        settings.min_silence_s,
        settings.identity_threshold,
        if others.is_empty() { String::new() } else { format!(" {others}") },
    )
}
