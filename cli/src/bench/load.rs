//! How many live streams this machine sustains: many streams, each fed in real time.

use std::panic::resume_unwind;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;
use voiceflow::audio::SAMPLE_RATE;
use voiceflow::{Call, Stream};

use super::percentiles::Spread;
use super::process::cpu_s;
use super::recording::Recording;
use super::streaming::Bench;
use crate::exit::Failure;
use crate::table::{Align, Table};

/// A chunk is late when its push returns this long after it was due. Streams are sustained when no
/// more than one chunk in a hundred is.
const LATE_MS: f64 = 100.0;

/// Where the machine is too slow, feeding ends after this many times the time that it should take;
/// the chunks left count with the delay that they have by then.
const PATIENCE: u32 = 2;

/// A number of streams, and the delay from when a chunk was due until its push returned.
#[derive(Serialize)]
pub struct Load {
    pub streams: usize,
    /// Threads that push.
    pub threads: usize,
    pub chunks: usize,
    #[serde(flatten)]
    pub spread: Spread,
    /// Share of the chunks that were late.
    pub late: f64,
    /// CPU seconds for each second of the clock; `None` where the system does not report it.
    pub cpu_s_per_s: Option<f64>,
    pub sustained: bool,
}

/// One stream and where it is.
struct Feed<'a> {
    stream: Stream,
    recording: &'a Recording,
    /// The chunk that is next.
    next: usize,
    /// Chunks pushed before the clock starts.
    ahead: usize,
    /// When the first chunk is due, on the clock.
    phase: Duration,
}

impl Feed<'_> {
    fn push(&mut self) -> voiceflow::Result<()> {
        self.stream.push_f32(self.recording.chunk(self.next), &Call::none())?;
        self.next += 1;
        Ok(())
    }
}

/// Feeds each of these numbers of streams for `seconds`.
pub fn measure(bench: &Bench<'_>, counts: &[usize], seconds: f64) -> Result<Vec<Load>, Failure> {
    counts.iter().map(|&count| sustain(bench, count, seconds)).collect()
}

/// Feeds `count` streams for `seconds`.
fn sustain(bench: &Bench<'_>, count: usize, seconds: f64) -> Result<Load, Failure> {
    let threads = bench.threads.min(count);
    let mut workers: Vec<Vec<Feed<'_>>> = (0..threads).map(|_| Vec::new()).collect();
    for index in 0..count {
        workers[index % threads].push(feed(bench, index as f64 / count as f64)?);
    }
    for feeds in &mut workers {
        feeds.sort_by_key(|feed| feed.phase);
    }
    log::info!("{count} streams: up to their first whole window");
    on_each(&mut workers, warm_up)?;

    log::info!("{count} streams: {seconds} s");
    let rounds = bench.recording.chunks_in(seconds);
    let (start, cpu_before) = (Instant::now(), cpu_s());
    let delays_ms = on_each(&mut workers, |feeds| in_real_time(feeds, start, rounds))?.concat();
    let took_s = start.elapsed().as_secs_f64();
    let cpu_s_per_s = cpu_s().zip(cpu_before).map(|(after, before)| (after - before) / took_s);

    let chunks = delays_ms.len();
    let late = delays_ms.iter().filter(|&&delay_ms| delay_ms > LATE_MS).count() as f64 / chunks as f64;
    let missing = || Failure::Failed("load: expected a push, got none".to_owned());
    let spread = Spread::of(delays_ms).ok_or_else(missing)?;
    let sustained = spread.p99_ms < LATE_MS;
    Ok(Load { streams: count, threads, chunks, spread, late, cpu_s_per_s, sustained })
}

/// A stream that is `share` of the time between two windows of the diarizer behind the first one:
/// the streams are not all busy at once. It begins at a place of its own in the recording.
fn feed<'a>(bench: &Bench<'a>, share: f64) -> Result<Feed<'a>, Failure> {
    let (recording, model) = (bench.recording, bench.diarizer.model());
    let seconds = |samples: usize| samples as f64 / f64::from(SAMPLE_RATE);
    let behind_s = seconds(model.hop_samples) * share;
    let behind = (behind_s / recording.chunk_s()) as usize;
    Ok(Feed {
        stream: bench.stream()?,
        recording,
        next: (recording.chunk_count() as f64 * share) as usize,
        ahead: recording.chunks_in(seconds(model.window_samples)) + behind,
        phase: Duration::from_secs_f64(behind_s % recording.chunk_s()),
    })
}

/// Brings streams to where every kind of window is analysed, as fast as it goes: younger streams
/// have less work.
fn warm_up(feeds: &mut [Feed<'_>]) -> voiceflow::Result<()> {
    for feed in feeds {
        for _ in 0..feed.ahead {
            feed.push()?;
        }
        feed.stream.read(usize::MAX);
    }
    Ok(())
}

/// Pushes `rounds` chunks to each stream when they are due, by a clock that started at `start`, and
/// gives the delays in milliseconds. The streams are in the order in which their chunks are due.
fn in_real_time(feeds: &mut [Feed<'_>], start: Instant, rounds: usize) -> voiceflow::Result<Vec<f64>> {
    let mut delays_ms = Vec::with_capacity(feeds.len() * rounds);
    for round in 0..rounds {
        for feed in feeds.iter_mut() {
            let chunk_s = feed.recording.chunk_s();
            let due = feed.phase + Duration::from_secs_f64(round as f64 * chunk_s);
            let now = start.elapsed();
            thread::sleep(due.saturating_sub(now));
            if now < Duration::from_secs_f64(rounds as f64 * chunk_s) * PATIENCE {
                feed.push()?;
            }
            delays_ms.push(start.elapsed().saturating_sub(due).as_secs_f64() * 1e3);
            feed.stream.read(usize::MAX);
        }
    }
    Ok(delays_ms)
}

/// Does `work` on the streams of each worker, on a thread for each.
fn on_each<'a, T: Send>(
    workers: &mut [Vec<Feed<'a>>],
    work: impl Fn(&mut [Feed<'a>]) -> voiceflow::Result<T> + Sync,
) -> voiceflow::Result<Vec<T>> {
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> =
            workers.iter_mut().map(|feeds| scope.spawn(move || work(feeds.as_mut_slice()))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, voiceflow::Result<T>>| {
            thread.join().unwrap_or_else(|panic| resume_unwind(panic))
        };
        running.into_iter().map(join).collect()
    })
}

/// As a table.
pub fn table(loads: &[Load]) -> String {
    let right = ["streams", "chunks", "P50 ms", "P95 ms", "P99 ms", "max ms", "late %", "CPU s for 1 s"];
    let mut columns = right.map(|title| (title, Align::Right)).to_vec();
    columns.push(("sustained", Align::Left));
    let mut table = Table::new(&columns);
    for load in loads {
        let cpu = load.cpu_s_per_s.map_or_else(|| "-".to_owned(), |cpu| format!("{cpu:.2}"));
        let sustained = if load.sustained { "yes" } else { "no" };
        let rest = [format!("{:.2}", load.late * 100.0), cpu, sustained.to_owned()];
        let first = [load.streams.to_string(), load.chunks.to_string()];
        table.row(first.into_iter().chain(load.spread.cells(2)).chain(rest));
    }
    table.render()
}
