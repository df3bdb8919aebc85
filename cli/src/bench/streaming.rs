//! What live streams cost: which of the measurements run, and how they are reported.

use std::path::Path;
use std::thread::available_parallelism;

use clap::{Args, ValueEnum};
use serde::Serialize;
use voiceflow::audio::SAMPLE_RATE;
use voiceflow::config::MAX_SLOTS;
use voiceflow::output::rttm;
use voiceflow::{Config, Diarizer, Stream, Turn};

use super::growth::{self, Growth};
use super::load::{self, Load};
use super::push::{self, Pushes};
use super::recording::Recording;
use super::server::Plan;
use super::words::{self, Words};
use super::{Measured, named, positive, to_json};
use crate::annotations::stem;
use crate::exit::{Failure, print, warn};
use crate::runtime_args::usage;

/// Audio in seconds whose pushes are timed, and time in seconds of each load.
const PUSH_S: f64 = 60.0;
const LOAD_S: f64 = 20.0;

/// Longest time of a measurement, in seconds.
const LONGEST_S: f64 = 86_400.0;

/// Arguments of `bench --streaming`.
#[derive(Args)]
#[command(next_help_heading = "Live streams")]
pub struct StreamingArgs {
    /// What to measure, separated by commas
    #[arg(
        long,
        value_enum,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "push,load,growth,words",
        requires = "streaming"
    )]
    measure: Vec<Measure>,
    /// Length of what is pushed at once, 10 to 1000
    #[arg(
        long,
        value_name = "MS",
        default_value_t = 100,
        value_parser = clap::value_parser!(u32).range(10..=1000),
        requires = "live"
    )]
    chunk_ms: u32,
    /// Audio whose pushes are timed, and time of each load [default: 60 and 20]
    #[arg(long, value_name = "SECONDS", requires = "live")]
    seconds: Option<f64>,
    /// Numbers of streams of the loads, 1 to 10000 each
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "50,100,200,400",
        value_parser = clap::value_parser!(u32).range(1..=10_000),
        requires = "live"
    )]
    streams: Vec<u32>,
    /// Length of the long stream
    #[arg(long, value_name = "MINUTES", default_value_t = 30.0, requires = "streaming")]
    minutes: f64,
    /// Longest time until the segments of a moment are final, 0.5 to 5 [default: 1]
    #[arg(long, value_name = "SECONDS", requires = "live")]
    latency: Option<f64>,
    /// What a stream remembers for the answer at its end, 0 to 86400; 0 for no such answer
    /// [default: 7200]
    #[arg(long, value_name = "SECONDS", requires = "streaming")]
    history: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Measure {
    /// The time of a push, one stream
    Push,
    /// The delay of many streams in real time
    Load,
    /// Time and memory of a long stream
    Growth,
    /// The time from a word to its label
    Words,
}

/// What the measurements are made with.
pub struct Bench<'a> {
    pub diarizer: &'a Diarizer,
    pub recording: &'a Recording,
    /// Threads that push.
    pub threads: usize,
    config: &'a Config,
}

impl Bench<'_> {
    /// A new stream.
    pub fn stream(&self) -> voiceflow::Result<Stream> {
        Stream::new(self.diarizer, self.config, SAMPLE_RATE, 1)
    }
}

/// The object in JSON; what was not measured is absent.
#[derive(Serialize)]
struct Report {
    model: String,
    provider: &'static str,
    threads: usize,
    chunk_ms: u32,
    /// The longest time from the end of a segment until it is final.
    latency_s: f64,
    history_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    push: Option<Pushes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    load: Option<Vec<Load>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    growth: Option<Growth>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<Words>,
}

impl StreamingArgs {
    /// Sets the options of streams.
    fn apply(&self, config: &mut Config) -> Result<(), Failure> {
        if let Some(latency_s) = self.latency {
            config.set_latency(latency_s).map_err(usage)?;
        }
        if let Some(history_s) = self.history {
            config.set_history(history_s).map_err(usage)?;
        }
        Ok(())
    }

    fn measures(&self, what: Measure) -> bool {
        self.measure.contains(&what)
    }

