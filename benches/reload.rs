//! What a reload does to those who use the model meanwhile: `make bench-reload`. Threads diarize a
//! short recording over and over, streams are pushed as fast as they go, and the model is exchanged
//! again and again. A call that fails or a stream that ends before its time ends the program with a
//! failure.

#![allow(clippy::print_stdout, clippy::expect_used, reason = "a program of ours that prints")]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use voiceflow::audio::{AudioSource, BufferSource, FileSource, SAMPLE_RATE};
use voiceflow::{Call, Config, Diarizer, Reloadable, Stream};

/// Threads that diarize, and threads that stream.
const CALLERS: usize = 2;
const STREAMS: usize = 2;
/// Reloads, and the pause between two.
const RELOADS: usize = 20;
const PAUSE: Duration = Duration::from_millis(500);
/// How long calls are measured before the first reload.
const USUAL: Duration = Duration::from_secs(15);
/// Audio of one call.
const CALL_S: usize = 5;

/// When calls ended, in the order in which they did, and how long they took.
#[derive(Default)]
struct Calls(Mutex<Vec<(Instant, Duration)>>);

impl Calls {
    /// Percentile of the calls of which part lay between the two moments.
    fn percentile(&self, share: f64, spans: &[(Instant, Instant)]) -> (f64, usize) {
        let calls = self.0.lock().expect("no thread panics under the lock");
        let within = |&(end, took): &(Instant, Duration)| {
            spans
                .iter()
                .any(|&(from, to)| end >= from && end.checked_sub(took).is_some_and(|start| start <= to))
        };
        let mut times: Vec<Duration> = calls.iter().filter(|call| within(call)).map(|call| call.1).collect();
        times.sort();
        let at = ((times.len() as f64 * share).ceil() as usize).clamp(1, times.len().max(1)) - 1;
        (times.get(at).map_or(0.0, Duration::as_secs_f64) * 1000.0, times.len())
    }
}

/// Memory of the process in MB.
fn memory_mb() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    let kb: f64 = line.split_whitespace().nth(1).and_then(|kb| kb.parse().ok()).expect("a number");
    kb / 1024.0
}

fn recording() -> Vec<f32> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/conversation.flac");
    let (mut file, mut samples) = (FileSource::open(path).expect("the example"), Vec::new());
    while file.read(&mut samples).expect("audio") > 0 {}
    samples
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::default();
    if let Some(bundle) = std::env::args().nth(1).filter(|argument| !argument.starts_with('-')) {
        config.set_bundle(bundle);
    }
    let diarizer = Reloadable::new(Diarizer::new(&config)?);
    let samples = Arc::new(recording());
    let (calls, done, streams) = (Calls::default(), AtomicBool::new(false), AtomicUsize::new(0));
    let going = || !done.load(Ordering::Relaxed);
    let outcome: voiceflow::Result<()> = std::thread::scope(|scope| {
        let mut threads = Vec::new();
        for caller in 0..CALLERS {
            let (diarizer, calls, samples) = (&diarizer, &calls, &samples);
            threads.push(scope.spawn(move || -> voiceflow::Result<()> {
                let audio = &samples[caller * SAMPLE_RATE as usize..][..CALL_S * SAMPLE_RATE as usize];
                while going() {
                    let start = Instant::now();
                    let mut source = BufferSource::from_f32(audio, SAMPLE_RATE, 1)?;
                    diarizer.current().process(&mut source, &Call::none())?;
                    let mut calls = calls.0.lock().expect("no thread panics under the lock");
                    calls.push((Instant::now(), start.elapsed()));
                }
                Ok(())
            }));
        }
        for _ in 0..STREAMS {
            threads.push(scope.spawn(|| {
                while going() {
                    let stream = Stream::new(&diarizer.current(), &config, SAMPLE_RATE, 1)?;
                    for block in samples.chunks(SAMPLE_RATE as usize / 5) {
                        stream.push_f32(block, &Call::none())?;
                        stream.read(usize::MAX);
                    }
                    stream.finish(&Call::none())?;
                    streams.fetch_add(1, Ordering::Relaxed);
                }
                Ok(())
            }));
        }
        // What the first calls make, slots among it, is there before anything is measured.
        std::thread::sleep(USUAL / 3);
        let began = Instant::now();
        std::thread::sleep(USUAL);
        let usual = [(began, Instant::now())];
        let before_mb = memory_mb();
        let (mut spans, mut took, mut most_mb) = (Vec::new(), Vec::new(), before_mb);
        for _ in 0..RELOADS {
            let start = Instant::now();
            let reloaded = diarizer.reload(&config, &Call::none());
            took.push(start.elapsed());
            most_mb = f64::max(most_mb, memory_mb());
            if let Err(failed) = reloaded {
                println!("{failed}");
                break;
            }
            // The second of the reload: what comes just after it counts too.
            spans.push((start, Instant::now() + PAUSE));
            std::thread::sleep(PAUSE);
        }
        done.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().expect("no thread panics")?;
        }
        took.sort();
        println!("{CALLERS} callers with {CALL_S} s of audio, {STREAMS} streams, {} reloads", took.len());
        for share in [0.5, 0.99] {
            let ((usual_ms, count), (reload_ms, reload_count)) =
                (calls.percentile(share, &usual), calls.percentile(share, &spans));
            println!(
                "P{:.0} of a call: {usual_ms:.0} ms of {count} usual, {reload_ms:.0} ms of {reload_count} during \
                 reloads, {:.2} times",
                100.0 * share,
                reload_ms / usual_ms
            );
        }
        let seconds = |at: usize| took.get(at).map_or(0.0, Duration::as_secs_f64);
        println!(
            "a reload: median {:.2} s, longest {:.2} s",
            seconds(took.len() / 2),
            seconds(took.len() - 1)
        );
        println!("memory under load: {before_mb:.0} MB before, {most_mb:.0} MB at most after a swap");
        Ok(())
    });
    outcome?;
    let versions = diarizer.versions()?;
    let left = versions.iter().map(|version| version.calls + version.streams).sum::<usize>();
    println!("0 calls failed, 0 streams closed ({} finished)", streams.load(Ordering::Relaxed));
    println!("versions in use at the end: {}, calls and streams on them: {left}", versions.len());
    // The same at rest: nothing but the reloads.
    let mut resting = Vec::new();
    for _ in 0..RELOADS {
        diarizer.reload(&config, &Call::none())?;
        resting.push(memory_mb());
    }
    let (first, last) = (resting[0], resting[RELOADS - 1]);
    println!("memory at rest: {first:.0} MB after one reload, {last:.0} MB after {RELOADS}");
    Ok(())
}
