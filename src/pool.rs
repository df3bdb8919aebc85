//! A pool of things that one caller at a time may use, such as the run slots of a session or the
//! state of a stream: made on demand up to a limit, waited for beyond it, first come, first served.
//! Knows nothing of networks. `tests/schedules` runs it under schedules of its own, with the locks
//! and threads of `crate::sync` replaced.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::call::Call;
use crate::error::{Result, Stage};
use crate::sync::{Mutex, Thread, current, park_timeout};

/// Longest wait between two looks at the caller's wish to cancel.
const CANCEL_POLL: Duration = Duration::from_millis(50);

/// At most `limit` slots, of which `idle` are free.
pub(crate) struct Pool<T> {
    state: Mutex<State<T>>,
    limit: usize,
}

impl<T> std::fmt::Debug for Pool<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("limit", &self.limit).finish_non_exhaustive()
    }
}

struct State<T> {
    idle: Vec<T>,
    /// Slots that exist or are being made.
    made: usize,
    /// Those who wait, in the order in which they came.
    waiting: VecDeque<Waiter>,
    next_number: u64,
}

struct Waiter {
    number: u64,
    thread: Thread,
    /// In its progress callback, which may take long: those behind it go first meanwhile.
    away: bool,
}

impl<T> State<T> {
    /// Whose turn it is.
    fn first(&self) -> Option<&Waiter> {
        self.waiting.iter().find(|waiter| !waiter.away)
    }
}

impl<T> Pool<T> {
    /// A pool of at most `limit` slots that starts with `first`.
    pub(crate) fn new(first: T, limit: usize) -> Self {
        // Room for all, so that giving a slot back never allocates.
        let mut idle = Vec::with_capacity(limit);
        idle.push(first);
        let state = State { idle, made: 1, waiting: VecDeque::new(), next_number: 0 };
        Self { state: Mutex::new(state), limit }
    }

    /// Takes out all slots, which are free as nobody else has the pool.
    pub(crate) fn take_all(&mut self) -> Vec<T> {
        std::mem::take(&mut self.state.get_mut().idle)
    }

    /// Takes a free slot, makes one while there are fewer than the limit, or waits behind those who
    /// came before. The progress callback is called only while waiting. No lock is held while
    /// `make` or the callback runs.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`] or [`crate::Error::Deadline`] of [`Stage::Waiting`]; those of
    /// `make`.
    pub(crate) fn take(&self, call: &Call, make: impl Fn() -> Result<T>) -> Result<Lease<'_, T>> {
        let mut lease = match self.take_at_once() {
            Some(lease) => lease,
            None => self.wait(call)?,
        };
        if lease.slot.is_none() {
            // Fills the place, or gives it up again should `make` fail or panic.
            lease.slot = Some(make()?);
        }
        Ok(lease)
    }

    /// A free slot, where there is one that nobody waits for.
    pub(crate) fn try_take(&self) -> Option<Lease<'_, T>> {
        let mut state = self.state.lock();
        let slot = if state.first().is_some() { None } else { state.idle.pop() };
        slot.map(|slot| Lease { pool: self, slot: Some(slot) })
    }

    /// A slot or the place for one, where nobody else waits for it.
    fn take_at_once(&self) -> Option<Lease<'_, T>> {
        let mut state = self.state.lock();
        if state.first().is_some() { None } else { self.take_free(&mut state) }
    }

    fn take_free(&self, state: &mut State<T>) -> Option<Lease<'_, T>> {
        let slot = state.idle.pop();
        if slot.is_none() {
            if state.made >= self.limit {
                return None;
            }
            state.made += 1;
        }
        Some(Lease { pool: self, slot })
    }

    fn wait(&self, call: &Call) -> Result<Lease<'_, T>> {
        let queued = Queued::enter(self);
        loop {
            if let Some(lease) = queued.take_in_turn(call.has_progress()) {
                return Ok(lease);
            }
            call.check(Stage::Waiting, 0.0)?;
            if let Some(lease) = queued.take_in_turn(false) {
                return Ok(lease);
            }
            // Ends at once if it became this thread's turn since the look.
            park_timeout(call.remaining().unwrap_or(CANCEL_POLL).min(CANCEL_POLL));
        }
    }

    /// Changes the state, and wakes whose turn it is if there is a slot for them.
    fn change(&self, change: impl FnOnce(&mut State<T>)) {
        let mut state = self.state.lock();
        change(&mut state);
        let free = !state.idle.is_empty() || state.made < self.limit;
        let next = state.first().filter(|_| free).map(|waiter| waiter.thread.clone());
        drop(state);
        if let Some(thread) = next {
            thread.unpark();
        }
    }

    /// Slots that exist or are being made.
    pub(crate) fn made(&self) -> usize {
        self.state.lock().made
    }

    /// How many wait.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.state.lock().waiting.len()
    }
}

/// A place in the queue, left when dropped, on every way out.
struct Queued<'a, T> {
    pool: &'a Pool<T>,
    number: u64,
}

impl<'a, T> Queued<'a, T> {
    /// Behind all others.
    fn enter(pool: &'a Pool<T>) -> Self {
        let thread = current();
        let mut state = pool.state.lock();
        let number = state.next_number;
        state.next_number += 1;
        state.waiting.push_back(Waiter { number, thread, away: false });
        Self { pool, number }
    }

    /// A slot or the place for one, if it is this one's turn and there is one; else says whether it
    /// goes `away`.
    fn take_in_turn(&self, away: bool) -> Option<Lease<'a, T>> {
        let mut state = self.pool.state.lock();
        self.set_away(&mut state, false);
        let lease = if state.first().is_some_and(|first| first.number == self.number) {
            self.pool.take_free(&mut state)
        } else {
            None
        };
        self.set_away(&mut state, away);
        lease
    }

    fn set_away(&self, state: &mut State<T>, away: bool) {
        if let Some(waiter) = state.waiting.iter_mut().find(|waiter| waiter.number == self.number) {
            waiter.away = away;
        }
    }
}

impl<T> Drop for Queued<'_, T> {
    fn drop(&mut self) {
        self.pool.change(|state| state.waiting.retain(|waiter| waiter.number != self.number));
    }
}

/// A slot in use, given back when dropped, on every way out.
pub(crate) struct Lease<'a, T> {
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
        let slot = self.slot.take();
        self.pool.change(|state| match slot {
            Some(slot) => state.idle.push(slot),
            None => state.made -= 1,
        });
    }
}
