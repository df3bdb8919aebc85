//! A pool of things that one caller at a time may use: made on demand up to a limit, waited for beyond it. Knows
//! nothing of networks.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::control::Control;
use crate::error::{Result, Stage};

/// Longest wait between two looks at the caller's wish to cancel.
const CANCEL_POLL: Duration = Duration::from_millis(50);

/// At most `limit` slots, of which `idle` are free.
pub(super) struct Pool<T> {
    state: Mutex<State<T>>,
    freed: Condvar,
    limit: usize,
}

struct State<T> {
    idle: Vec<T>,
    /// Slots that exist or are being made.
    made: usize,
}

impl<T> Pool<T> {
    /// A pool of at most `limit` slots that starts with `first`.
    pub(super) fn new(first: T, limit: usize) -> Self {
        // Room for all, so that giving a slot back never allocates.
        let mut idle = Vec::with_capacity(limit);
        idle.push(first);
        Self { state: Mutex::new(State { idle, made: 1 }), freed: Condvar::new(), limit }
    }

    /// Takes a free slot, makes one while there are fewer than the limit, or waits. The progress callback is
    /// called only while waiting. No lock is held while `make` runs.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] or [`crate::Error::Deadline`] of [`Stage::Waiting`]; those of `make`.
    pub(super) fn take(&self, control: &Control, make: impl Fn() -> Result<T>) -> Result<Lease<'_, T>> {
        loop {
            let mut state = self.state.lock();
            if let Some(slot) = state.idle.pop() {
                return Ok(Lease { pool: self, slot: Some(slot) });
            }
            if state.made < self.limit {
                state.made += 1;
                drop(state);
                // Fills the place, or gives it up again should `make` fail or panic.
                let mut lease = Lease { pool: self, slot: None };
                lease.slot = Some(make()?);
                return Ok(lease);
            }
            let wait = control.remaining().unwrap_or(CANCEL_POLL).min(CANCEL_POLL);
            self.freed.wait_for(&mut state, wait);
            drop(state);
            control.check(Stage::Waiting, 0.0)?;
        }
    }
}

/// A slot in use, given back when dropped, on every way out.
pub(super) struct Lease<'a, T> {
    pool: &'a Pool<T>,
    slot: Option<T>,
}

impl<T> Deref for Lease<'_, T> {
    type Target = T;
    #[expect(
        clippy::expect_used,
        reason = "only `take` holds a lease without a slot, and fills it before it returns"
    )]
    fn deref(&self) -> &T {
        self.slot.as_ref().expect("a lease that left `take` holds its slot")
    }
}

impl<T> DerefMut for Lease<'_, T> {
    #[expect(
        clippy::expect_used,
        reason = "only `take` holds a lease without a slot, and fills it before it returns"
    )]
    fn deref_mut(&mut self) -> &mut T {
        self.slot.as_mut().expect("a lease that left `take` holds its slot")
    }
}

impl<T> Drop for Lease<'_, T> {
    fn drop(&mut self) {
        let mut state = self.pool.state.lock();
        match self.slot.take() {
            Some(slot) => state.idle.push(slot),
            None => state.made -= 1,
        }
        drop(state);
        self.pool.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::Error;

    #[test]
    fn no_more_slots_than_the_limit_are_made_or_used_at_once() {
        let pool = Pool::new(0usize, 2);
        let (made, used, most) = (AtomicUsize::new(1), AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let make = || Ok(made.fetch_add(1, Ordering::SeqCst));
                        let slot = pool.take(&Control::none(), make).unwrap();
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
            let _slot = pool.take(&Control::none(), || Ok(1)).unwrap();
            panic!("in use");
        }));
        assert!(panicked.is_err());
        let first = pool.take(&Control::none(), || Ok(1)).unwrap();
        assert_eq!(*first, 0);
        let failed = pool.take(&Control::none(), || Err(Error::Runtime("no".to_owned())));
        assert!(failed.is_err());
        assert_eq!(*pool.take(&Control::none(), || Ok(7)).unwrap(), 7);
    }

    #[test]
    fn waiting_ends_at_the_deadline_and_when_cancelled() {
        let pool = Pool::new((), 1);
        let _held = pool.take(&Control::none(), || Ok(())).unwrap();
        let control = Control::none().with_deadline(Some(Duration::from_millis(20)));
        let error = pool.take(&control, || Ok(())).err().unwrap();
        assert_eq!(error.to_string(), "deadline of 20 ms passed while waiting for a free run slot");
        let cancel = |_: Stage, _: f32| false;
        let error = pool.take(&Control::none().with_progress(&cancel), || Ok(())).err().unwrap();
        assert!(matches!(error, Error::Cancelled { stage: Stage::Waiting }));
    }
}
