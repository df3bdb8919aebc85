//! The slot pool of the library (src/pool.rs) under schedules that shuttle chooses, many thousands
//! at random. A schedule that fails is printed, and `shuttle::replay` runs it again.
//!
//! Shuttle knows no time: a wait with a limit never ends by itself. A wake-up that is lost is a
//! deadlock here, where the library would look again after 50 ms.

#![cfg(test)]
#![allow(unfulfilled_lint_expectations, reason = "the pool may not `expect` in the library; tests may")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says why")]

#[allow(dead_code, reason = "the pool needs a part of it")]
#[path = "../../../src/call.rs"]
mod call;
#[allow(dead_code, reason = "the pool needs a part of it")]
#[path = "../../../src/error.rs"]
mod error;
#[allow(dead_code, reason = "what fork(2) needs is not tested here")]
#[path = "../../../src/pool.rs"]
mod pool;
mod sync;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use shuttle::sync::Arc;
use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::thread;

use call::{Call, Cancel};
use error::{Error, Result, Stage};
use pool::Pool;
use sync::Mutex;

/// Random schedules of each property, half of them with few changes between threads.
const SCHEDULES: usize = 4_000;
/// Changes between threads in those that have few: most faults need no more.
const CHANGES: usize = 3;

fn random(property: impl Fn() + Send + Sync + Copy + 'static) {
    shuttle::check_random(property, SCHEDULES / 2);
    shuttle::check_pct(property, SCHEDULES / 2, CHANGES);
}

/// A pool whose slots count how many use them.
struct Rig {
    pool: Pool<Arc<AtomicUsize>>,
    made: AtomicUsize,
    limit: usize,
}

impl Rig {
    fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { pool: Pool::new(Arc::default(), limit), made: AtomicUsize::new(1), limit })
    }

    fn make(&self) -> Result<Arc<AtomicUsize>> {
        assert!(self.made.fetch_add(1, Ordering::SeqCst) < self.limit, "more slots than the limit");
        Ok(Arc::default())
    }

    /// Uses a slot alone.
    fn run(&self, call: &Call<'_>) -> Result<()> {
        let slot = self.pool.take(call, || self.make())?;
        assert_eq!(slot.fetch_add(1, Ordering::SeqCst), 0, "a slot is used by two threads");
        thread::yield_now();
        slot.fetch_sub(1, Ordering::SeqCst);
        Ok(())
    }

    /// What a slot's life leaves behind: all can be taken again, and nobody waits.
    fn check_end(&self) {
        assert_eq!(self.pool.waiting(), 0);
        let all: Vec<_> =
            (0..self.limit).map(|_| self.pool.take(&Call::none(), || self.make()).unwrap()).collect();
        assert_eq!(all.len(), self.limit);
    }
}

/// `threads` threads use a pool of `limit` slots `rounds` times each.
fn share(threads: usize, limit: usize, rounds: usize) {
    let rig = Rig::new(limit);
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let rig = Arc::clone(&rig);
            thread::spawn(move || (0..rounds).for_each(|_| rig.run(&Call::none()).unwrap()))
        })
        .collect();
    workers.into_iter().for_each(|worker| worker.join().unwrap());
    rig.check_end();
}

#[test]
fn slots_are_few_used_alone_and_reach_everyone() {
    random(|| share(4, 2, 3));
    random(|| share(5, 1, 2));
    random(|| share(3, 3, 2));
}

#[test]
fn making_that_fails_or_panics_gives_its_place_to_who_waits() {
    fn property() {
        let rig = Rig::new(2);
        let fails = {
            let rig = Arc::clone(&rig);
            thread::spawn(move || {
                let failed = rig.pool.take(&Call::none(), || Err(Error::Runtime("no".to_owned())));
                // The first slot may have been free: then there was nothing to make.
                assert!(failed.is_ok() || matches!(failed, Err(Error::Runtime(_))));
            })
        };
        let panics = {
            let rig = Arc::clone(&rig);
            thread::spawn(move || {
                // Not by `panic!`: shuttle takes that for a failed property.
                let make = || std::panic::resume_unwind(Box::new("broken"));
                _ = catch_unwind(AssertUnwindSafe(|| drop(rig.pool.take(&Call::none(), make))));
            })
        };
        for _ in 0..2 {
            rig.run(&Call::none()).unwrap();
        }
        fails.join().unwrap();
        panics.join().unwrap();
        rig.check_end();
    }
    random(property);
}

