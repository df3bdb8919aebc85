//! A stream takes no more memory and no more time the longer it lives, and leaves nothing behind.
//! The conversation goes round and round.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

mod support;

use std::time::Duration;

use support::looks::worked;
use voiceflow::audio::SAMPLE_RATE;
use voiceflow::{Call, Config, Diarizer, Stream};

/// Most that the resident memory may grow by. Twenty minutes of samples alone would be 77 MB.
const MOST_KIB: u64 = 16 * 1024;
/// Most that a second of audio may take longer than before, while what is remembered grows to ten
/// minutes.
const MOST_SLOWER: f64 = 3.0;

fn config() -> Config {
    let mut config = Config::default();
    config.set_runtime_library(support::runtime_library());
    config.set_threads(1).unwrap();
    config.set_history(60.0).unwrap();
    config
}

/// Resident memory of this process in KiB.
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Pushes a second at a time, `from` a second `to` another; returns the processor time that it took
/// this thread, which does all the work.
fn push(stream: &Stream, samples: &[f32], from: usize, to: usize) -> Duration {
    let begun = worked();
    let rate = SAMPLE_RATE as usize;
    let seconds = samples.len() / rate;
    for second in from..to {
        let start = second % seconds * rate;
        stream.push_f32(&samples[start..start + rate], &Call::none()).unwrap();
        assert!(stream.read(usize::MAX).len() < 100);
    }
    worked() - begun
}

/// Makes, uses and destroys many streams.
fn lives(diarizer: &Diarizer, samples: &[f32], count: usize) {
    for _ in 0..count {
        let stream = Stream::new(diarizer, &config(), SAMPLE_RATE, 1).unwrap();
        stream.push_f32(&samples[..6_400], &Call::none()).unwrap();
    }
}

/// Checks a stream of so many minutes against its first third, and so many short ones.
fn check(minutes: usize, streams: usize) {
    let diarizer = Diarizer::new(&config()).unwrap();
    let samples = support::conversation();
    let stream = Stream::new(&diarizer, &config(), SAMPLE_RATE, 1).unwrap();
    let (third, end) = (minutes * 20, minutes * 60);
    push(&stream, &samples, 0, third / 2);
    let early = push(&stream, &samples, third / 2, third);
    let before = resident_kib();
    push(&stream, &samples, third, end - third / 2);
    let late = push(&stream, &samples, end - third / 2, end);
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < MOST_KIB, "{minutes} minutes: {grown} KiB more than {before} KiB");
    let slower = late.as_secs_f64() / early.as_secs_f64();
    assert!(slower < MOST_SLOWER, "{minutes} minutes: {slower} times as slow");
    assert_eq!(stream.received_s(), end as f64);
    let finished = stream.finish(&Call::none()).unwrap();
    assert!(finished.diarization.segments.iter().all(|segment| segment.start_s > end as f64 - 90.0));

    lives(&diarizer, &samples, streams / 10);
    let before = resident_kib();
    lives(&diarizer, &samples, streams);
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < MOST_KIB, "{streams} streams: {grown} KiB more than {before} KiB");
}

// The memory is the whole process's: where both tests run, they run in two calls of this program.
#[test]
fn minutes() {
    check(20, 1_000);
}

#[test]
#[ignore = "takes many minutes; run it with --release"]
fn a_day() {
    check(24 * 60, 10_000);
}
