//! What single runs of the network cost, by the windows in each, or by the network between client and server.

use std::time::{Duration, Instant};

use clap::Args;
use ndarray::Array2;
use serde::Serialize;
use voiceflow::audio::SAMPLE_RATE;
use voiceflow::model::{Inference, MAX_SAMPLES, Session, golden_input};
use voiceflow::{Config, Control};

use super::percentiles::Spread;
use super::{Measured, end_to_end, named, to_json};
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
        conflicts_with = "streaming"
    )]
    batch: Vec<u32>,
    /// Runs that are timed, of each batch
    #[arg(
        long,
        value_name = "N",
        default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000),
        conflicts_with = "streaming"
    )]
    iterations: u32,
    /// Runs before them
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(..=1_000_000),
        conflicts_with = "streaming"
    )]
    warmup: u32,
    /// Length of a window, 0.1 to 60
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0, conflicts_with = "streaming")]
    window_s: f64,
    /// Time what a client waits for instead: a window sent to a server within this machine, and the answer
    #[arg(long, conflicts_with_all = ["streaming", "batch"])]
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

/// Runs with one number of windows.
#[derive(Serialize)]
struct Row {
    provider: &'static str,
    batch: u32,
    /// Round trip of the network, where a client is timed.
    #[serde(skip_serializing_if = "Option::is_none")]
    network_ms: Option<u32>,
    /// Threads asked for; 0 is one for each physical core.
    threads: usize,
    #[serde(flatten)]
    spread: Spread,
    /// Windows in a second.
    requests_per_s: f64,
}

impl InferenceArgs {
    /// Measures, tells it, and gives the times that a limit holds for.
    pub fn run(&self, config: &Config, json: bool) -> Result<Vec<Measured>, Failure> {
        let longest_s = (MAX_SAMPLES as f64) / f64::from(SAMPLE_RATE);
        if !(LEAST_S..=longest_s).contains(&self.window_s) {
            let found = self.window_s;
            return Err(Failure::Usage(format!("window_s: expected {LEAST_S} to {longest_s}, got {found}")));
        }
        if config.segmentation_model().is_some() {
            return Err(Failure::Usage(
                "--models, --segmentation-model: expected --streaming with them, or a joint model by --model"
                    .to_owned(),
            ));
        }
        let session = Session::new(config)?;
        let threads = config.threads();
        let rows: Result<Vec<Row>, Failure> = if self.end_to_end {
            self.network_ms
                .iter()
                .map(|&network_ms| self.time_client(&session, network_ms, threads))
                .collect()
        } else {
            self.batch.iter().map(|&batch| self.time(&session, batch, threads)).collect()
        };
        let report = Report {
            model: named(session.info()),
            window_s: self.window_s,
            iterations: self.iterations,
            warmup: self.warmup,
            results: rows?,
        };
        print(&if json { to_json(&report)? } else { report.table() })?;
        let measured = |row: &Row| {
            let name = match row.network_ms {
                Some(network_ms) => format!("network of {network_ms} ms"),
                None => format!("batch {}", row.batch),
            };
            Measured { name, p99_ms: row.spread.p99_ms }
        };
        Ok(report.results.iter().map(measured).collect())
    }

    /// Windows of sound.
    fn audio(&self, batch: u32) -> Array2<f32> {
        let (syllables, samples) = (golden_input(), (self.window_s * f64::from(SAMPLE_RATE)) as usize);
        Array2::from_shape_fn((batch as usize, samples), |(_, sample)| {
            syllables[(0, sample % syllables.ncols())]
        })
    }

    /// Times runs of `batch` windows, one after the other.
    fn time(&self, session: &Session, batch: u32, threads: usize) -> Result<Row, Failure> {
        let audio = self.audio(batch);
        let (mut found, mut times_ms) = (Inference::default(), Vec::new());
        for _ in 0..self.warmup {
            session.infer(audio.view(), &mut found, &Control::none())?;
        }
        for _ in 0..self.iterations {
            let start = Instant::now();
            session.infer(audio.view(), &mut found, &Control::none())?;
            times_ms.push(start.elapsed().as_secs_f64() * 1e3);
        }
        row(session, batch, None, threads, times_ms)
    }

    /// Times a client that sends one window after the other.
    fn time_client(&self, session: &Session, network_ms: u32, threads: usize) -> Result<Row, Failure> {
        let (audio, network) = (self.audio(1), Duration::from_millis(network_ms.into()));
        let times_ms = end_to_end::time(session, audio.view(), network, self.warmup, self.iterations)?;
        row(session, 1, Some(network_ms), threads, times_ms)
    }
}

/// The row of times in milliseconds, each of `batch` windows.
fn row(
    session: &Session,
    batch: u32,
    network_ms: Option<u32>,
    threads: usize,
    times_ms: Vec<f64>,
) -> Result<Row, Failure> {
    let requests_per_s = f64::from(batch) * times_ms.len() as f64 / (times_ms.iter().sum::<f64>() / 1e3);
    let missing = || Failure::Failed("bench: expected a run, got none".to_owned());
    let spread = Spread::of(times_ms).ok_or_else(missing)?;
    Ok(Row { provider: session.info().provider.name(), batch, network_ms, threads, spread, requests_per_s })
}

impl Report {
    fn table(&self) -> String {
        let right = ["batch", "threads", "P50 ms", "P95 ms", "P99 ms", "max ms", "requests/s"];
        let mut columns = vec![("provider", Align::Left)];
        let network = self.results.iter().any(|row| row.network_ms.is_some());
        columns.extend(network.then_some(("network ms", Align::Right)));
        columns.extend(right.map(|title| (title, Align::Right)));
        let mut table = Table::new(&columns);
        for row in &self.results {
            let network = row.network_ms.map(|network_ms| network_ms.to_string());
            let first = [row.batch.to_string(), row.threads.to_string()];
            let last = format!("{:.1}", row.requests_per_s);
            let cells = [row.provider.to_owned()].into_iter().chain(network).chain(first);
            table.row(cells.chain(row.spread.cells(3)).chain([last]));
        }
        format!("{}, windows of {} s\n\n{}", self.model, self.window_s, table.render())
    }
}
