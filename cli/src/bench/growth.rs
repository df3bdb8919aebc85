//! Whether a stream that goes on for long gets slower or larger.

use std::time::Instant;

use serde::Serialize;
use voiceflow::Call;

use super::percentiles::Spread;
use super::process::resident_mb;
use super::streaming::Bench;
use crate::exit::Failure;
use crate::table::{Align, Table};

/// Audio in seconds that is timed as one, where there are ten such stretches.
const STRETCH_S: f64 = 60.0;

/// The stretches are compared by tenths of the stream.
const PARTS: usize = 10;

/// The first and the last tenth of a long stream. Most pushes complete no window, so the time of a
/// push is the mean of a stretch: a minute, or a tenth of a stream shorter than ten. That of a
/// tenth is the median of its stretches.
#[derive(Serialize)]
pub struct Growth {
    pub minutes: f64,
    pub first_push_ms: f64,
    pub last_push_ms: f64,
    /// Time of the last over that of the first.
    pub ratio: f64,
    /// Memory in use at the end of each; `None` where the system does not report it.
    pub first_resident_mb: Option<f64>,
    pub last_resident_mb: Option<f64>,
    /// The time of a push in each stretch.
    pub push_ms: Vec<f64>,
}

/// Pushes `minutes` of audio to one stream.
pub fn measure(bench: &Bench<'_>, minutes: f64) -> Result<Growth, Failure> {
    let stream = bench.stream()?;
    let chunks = bench.recording.chunks_in(minutes * 60.0);
    let stretch = bench.recording.chunks_in(STRETCH_S).min(chunks / PARTS).max(1);
    let (mut push_ms, mut resident) = (Vec::new(), Vec::new());
    let mut number = 0;
    while number + stretch <= chunks {
        let mut sum_ms = 0.0;
        for _ in 0..stretch {
            let chunk = bench.recording.chunk(number);
            let start = Instant::now();
            stream.push_f32(chunk, &Call::none())?;
            sum_ms += start.elapsed().as_secs_f64() * 1e3;
            stream.read(usize::MAX);
            number += 1;
        }
        push_ms.push(sum_ms / stretch as f64);
        resident.push(resident_mb());
    }
    let tenth = (push_ms.len() / PARTS).max(1);
    let median = |times_ms: &[f64]| Spread::of(times_ms.to_vec()).map_or(0.0, |spread| spread.p50_ms);
    let (first_push_ms, last_push_ms) =
        (median(&push_ms[..tenth]), median(&push_ms[push_ms.len() - tenth..]));
    Ok(Growth {
        minutes: number as f64 * bench.recording.chunk_s() / 60.0,
        first_push_ms,
        last_push_ms,
        ratio: last_push_ms / first_push_ms,
        first_resident_mb: resident[tenth - 1],
        last_resident_mb: resident[resident.len() - 1],
        push_ms,
    })
}

impl Growth {
    /// As a table.
    pub fn table(&self) -> String {
        let mut table = Table::new(&[
            ("", Align::Left),
            ("ms for a push", Align::Right),
            ("ratio", Align::Right),
            ("memory MB", Align::Right),
        ]);
        let memory = |mb: Option<f64>| mb.map_or_else(|| "-".to_owned(), |mb| format!("{mb:.0}"));
        let row = |name: &str, push_ms: f64, ratio: f64, mb: Option<f64>| {
            [name.to_owned(), format!("{push_ms:.3}"), format!("{ratio:.2}"), memory(mb)]
        };
        table.row(row("first tenth", self.first_push_ms, 1.0, self.first_resident_mb));
        table.row(row("last tenth", self.last_push_ms, self.ratio, self.last_resident_mb));
        table.render()
    }
}
