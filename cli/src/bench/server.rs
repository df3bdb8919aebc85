//! What a server does for its clients: many live streams in real time, and recordings beside them.

mod connection;
mod recordings;
mod stream;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde::Serialize;
use tungstenite::Bytes;

use super::Measured;
use super::percentiles::Spread;
use super::recording::Recording;
use crate::exit::{Failure, print};
use crate::table::{Align, Table};
use connection::{Address, NotOpened};
use recordings::Answered;
use stream::{Seen, State, Stream};

/// A chunk is late when it is processed this long after it was due.
const LATE_MS: f64 = 100.0;
/// Time in seconds before anything is measured: a stream that is younger than a window costs less.
const WARM_UP_S: f64 = 4.0;
/// Time in seconds over which streams begin: the windows of all of them must not be due at once.
const PHASES_S: f64 = 0.4;
/// Time from when the last stream is open to the first chunk.
const SETTLE: Duration = Duration::from_millis(200);
/// Longest wait for the last answers.
const LAST_ANSWERS: Duration = Duration::from_secs(20);
/// Full scale of 16-bit samples.
const FULL_SCALE: f32 = 32_768.0;

/// Arguments of `bench --server`.
#[derive(Args)]
#[command(next_help_heading = "Server")]
pub struct ServerArgs {
    /// Measure a running voiceflow-server as its clients see it; the variable VOICEFLOW_TOKEN may
    /// hold a token
    #[arg(
        long,
        value_name = "URL",
        group = "live",
        requires = "audio",
        conflicts_with_all = ["model", "models", "segmentation_model", "embedding_model", "provider"]
    )]
    pub server: Option<String>,
    /// Certificates that the server's may be signed by, as PEM [default: the system's]
    #[arg(long, value_name = "FILE", requires = "server")]
    ca: Option<PathBuf>,
    /// Clients that post AUDIO over and over beside the streams
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(0..=1000),
        requires = "server"
    )]
    recordings: u32,
}

/// How the streams are fed.
pub struct Plan<'a> {
    pub counts: Vec<usize>,
    pub seconds: f64,
    pub chunk_ms: u32,
    pub latency: Option<f64>,
    pub threads: usize,
    pub audio: &'a Path,
}

/// The object in JSON.
#[derive(Serialize)]
struct Report<'a> {
    server: &'a str,
    chunk_ms: u32,
    seconds: f64,
    load: Vec<Load>,
}

/// A number of streams offered, and what became of them.
#[derive(Serialize)]
struct Load {
    streams: usize,
    served: usize,
    refused: usize,
    /// Streams that were let in and had no last answer.
    cut: usize,
    chunks: usize,
    /// From when a chunk was due until it was processed.
    #[serde(flatten)]
    spread: Spread,
    /// Share of the chunks that were late.
    late: f64,
    /// From when a chunk was due until the segments were there that it led to.
    segments: Option<Spread>,
    /// From when a chunk was due until it was sent: what this program was late itself.
    sent: Option<Spread>,
    /// Time until a stream was refused.
    refusal: Option<Spread>,
    #[serde(skip_serializing_if = "Option::is_none")]
    recordings: Option<Recordings>,
}

#[derive(Serialize)]
struct Recordings {
    answered: usize,
    failed: usize,
    #[serde(flatten)]
    spread: Option<Spread>,
}

/// What streams of one thread have seen.
#[derive(Default)]
struct Total {
    seen: Seen,
    served: usize,
    cut: usize,
    refused_ms: Vec<f64>,
}

impl ServerArgs {
    /// Measures each load, prints it, and gives the times that a limit holds for.
    pub fn run(&self, url: &str, plan: &Plan<'_>, json: bool) -> Result<Vec<Measured>, Failure> {
        let address = Address::new(url, self.ca.as_deref())?;
        let recording = Recording::read(plan.audio, plan.chunk_ms)?;
        let named = |error: std::io::Error| Failure::Failed(format!("{}: {error}", plan.audio.display()));
        let file = if self.recordings > 0 { std::fs::read(plan.audio).map_err(named)? } else { Vec::new() };
        let mut load = Vec::new();
        for &count in &plan.counts {
            log::info!("{count} streams: {} s", plan.seconds);
            let ended = AtomicBool::new(false);
            let (total, recordings) = thread::scope(|scope| {
                let post = || recordings::post(&address, &file, &ended);
                let posting: Vec<_> = (0..self.recordings).map(|_| scope.spawn(post)).collect();
                let total = streams(&address, &recording, plan, count);
                ended.store(true, Ordering::Relaxed);
                (total, joined(posting))
            });
            load.push(Load::of(count, total?, (self.recordings > 0).then_some(recordings))?);
        }
        let measured = load.iter().map(|load| Measured {
            name: format!("{} stream{}", load.streams, if load.streams == 1 { "" } else { "s" }),
            p99_ms: load.spread.p99_ms,
        });
        let measured = measured.collect();
        let report = Report { server: url, chunk_ms: plan.chunk_ms, seconds: plan.seconds, load };
        print(&if json { super::to_json(&report)? } else { report.text() })?;
        Ok(measured)
    }
}

