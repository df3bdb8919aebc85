//! How long a push takes: one stream, fed as fast as it goes.

use std::time::Instant;

use serde::Serialize;
use voiceflow::Call;

use super::percentiles::Spread;
use super::streaming::Bench;
use crate::exit::Failure;
use crate::table::{Align, Table};

/// The time of one push after the other.
#[derive(Serialize)]
pub struct Pushes {
    /// Audio pushed.
    pub seconds: f64,
    pub pushes: usize,
    #[serde(flatten)]
    pub spread: Spread,
}

/// Pushes `seconds` of audio.
pub fn measure(bench: &Bench<'_>, seconds: f64) -> Result<Pushes, Failure> {
    let (stream, pushes) = (bench.stream()?, bench.recording.chunks_in(seconds));
    let mut times_ms = Vec::with_capacity(pushes);
    for number in 0..pushes {
        let chunk = bench.recording.chunk(number);
        let start = Instant::now();
        stream.push_f32(chunk, &Call::none())?;
        times_ms.push(start.elapsed().as_secs_f64() * 1e3);
        stream.read(usize::MAX);
    }
    let missing = || Failure::Failed("push: expected a push, got none".to_owned());
    let spread = Spread::of(times_ms).ok_or_else(missing)?;
    Ok(Pushes { seconds: pushes as f64 * bench.recording.chunk_s(), pushes, spread })
}

impl Pushes {
    /// As a table.
    pub fn table(&self) -> String {
        let right = ["audio s", "pushes", "P50 ms", "P95 ms", "P99 ms", "max ms"];
        let mut table = Table::new(&right.map(|title| (title, Align::Right)));
        let cells = [format!("{:.1}", self.seconds), self.pushes.to_string()];
        table.row(cells.into_iter().chain(self.spread.cells(3)));
        table.render()
    }
}