    /// How the streams of a server are fed.
    pub fn plan<'a>(&self, audio: &'a Path, threads: usize) -> Result<Plan<'a>, Failure> {
        let seconds = self.seconds.unwrap_or(LOAD_S);
        positive("seconds", seconds, LONGEST_S)?;
        let counts = self.streams.iter().map(|&count| count as usize).collect();
        let (chunk_ms, latency) = (self.chunk_ms, self.latency);
        Ok(Plan { counts, seconds, chunk_ms, latency, threads: threads_or_cores(threads), audio })
    }

    /// Refuses what only shows when the arguments are seen together, and numbers out of range.
    fn check(&self, has_limit: bool) -> Result<(), Failure> {
        positive("seconds", self.seconds.unwrap_or(LOAD_S), LONGEST_S)?;
        positive("minutes", self.minutes, LONGEST_S / 60.0)?;
        if has_limit && !self.measures(Measure::Push) && !self.measures(Measure::Load) {
            return Err(Failure::Usage("--sla-p99: expected --measure push or load with it".to_owned()));
        }
        Ok(())
    }

    /// Measures what was asked for, prints it, and gives the times that a limit holds for.
    pub fn run(
        &self,
        audio: &Path,
        mut config: Config,
        threads: usize,
        json: bool,
        has_limit: bool,
    ) -> Result<Vec<Measured>, Failure> {
        self.check(has_limit)?;
        self.apply(&mut config)?;
        let threads = threads_or_cores(threads);
        config.set_threads(threads).map_err(usage)?;
        let recording = Recording::read(audio, self.chunk_ms)?;
        let reference = reference(audio)?;
        let diarizer = Diarizer::new(&config)?;
        let bench = Bench { diarizer: &diarizer, recording: &recording, threads, config: &config };
        let show = |title: &str, table: &str| {
            if json { Ok(()) } else { print(&format!("{title}\n\n{table}\n")) }
        };
        let mut report = Report {
            model: named(diarizer.model()),
            provider: diarizer.model().provider.name(),
            threads,
            chunk_ms: self.chunk_ms,
            latency_s: bench.stream()?.latency_s(),
            history_s: config.history_s(),
            push: None,
            load: None,
            growth: None,
            words: None,
        };
        let chunks = format!("chunks of {} ms", self.chunk_ms);
        if self.measures(Measure::Push) {
            let pushes = push::measure(&bench, self.seconds.unwrap_or(PUSH_S))?;
            show(&format!("Push: one stream, {chunks}"), &pushes.table())?;
            report.push = Some(pushes);
        }
        if self.measures(Measure::Load) {
            let counts: Vec<usize> = self.streams.iter().map(|&count| count as usize).collect();
            let loads = load::measure(&bench, &counts, self.seconds.unwrap_or(LOAD_S))?;
            show(&format!("Load: delay of {chunks} in real time, {threads} threads"), &load::table(&loads))?;
            report.load = Some(loads);
        }
        if self.measures(Measure::Growth) {
            let growth = growth::measure(&bench, self.minutes)?;
            show(&format!("Growth: one stream of {:.1} minutes", growth.minutes), &growth.table())?;
            report.growth = Some(growth);
        }
        if self.measures(Measure::Words) {
            let words = words::measure(&bench, reference.as_deref())?;
            show("Words: delay until speech is reported", &words.table())?;
            report.words = Some(words);
        }
        if json {
            print(&to_json(&report)?)?;
        }
        Ok(report.measured())
    }
}

impl Report {
    fn measured(&self) -> Vec<Measured> {
        let push =
            self.push.iter().map(|push| Measured { name: "push".to_owned(), p99_ms: push.spread.p99_ms });
        let load = self.load.iter().flatten().map(|load| {
            let plural = if load.streams == 1 { "" } else { "s" };
            Measured { name: format!("{} stream{plural}", load.streams), p99_ms: load.spread.p99_ms }
        });
        push.chain(load).collect()
    }
}

/// As many threads as were asked for, or one for each core.
fn threads_or_cores(threads: usize) -> usize {
    let cores = || available_parallelism().map_or(1, usize::from).min(MAX_SLOTS);
    if threads == 0 { cores() } else { threads }
}

/// The turns of the RTTM file beside `audio`, if there is one: those of the recording called so, or
/// of the only one.
fn reference(audio: &Path) -> Result<Option<Vec<Turn>>, Failure> {
    let path = audio.with_extension("rttm");
    if !path.is_file() {
        return Ok(None);
    }
    let mut recordings = rttm::read(&path)?;
    if let Some(turns) = recordings.remove(&stem(audio)) {
        return Ok(Some(turns));
    }
    match recordings.pop_first() {
        Some((_, turns)) if recordings.is_empty() => Ok(Some(turns)),
        _ => {
            warn(&format!("{}: not used: it lacks {}", path.display(), stem(audio)));
            Ok(None)
        }
    }
}