fn joined(threads: Vec<thread::ScopedJoinHandle<'_, Answered>>) -> Answered {
    let mut all = Answered::default();
    for thread in threads {
        let answered = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        all.times_ms.extend(answered.times_ms);
        all.failed += answered.failed;
    }
    all
}

/// Feeds `count` streams in real time, on the threads of `plan`.
fn streams(
    address: &Address,
    recording: &Recording,
    plan: &Plan<'_>,
    count: usize,
) -> Result<Total, Failure> {
    let threads = plan.threads.clamp(1, count.max(1));
    let open = |index: usize| opened(address, plan, (index..count).step_by(threads).count());
    let opened: Vec<_> = on_each(0..threads, open).into_iter().collect::<Result<_, _>>()?;
    let begin = Instant::now() + SETTLE;
    // Where others are refused, those that are served have all phases too.
    let served: usize = opened.iter().map(|(_, sockets)| sockets.len()).sum();
    let mut shares = (0..served).map(|number| number as f64 / served as f64);
    let phased = opened
        .into_iter()
        .map(|(total, sockets)| (total, sockets.into_iter().zip(shares.by_ref()).collect()));
    let phased: Vec<(Total, Vec<_>)> = phased.collect();
    let feed = |(total, sockets)| fed(sockets, total, recording, plan, begin);
    let mut all = Total::default();
    for total in on_each(phased, feed) {
        let total = total?;
        all.seen.add(total.seen);
        all.refused_ms.extend(total.refused_ms);
        (all.served, all.cut) = (all.served + total.served, all.cut + total.cut);
    }
    Ok(all)
}

/// Does `work` on each of `items` on a thread of its own.
fn on_each<I: Send, T: Send>(items: impl IntoIterator<Item = I>, work: impl Fn(I) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let running: Vec<_> = items.into_iter().map(|item| scope.spawn(move || work(item))).collect();
        let join = |thread: thread::ScopedJoinHandle<'_, T>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        running.into_iter().map(join).collect()
    })
}

type Socket = tungstenite::WebSocket<connection::Socket>;

/// As many streams of one thread as are served, of `count`, and what was refused.
fn opened(address: &Address, plan: &Plan<'_>, count: usize) -> Result<(Total, Vec<Socket>), Failure> {
    let query = plan.latency.map_or(String::new(), |latency| format!("latency={latency}"));
    let (mut total, mut sockets) = (Total::default(), Vec::new());
    for _ in 0..count {
        let began = Instant::now();
        match address.open(&query) {
            Ok(socket) => {
                let unblocked = socket.get_ref().tcp().set_nonblocking(true);
                unblocked.map_err(|error| Failure::Failed(error.to_string()))?;
                sockets.push(socket);
            }
            // No room, or too many of one tenant.
            Err(NotOpened::Refused(429 | 503)) => total.refused_ms.push(began.elapsed().as_secs_f64() * 1e3),
            Err(NotOpened::Refused(status)) => {
                return Err(Failure::Failed(format!("--server: a stream was refused with status {status}")));
            }
            Err(NotOpened::Failed(error)) => return Err(Failure::Failed(format!("--server: {error}"))),
        }
    }
    total.served = sockets.len();
    Ok((total, sockets))
}

/// Feeds the streams of one thread. Each begins by its share of [`PHASES_S`] later, and so far into
/// the recording.
fn fed(
    sockets: Vec<(Socket, f64)>,
    mut total: Total,
    recording: &Recording,
    plan: &Plan<'_>,
    begin: Instant,
) -> Result<Total, Failure> {
    let warm_up = Duration::from_secs_f64(WARM_UP_S);
    let counted = begin + warm_up;
    let end = counted + Duration::from_secs_f64(plan.seconds);
    let new = |(socket, share)| {
        let next = (recording.chunk_count() as f64 * share) as usize;
        Stream::new(socket, next, begin + Duration::from_secs_f64(PHASES_S * share), recording.chunk_s())
    };
    let mut streams: Vec<Stream> = sockets.into_iter().map(new).collect();
    while let Some(due) = open(&streams).map(Stream::due).min().filter(|due| *due < end) {
        wait(&mut streams, due, counted)?;
        let now = Instant::now();
        for stream in streams.iter_mut().filter(|stream| stream.state == State::Open && stream.due() <= now) {
            stream.send(bytes_of(recording.chunk(stream.next())), counted);
        }
    }
    streams.iter_mut().for_each(Stream::end);
    let last = Instant::now() + LAST_ANSWERS;
    while open(&streams).next().is_some() && Instant::now() < last {
        wait(&mut streams, last, counted)?;
    }
    for stream in streams {
        let (seen, state) = stream.finished(counted);
        total.seen.add(seen);
        total.cut += usize::from(state == State::Cut);
    }
    Ok(total)
}