#[test]
fn a_deadline_or_a_callback_ends_the_wait_and_nobody_else_s() {
    fn property() {
        let rig = Rig::new(1);
        let ends = |cancels: bool| {
            let rig = Arc::clone(&rig);
            thread::spawn(move || {
                let cancel = Cancel::new();
                let stop = |stage: Stage, _: f32| {
                    assert_eq!(stage, Stage::Waiting);
                    thread::yield_now();
                    cancel.set();
                };
                let call = Call::none();
                let result = if cancels {
                    rig.run(&call.with_progress(&stop).with_cancel(&cancel))
                } else {
                    rig.run(&call.with_deadline(Some(Duration::ZERO)))
                };
                assert!(matches!(
                    result,
                    Ok(())
                        | Err(Error::Cancelled { stage: Stage::Waiting })
                        | Err(Error::Deadline { stage: Stage::Waiting, .. })
                ));
            })
        };
        let threads = [ends(true), ends(false)];
        let waits = {
            let rig = Arc::clone(&rig);
            thread::spawn(move || rig.run(&Call::none()).unwrap())
        };
        rig.run(&Call::none()).unwrap();
        threads.into_iter().chain([waits]).for_each(|thread| thread.join().unwrap());
        rig.check_end();
    }
    random(property);
}

#[test]
fn who_waits_is_served_in_order_and_not_overtaken() {
    fn property() {
        let rig = Rig::new(1);
        let served = Arc::new(Mutex::new(Vec::new()));
        let held = rig.pool.take(&Call::none(), || rig.make()).unwrap();
        let waiters = [1, 2].map(|name| {
            let (rig, served) = (Arc::clone(&rig), Arc::clone(&served));
            let waiting = Arc::clone(&rig);
            let waiter = thread::spawn(move || {
                let _slot = rig.pool.take(&Call::none(), || rig.make()).unwrap();
                served.lock().push(name);
            });
            while waiting.pool.waiting() < name {
                thread::yield_now();
            }
            waiter
        });
        drop(held);
        // Comes back at once, in whatever state the others are.
        let slot = rig.pool.take(&Call::none(), || rig.make()).unwrap();
        assert_eq!(*served.lock(), [1, 2]);
        drop(slot);
        waiters.into_iter().for_each(|waiter| waiter.join().unwrap());
        rig.check_end();
    }
    random(property);
}

#[test]
fn who_is_in_a_callback_holds_nobody_up() {
    fn property() {
        let rig = Rig::new(1);
        let held = rig.pool.take(&Call::none(), || rig.make()).unwrap();
        let (entered, leave) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let away = {
            let (rig, entered, leave) = (Arc::clone(&rig), Arc::clone(&entered), Arc::clone(&leave));
            thread::spawn(move || {
                let long = |_: Stage, _: f32| {
                    entered.store(1, Ordering::SeqCst);
                    while leave.load(Ordering::SeqCst) == 0 {
                        thread::yield_now();
                    }
                };
                rig.run(&Call::none().with_progress(&long)).unwrap();
            })
        };
        while entered.load(Ordering::SeqCst) == 0 {
            thread::yield_now();
        }
        let behind = {
            let rig = Arc::clone(&rig);
            thread::spawn(move || rig.run(&Call::none()).unwrap())
        };
        thread::yield_now();
        drop(held);
        behind.join().unwrap();
        leave.store(1, Ordering::SeqCst);
        away.join().unwrap();
        rig.check_end();
    }
    random(property);
}
