//! Runs of the network by threads that share one session, each thread's one after the other.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::Instant;

use ndarray::ArrayView2;
use voiceflow::Call;
use voiceflow::model::{Inference, Session};

use super::percentiles::Timed;
use crate::exit::Failure;

/// Times `iterations` runs on `audio`, shared out among `callers` threads, each of which warms up
/// before.
///
/// # Errors
/// Those of the network, and a thread that could not be started.
pub fn time(
    session: &Session,
    audio: ArrayView2<f32>,
    callers: u32,
    warmup: u32,
    iterations: u32,
) -> Result<Timed, Failure> {
    let (done, ready) = (AtomicU32::new(0), Barrier::new(callers as usize + 1));
    let run = |found: &mut Inference| session.infer(audio, found, &Call::none());
    let call = || -> Result<Vec<f64>, Failure> {
        let mut found = Inference::default();
        let warmed = (0..warmup).try_for_each(|_| run(&mut found));
        // Before a failure is returned: the others wait at the barrier.
        ready.wait();
        warmed?;
        let mut times_ms = Vec::with_capacity(iterations as usize);
        while done.fetch_add(1, Ordering::Relaxed) < iterations {
            let start = Instant::now();
            run(&mut found)?;
            times_ms.push(start.elapsed().as_secs_f64() * 1e3);
        }
        Ok(times_ms)
    };
    thread::scope(|scope| {
        let threads: Vec<ScopedJoinHandle<_>> = (0..callers).map(|_| scope.spawn(call)).collect();
        ready.wait();
        let start = Instant::now();
        let mut times_ms = Vec::new();
        for thread in threads {
            times_ms
                .extend(thread.join().map_err(|_| Failure::Failed("bench: a caller failed".to_owned()))??);
        }
        Ok(Timed { times_ms, wall_s: start.elapsed().as_secs_f64() })
    })
}