fn open(streams: &[Stream]) -> impl Iterator<Item = &Stream> {
    streams.iter().filter(|stream| stream.state == State::Open)
}

/// Reads what comes, until `due` at most.
fn wait(streams: &mut [Stream], due: Instant, counted: Instant) -> Result<(), Failure> {
    let left = due.saturating_duration_since(Instant::now());
    let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos() as _ };
    let ready: Vec<bool> = {
        let of = |stream: &Stream| stream.state == State::Open;
        let mut sockets: Vec<PollFd<'_>> = (streams.iter().filter(|stream| of(stream)))
            .map(|stream| PollFd::new(stream.socket.get_ref().tcp(), PollFlags::IN))
            .collect();
        match poll(&mut sockets, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Failure::Failed(format!("poll: {error}"))),
        }
        sockets.iter().map(|socket| !socket.revents().is_empty()).collect()
    };
    let open = streams.iter_mut().filter(|stream| stream.state == State::Open);
    for (stream, _) in open.zip(ready).filter(|(_, ready)| *ready) {
        stream.read(counted);
    }
    Ok(())
}

fn bytes_of(samples: &[f32]) -> Bytes {
    let at_16_bits = |sample: &f32| (sample * FULL_SCALE).clamp(-FULL_SCALE, FULL_SCALE - 1.0) as i16;
    samples.iter().flat_map(|sample| at_16_bits(sample).to_le_bytes()).collect::<Vec<u8>>().into()
}

impl Load {
    fn of(streams: usize, total: Total, recordings: Option<Answered>) -> Result<Self, Failure> {
        let Total { seen, served, cut, refused_ms } = total;
        let chunks = seen.processed_ms.len();
        let late = seen.processed_ms.iter().filter(|&&delay_ms| delay_ms > LATE_MS).count() as f64;
        let missing =
            || Failure::Failed(format!("--server: expected {streams} streams to be served, none was"));
        Ok(Self {
            streams,
            served,
            refused: refused_ms.len(),
            cut,
            chunks,
            spread: Spread::of(seen.processed_ms).ok_or_else(missing)?,
            late: late / chunks as f64,
            segments: Spread::of(seen.segments_ms),
            sent: Spread::of(seen.sent_ms),
            refusal: Spread::of(refused_ms),
            recordings: recordings.map(|answered| Recordings {
                answered: answered.times_ms.len(),
                failed: answered.failed,
                spread: Spread::of(answered.times_ms),
            }),
        })
    }
}

impl Report<'_> {
    fn text(&self) -> String {
        let titles =
            ["streams", "served", "refused", "cut", "chunks", "P50 ms", "P95 ms", "P99 ms", "max ms"];
        let more = ["late %", "segments P99 ms", "sent P99 ms", "refusal P99 ms", "recordings", "P50 s"];
        let columns: Vec<_> = titles.iter().chain(&more).map(|title| (*title, Align::Right)).collect();
        let mut table = Table::new(&columns);
        let p99 =
            |spread: &Option<Spread>| spread.map_or("-".to_owned(), |spread| format!("{:.2}", spread.p99_ms));
        for load in &self.load {
            let counts = [load.streams, load.served, load.refused, load.cut, load.chunks];
            let (answered, median) = match &load.recordings {
                Some(it) => {
                    let median = it.spread.map_or("-".to_owned(), |it| format!("{:.2}", it.p50_ms / 1e3));
                    (format!("{} of {}", it.answered, it.answered + it.failed), median)
                }
                None => ("-".to_owned(), "-".to_owned()),
            };
            let late = format!("{:.2}", load.late * 100.0);
            let rest = [late, p99(&load.segments), p99(&load.sent), p99(&load.refusal), answered, median];
            table.row(
                counts.map(|count| count.to_string()).into_iter().chain(load.spread.cells(2)).chain(rest),
            );
        }
        let title =
            format!("Server: delay of chunks of {} ms in real time, {} s", self.chunk_ms, self.seconds);
        format!("{title}\n\n{}", table.render())
    }
}
