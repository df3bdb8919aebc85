//! `voiceflow bench`: what inference and live streams cost on this machine. One file for each
//! measurement; this one chooses and holds times against their limit.

mod callers;
mod end_to_end;
mod growth;
mod inference;
mod load;
mod percentiles;
mod process;
mod push;
mod recording;
mod server;
mod streaming;
mod words;

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use voiceflow::model::ModelInfo;

use crate::exit::{Failure, Outcome};
use crate::model_args::ModelArgs;
use crate::runtime_args::RuntimeArgs;
use inference::InferenceArgs;
use server::ServerArgs;
use streaming::StreamingArgs;

/// Longest limit, in milliseconds.
const LONGEST_MS: f64 = 3.6e6;

const AFTER_HELP: &str = "\
Examples:
  voiceflow bench --model model.onnx --provider cpu --batch 1,8 --threads 1
  voiceflow bench --batch 1 --callers 1,2,4 --threads 1
  voiceflow bench --sla-p99 5 --json
  voiceflow bench --end-to-end --network-ms 10,40 --sla-p99 100
  voiceflow bench --streaming examples/data/conversation.flac
  voiceflow bench --streaming --measure load --streams 100,200 --seconds 60 --threads 2 call.wav
  voiceflow bench --streaming --measure push --history 0 --sla-p99 20 --json call.wav
  voiceflow bench --server wss://localhost:8443 --ca ca.pem --streams 100,200 --recordings 2 call.wav

Without --streaming: runs of the network, and how many windows a second come to be. In JSON, `results` has a row for \
each batch and number of callers: `provider`, `batch`, `callers`, `threads`, percentiles, `requests_per_s`.

With --end-to-end: what a client waits for who sends a window as 16-bit samples over a connection within this machine \
and gets who speaks when as JSON; the round trip of a network is slept. In JSON, a row for each `network_ms`.

With --streaming: what live streams cost. AUDIO is decoded into memory once and pushed over and over. In JSON, beside \
`model`, `provider`, `threads`, `chunk_ms`, `latency_s` and `history_s`, a key for each measurement:
  push    pushes of one stream on one thread, as fast as they go: `seconds`, `pushes`, percentiles
  load    for each number of `streams`, fed in real time by `threads` threads (by default one for each core): \
percentiles of the delay from when one of the `chunks` was due until its push returned, the share of `late` ones (over \
100 ms), processor seconds for each second, `cpu_s_per_s`, and whether P99 is under 100 ms, `sustained`
  growth  a stream of so many `minutes`: the mean time of a push in each minute or tenth, `push_ms`, and in the first \
and the last tenth `first_push_ms`, `last_push_ms`, their `ratio`, `first_resident_mb`, `last_resident_mb`
  words   AUDIO once: percentiles from the end of the first 0.2 s of a turn of the reference to its first label, \
`word`, with the `count` of turns that begin alone and of those `unreported`, and from the end and from each moment of a \
segment until it was final, `final_end`, `final_moment`; `declared_ms` is the longest time promised for the end

With --server: what clients of a running server see. Streams send AUDIO in real time, each chunk when it is due, \
however slowly answers come. In JSON, `load` has a row for each number of `streams`: how many were `served`, `refused` \
and `cut`, percentiles of the delay from when one of the `chunks` was due until it was processed, the share of `late` \
ones, percentiles of the delay until its `segments` came, until it was `sent` and until a stream was refused, \
`refusal`, and of the time of each of the `recordings`.

Percentiles are by nearest rank: `p50_ms`, `p95_ms`, `p99_ms`, `max_ms`. What the system does not report is null.
With --sla-p99 the exit code is 1 when the P99 of a batch, of a push or of the delay of a number of streams is longer.";

/// Arguments of `bench`.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub struct BenchArgs {
    /// Audio file for live streams; its reference is the .rttm file beside it, if there is one
    #[arg(value_name = "AUDIO", requires = "live")]
    audio: Option<PathBuf>,
    /// Measure live streams instead of single runs of the network
    #[arg(long, group = "live", requires = "audio")]
    streaming: bool,
    /// Fail where a P99 is longer than this
    #[arg(long, value_name = "MS")]
    sla_p99: Option<f64>,
    /// Tell the figures as one JSON object
    #[arg(long)]
    json: bool,
    // Last, as their headings hold for every argument behind them.
    #[command(flatten)]
    inference: InferenceArgs,
    #[command(flatten)]
    streams: StreamingArgs,
    #[command(flatten)]
    server: ServerArgs,
    #[command(flatten)]
    models: ModelArgs,
    #[command(flatten)]
    runtime: RuntimeArgs,
}

/// A time that a limit holds for.
struct Measured {
    /// What took so long.
    name: String,
    p99_ms: f64,
}

/// Runs the command.
pub fn run(args: &BenchArgs) -> Outcome {
    if let Some(limit_ms) = args.sla_p99 {
        positive("sla-p99", limit_ms, LONGEST_MS)?;
    }
    if let (Some(url), Some(audio)) = (&args.server.server, &args.audio) {
        let plan = args.streams.plan(audio, args.runtime.threads())?;
        let measured = args.server.run(url, &plan, args.json)?;
        return args.sla_p99.map_or(Ok(()), |limit_ms| kept(limit_ms, &measured));
    }
    if args.audio.is_some() && !args.streaming {
        return Err(Failure::Usage("AUDIO: expected --streaming or --server with it".to_owned()));
    }
    let mut config = args.runtime.config()?;
    args.models.apply_live(&mut config)?;
    let measured = match args.audio.as_ref().filter(|_| args.streaming) {
        Some(audio) => {
            args.streams.run(audio, config, args.runtime.threads(), args.json, args.sla_p99.is_some())?
        }
        None => args.inference.run(&config, args.json)?,
    };
    args.sla_p99.map_or(Ok(()), |limit_ms| kept(limit_ms, &measured))
}

/// Fails where a time is longer than the limit.
fn kept(limit_ms: f64, measured: &[Measured]) -> Outcome {
    let missed = measured.iter().filter(|measured| measured.p99_ms > limit_ms);
    let missed: Vec<String> = missed.map(|it| format!("{:.2} ms ({})", it.p99_ms, it.name)).collect();
    if missed.is_empty() {
        return Ok(());
    }
    Err(Failure::Failed(format!("--sla-p99: expected at most {limit_ms} ms, measured {}", missed.join(", "))))
}

/// Refuses a number that is not above zero and at most `most`.
fn positive(name: &str, number: f64, most: f64) -> Outcome {
    if number > 0.0 && number <= most {
        return Ok(());
    }
    Err(Failure::Usage(format!("--{name}: expected more than 0 and at most {most}, got {number}")))
}

/// The name and the version of a model.
fn named(model: &ModelInfo) -> String {
    format!("{} {}", model.name, model.version).trim_end().to_owned()
}

/// A report as JSON, on one line.
fn to_json(report: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string(report).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(text + "\n")
}
