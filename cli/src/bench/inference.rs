//! What single runs of the network cost, by the windows in each, or by the network between client
//! and server.

use std::time::Duration;

use clap::Args;
use ndarray::Array2;
use serde::Serialize;
use voiceflow::Config;
use voiceflow::audio::SAMPLE_RATE;
use voiceflow::model::{MAX_SAMPLES, Session, golden_input};

use super::percentiles::Spread;
use super::{Measured, callers, end_to_end, named, to_json};
use crate::exit::{Failure, print};
use crate::table::{Align, Table};

/// Shortest window, in seconds.
const LEAST_S: f64 = 0.1;

/// Arguments of `bench` without `--streaming`.
#[derive(Args)]
#[command(next_help_heading = "Single runs")]
pub struct InferenceArgs {
    /// Windows in a run, 1 to 1024 each, separated by commas
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "1,4,8,16",
        value_parser = clap::value_parser!(u32).range(1..=1024),
        conflicts_with = "live"
    )]
    batch: Vec<u32>,
    /// Callers that run the network at once, 1 to 64 each, separated by commas
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "1",
        value_parser = clap::value_parser!(u32).range(1..=64),
        conflicts_with_all = ["live", "end_to_end"]
    )]
    callers: Vec<u32>,
    /// Runs that are timed, by all callers together, of each batch
    #[arg(
        long,
        value_name = "N",
        default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000),
        conflicts_with = "live"
    )]
    iterations: u32,
    /// Runs before them
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(..=1_000_000),
        conflicts_with = "live"
    )]
    warmup: u32,
    /// Length of a window, 0.1 to 60
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, conflicts_with = "live")]
    window_s: f64,
    /// Time what a client waits for instead: a window sent to a server within this machine, and the
    /// answer
    #[arg(long, conflicts_with_all = ["live", "batch"])]
    end_to_end: bool,
    /// Round trips of the network between the two, 0 to 10000 each, separated by commas
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        default_value = "10,40",
        value_parser = clap::value_parser!(u32).range(..=10_000),
        requires = "end_to_end"
    )]
    network_ms: Vec<u32>,
}

/// The object in JSON.
#[derive(Serialize)]
struct Report {
    model: String,
    window_s: f64,
    iterations: u32,
    warmup: u32,
    results: Vec<Row>,
}

/// What is timed.
#[derive(Clone, Copy, Serialize)]
struct Runs {
    /// Windows in a run.
    batch: u32,
    /// Threads that run the network at once.
    callers: u32,
    /// Round trip of the network, where a client is timed.
    #[serde(skip_serializing_if = "Option::is_none")]
    network_ms: Option<u32>,
}

/// What it came to.
#[derive(Serialize)]
struct Row {
    provider: &'static str,
    #[serde(flatten)]
    runs: Runs,
    /// Threads asked for; 0 is one for each physical core.
    threads: usize,
    #[serde(flatten)]
    spread: Spread,
    /// Windows in a second.
    requests_per_s: f64,
}

impl InferenceArgs {
    /// Measures, prints it, and gives the times that a limit holds for.
    pub fn run(&self, config: &Config, json: bool) -> Result<Vec<Measured>, Failure> {
        let longest_s = (MAX_SAMPLES as f64) / f64::from(SAMPLE_RATE);
        if !(LEAST_S..=longest_s).contains(&self.window_s) {
            let found = self.window_s;
            return Err(Failure::Usage(format!(
                "--window-s: expected {LEAST_S} to {longest_s}, got {found}"
            )));
        }
        if config.segmentation_model().is_some() {
            return Err(Failure::Usage(
                "--models, --segmentation-model: expected --streaming with them, or a joint model by --model"
                    .to_owned(),
            ));
        }
        let mut config = config.clone();
        config.set_slots(self.callers.iter().max().map_or(1, |&most| most as usize))?;
        let session = Session::new(&config)?;
        let runs: Vec<Runs> = if self.end_to_end {
            let client = |&network_ms| Runs { batch: 1, callers: 1, network_ms: Some(network_ms) };
            self.network_ms.iter().map(client).collect()
        } else {
            let callers =
                |&batch| self.callers.iter().map(move |&callers| Runs { batch, callers, network_ms: None });
            self.batch.iter().flat_map(callers).collect()
        };
        let rows: Result<Vec<Row>, Failure> =
            runs.into_iter().map(|runs| self.time(&session, runs, config.threads())).collect();
        let report = Report {
            model: named(session.info()),
            window_s: self.window_s,
            iterations: self.iterations,
            warmup: self.warmup,
            results: rows?,
        };
        print(&if json { to_json(&report)? } else { report.table() })?;
        let measured = |row: &Row| {
            let name = match row.runs {
                Runs { network_ms: Some(network_ms), .. } => format!("network of {network_ms} ms"),
                Runs { batch, callers: 1, .. } => format!("batch {batch}"),
                Runs { batch, callers, .. } => format!("batch {batch}, {callers} callers"),
            };
            Measured { name, p99_ms: row.spread.p99_ms }
        };
        Ok(report.results.iter().map(measured).collect())
    }

    /// Windows of sound.
    fn audio(&self, batch: u32) -> Result<Array2<f32>, Failure> {
        let (syllables, samples) = (golden_input()?, (self.window_s * f64::from(SAMPLE_RATE)) as usize);
        Ok(Array2::from_shape_fn((batch as usize, samples), |(_, sample)| {
            syllables[(0, sample % syllables.ncols())]
        }))
    }

    /// Times runs of the network, or of a client.
    fn time(&self, session: &Session, runs: Runs, threads: usize) -> Result<Row, Failure> {
        let audio = self.audio(runs.batch)?;
        let timed = match runs.network_ms {
            Some(network_ms) => {
                let network = Duration::from_millis(network_ms.into());
                end_to_end::time(session, audio.view(), network, self.warmup, self.iterations)?
            }
            None => callers::time(session, audio.view(), runs.callers, self.warmup, self.iterations)?,
        };
        let requests_per_s = f64::from(runs.batch) * timed.times_ms.len() as f64 / timed.wall_s;
        let missing = || Failure::Failed("bench: expected a run, got none".to_owned());
        let spread = Spread::of(timed.times_ms).ok_or_else(missing)?;
        Ok(Row { provider: session.info().provider.name(), runs, threads, spread, requests_per_s })
    }
}

impl Report {
    fn table(&self) -> String {
        let callers = self.results.iter().any(|row| row.runs.callers > 1);
        let network = self.results.iter().any(|row| row.runs.network_ms.is_some());
        let mut columns = vec![("provider", Align::Left)];
        let titles = [("network ms", network), ("batch", true), ("callers", callers), ("threads", true)];
        let last = ["P50 ms", "P95 ms", "P99 ms", "max ms", "requests/s"];
        let titles = titles.into_iter().filter_map(|(title, shown)| shown.then_some(title)).chain(last);
        columns.extend(titles.map(|title| (title, Align::Right)));
        let mut table = Table::new(&columns);
        for row in &self.results {
            let mut cells = vec![row.provider.to_owned()];
            cells.extend(row.runs.network_ms.map(|network_ms| network_ms.to_string()));
            cells.push(row.runs.batch.to_string());
            cells.extend(callers.then(|| row.runs.callers.to_string()));
            cells.push(row.threads.to_string());
            table.row(
                cells.into_iter().chain(row.spread.cells(3)).chain([format!("{:.1}", row.requests_per_s)]),
            );
        }
        format!("{}, windows of {} s\n\n{}", self.model, self.window_s, table.render())
    }
}
