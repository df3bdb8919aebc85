//! The pool on real threads. Schedules are chosen in `tests/schedules`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::call::{Call, Cancel};
use crate::error::{Error, Stage};
use crate::pool::Pool;
use crate::sync::Mutex;

#[test]
fn no_more_slots_than_the_limit_are_made_or_used_at_once() {
    let pool = Pool::new(0usize, 2);
    let (made, used, most) = (AtomicUsize::new(1), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let make = || Ok(made.fetch_add(1, Ordering::SeqCst));
                    let slot = pool.take(&Call::none(), make).unwrap();
                    most.fetch_max(used.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    std::thread::sleep(Duration::from_micros(200));
                    used.fetch_sub(1, Ordering::SeqCst);
                    drop(slot);
                }
            });
        }
    });
    assert_eq!((made.into_inner(), most.into_inner()), (2, 2));
}

#[test]
fn a_slot_comes_back_after_a_panic_and_a_place_after_a_failure() {
    let pool = Pool::new(0usize, 2);
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _slot = pool.take(&Call::none(), || Ok(1)).unwrap();
        panic!("in use");
    }));
    assert!(panicked.is_err());
    let first = pool.take(&Call::none(), || Ok(1)).unwrap();
    assert_eq!(*first, 0);
    let failed = pool.take(&Call::none(), || Err(Error::Runtime("no".to_owned())));
    assert!(failed.is_err());
    assert_eq!(*pool.take(&Call::none(), || Ok(7)).unwrap(), 7);
}

#[test]
fn waiting_ends_at_the_deadline_and_when_cancelled() {
    let pool = Pool::new((), 1);
    let _held = pool.take(&Call::none(), || Ok(())).unwrap();
    let call = Call::none().with_deadline(Some(Duration::from_millis(20)));
    let error = pool.take(&call, || Ok(())).err().unwrap();
    assert_eq!(error.to_string(), "deadline of 20 ms passed while waiting for other calls");
    let cancel = Cancel::new();
    let end = |_: Stage, _: f32| cancel.set();
    let call = Call::none().with_progress(&end).with_cancel(&cancel);
    let error = pool.take(&call, || Ok(())).err().unwrap();
    assert!(matches!(error, Error::Cancelled { stage: Stage::Waiting }));
    assert_eq!(pool.waiting(), 0);
}

#[test]
fn a_free_slot_is_taken_without_waiting_or_not_at_all() {
    let pool = Pool::new(7, 1);
    let held = pool.try_take().unwrap();
    assert!(*held == 7 && pool.try_take().is_none());
    drop(held);
    assert!(pool.try_take().is_some());
}

/// Waits until so many wait.
fn until_waiting<T>(pool: &Pool<T>, count: usize) {
    while pool.waiting() < count {
        std::thread::yield_now();
    }
}

#[test]
fn who_waits_is_served_in_order_and_not_overtaken() {
    let pool = Pool::new((), 1);
    let served = Mutex::new(Vec::new());
    let take = |name: usize| {
        let _slot = pool.take(&Call::none(), || Ok(())).unwrap();
        served.lock().push(name);
    };
    std::thread::scope(|scope| {
        let held = pool.take(&Call::none(), || Ok(())).unwrap();
        for name in 1..=4 {
            scope.spawn(move || take(name));
            until_waiting(&pool, name);
        }
        // Comes back as fast as it can, after four who wait.
        drop(held);
        take(5);
    });
    assert_eq!(served.into_inner(), [1, 2, 3, 4, 5]);
}

#[test]
fn a_slot_wakes_at_once_who_waits_for_it() {
    const TURNS: usize = 20;
    let median = || {
        let pool = Pool::new((), 1);
        let waits = Mutex::new(Vec::new());
        let hand_over = |turns: usize| {
            for _ in 0..turns {
                let start = Instant::now();
                let _slot = pool.take(&Call::none(), || Ok(())).unwrap();
                waits.lock().push(start.elapsed());
                until_waiting(&pool, 1);
            }
        };
        std::thread::scope(|scope| {
            let held = pool.take(&Call::none(), || Ok(())).unwrap();
            scope.spawn(|| {
                hand_over(TURNS);
                drop(pool.take(&Call::none(), || Ok(())).unwrap());
            });
            until_waiting(&pool, 1);
            drop(held);
            hand_over(TURNS);
        });
        let mut waits = waits.into_inner();
        waits.sort();
        waits[TURNS]
    };
    // Who waits looks again by itself every 50 ms, at the middle of which most waits would end if
    // they were slept through. The median, and of several, as a busy machine may hold anybody up.
    let medians: Vec<_> = std::iter::repeat_with(median).take(20).collect();
    assert!(medians.iter().any(|median| *median < Duration::from_millis(15)), "{medians:?}");
}

#[test]
fn who_stays_in_a_callback_holds_nobody_up() {
    let pool = Pool::new((), 1);
    let held = pool.take(&Call::none(), || Ok(())).unwrap();
    let (entered, leave) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let long = |_: Stage, _: f32| {
                entered.store(1, Ordering::SeqCst);
                while leave.load(Ordering::SeqCst) == 0 {
                    std::thread::yield_now();
                }
            };
            drop(pool.take(&Call::none().with_progress(&long), || Ok(())).unwrap());
        });
        while entered.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
        let behind = scope.spawn(|| drop(pool.take(&Call::none(), || Ok(())).unwrap()));
        until_waiting(&pool, 2);
        drop(held);
        behind.join().unwrap();
        leave.store(1, Ordering::SeqCst);
    });
}
