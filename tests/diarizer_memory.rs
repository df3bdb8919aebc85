//! Memory of a diarization hardly grows with the length of the recording. The conversation goes
//! round and round, so that there is speech to cluster.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]
#![cfg(target_os = "linux")]

mod support;

use voiceflow::audio::{AudioSource, SAMPLE_RATE};
use voiceflow::{Call, Config, Diarizer};

/// Most that the resident memory may grow by. Three hours of samples alone would be 690 MB.
const MOST_KIB: u64 = 300 * 1024;

/// Samples over and over, up to a length.
struct Loop {
    samples: Vec<f32>,
    position: usize,
    left: usize,
}

impl AudioSource for Loop {
    fn read(&mut self, out: &mut Vec<f32>) -> voiceflow::Result<usize> {
        let rest = &self.samples[self.position..];
        let count = rest.len().min(self.left).min(SAMPLE_RATE as usize);
        out.extend_from_slice(&rest[..count]);
        self.position = (self.position + count) % self.samples.len();
        self.left -= count;
        Ok(count)
    }

    fn len_hint(&self) -> Option<u64> {
        None
    }
}

/// Peak resident memory of this process in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Checks how much more memory `minutes` take than five.
fn check(minutes: usize) {
    let mut config = Config::default();
    config.set_runtime_library(support::runtime_library());
    config.set_threads(2).unwrap();
    let diarizer = Diarizer::new(&config).unwrap();
    let samples = support::conversation();
    let run = |minutes: usize| {
        let left = minutes * 60 * SAMPLE_RATE as usize;
        let mut source = Loop { samples: samples.clone(), position: 0, left };
        let result = diarizer.process(&mut source, &Call::none()).unwrap();
        assert_eq!(result.duration_s, minutes as f64 * 60.0);
        assert!(result.segments.last().unwrap().end_s > (minutes as f64 - 1.0) * 60.0);
    };
    // Both threads have then run full batches.
    run(5);
    let before = peak_kib();
    run(minutes);
    let grown = peak_kib() - before;
    assert!(grown < MOST_KIB, "{minutes} minutes: {grown} KiB more than {before} KiB");
}

// The peak is the whole process's: where both tests run, they run in two calls of this program.
#[test]
fn twenty_minutes() {
    check(20);
}

#[test]
#[ignore = "takes minutes; run it with --release"]
fn three_hours() {
    check(180);
}
