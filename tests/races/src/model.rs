//! The pool, the process, and what stops a run.

#[path = "../../../src/pool.rs"]
mod pool;
#[path = "../../../src/onnx/watchdog.rs"]
mod watchdog;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::session::RunOptions;
use watchdog::Watchdog;

#[test]
fn runs_on_many_threads_are_stopped_and_let_go() {
    const THREADS: usize = 4;
    const RUNS: u64 = 10;
    let run = |watchdog: &Watchdog, by_flag: bool, number: u64| {
        let (options, flag) = (Arc::new(RunOptions::default()), Arc::new(AtomicBool::new(false)));
        let at = Instant::now() + Duration::from_millis(number % 3);
        let watch = watchdog.watch((!by_flag).then_some(at), by_flag.then_some(&flag), &options).unwrap();
        // Every other run ends by itself.
        if number.is_multiple_of(2) {
            flag.store(true, Ordering::Relaxed);
            while !watch.stopped() {
                std::thread::yield_now();
            }
            assert!(options.terminated());
        }
    };
    for _ in 0..20 {
        let watchdog = Watchdog::new(THREADS);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (watchdog, run) = (&watchdog, &run);
                scope.spawn(move || (0..RUNS).for_each(|number| run(watchdog, thread % 2 == 0, number)));
            }
        });
    }
}
