//! Streams that have audio to process, in the order in which it came. A stream stands in it once,
//! however much it has: one that sends faster than it speaks waits behind those that do not.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Time over which delays are looked at.
const RECENT: Duration = Duration::from_secs(1);
/// Most delays that are kept.
const MOST_DELAYS: usize = 4096;
/// Shortest time from one look at all delays to the next.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// In place of a time where nobody waits.
const NOBODY: u64 = u64::MAX;
/// Longest time that one ahead of its speech waits while others are served.
const LONGEST_BEHIND: Duration = Duration::from_secs(1);

/// A queue of `T`, which is bounded by what stands in it once each.
pub struct RunQueue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    shown: Shown,
}

/// What is known of delays without a lock: the threads of recordings ask for it, and one of those
/// that is put aside for others by the system must hold nothing that they need. Times are in
/// nanoseconds since the queue was made.
struct Shown {
    began: Instant,
    /// The delay that 99 of 100 turns of a second did not exceed, and when that was found.
    p99: AtomicU64,
    found: AtomicU64,
    /// Since when the first of those who are due waits.
    waiting_since: AtomicU64,
}

struct State<T> {
    /// Those who send at the speed of speech.
    due: VecDeque<(Arc<T>, Instant)>,
    /// Those who are ahead of it.
    ahead: VecDeque<(Arc<T>, Instant)>,
    /// When the newest turns began, and how long they had waited.
    delays: VecDeque<(Instant, Duration)>,
    ended: bool,
}

impl<T> RunQueue<T> {
    /// Nobody waits.
    pub fn new() -> Self {
        let (due, ahead, delays) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        let state = Mutex::new(State { due, ahead, delays, ended: false });
        Self { state, changed: Condvar::new(), shown: Shown::new() }
    }

    /// Adds one that does not stand in the queue; `ahead` when it sends faster than speech.
    pub fn add(&self, item: Arc<T>, ahead: bool) {
        let mut state = self.state.lock();
        let queue = if ahead { &mut state.ahead } else { &mut state.due };
        queue.push_back((item, Instant::now()));
        self.shown.show_first(&state);
        drop(state);
        self.changed.notify_one();
    }

    /// The next one, and how long it waited; waits for one. `None` at the end.
    pub fn next(&self) -> Option<(Arc<T>, Duration)> {
        let mut state = self.state.lock();
        loop {
            let starved = state.ahead.front().is_some_and(|(_, since)| since.elapsed() > LONGEST_BEHIND);
            let due = if starved { None } else { state.due.pop_front() };
            let was_due = due.is_some();
            if let Some((item, since)) = due.or_else(|| state.ahead.pop_front()) {
                let (now, waited) = (Instant::now(), since.elapsed());
                // Who is ahead may wait.
                if was_due {
                    state.note(now, waited);
                    self.shown.show_first(&state);
                    self.shown.show_delays(&state, now);
                }
                return Some((item, waited));
            }
            if state.ended {
                return None;
            }
            self.changed.wait(&mut state);
        }
    }

    /// The delay that 99 of 100 turns of the last second did not exceed, and at least that of who
    /// waits now. Waits for nobody.
    pub fn delay_p99(&self) -> Duration {
        self.shown.delay_p99()
    }

    /// Lets those who wait in [`next`](RunQueue::next) end.
    pub fn end(&self) {
        self.state.lock().ended = true;
        self.changed.notify_all();
    }
}

impl Shown {
    fn new() -> Self {
        let [p99, found] = [0, 0].map(AtomicU64::new);
        Self { began: Instant::now(), p99, found, waiting_since: AtomicU64::new(NOBODY) }
    }

    fn nanoseconds(&self, at: Instant) -> u64 {
        at.saturating_duration_since(self.began).as_nanos() as u64
    }

    fn show_first<T>(&self, state: &State<T>) {
        let since = state.due.front().map_or(NOBODY, |(_, since)| self.nanoseconds(*since));
        self.waiting_since.store(since, Ordering::Relaxed);
    }

    fn show_delays<T>(&self, state: &State<T>, now: Instant) {
        let (now, found) = (self.nanoseconds(now), self.found.load(Ordering::Relaxed));
        if found > 0 && now < found + LOOK_EVERY.as_nanos() as u64 {
            return;
        }
        let mut delays: Vec<Duration> = state.delays.iter().map(|(_, delay)| *delay).collect();
        let place = (delays.len() * 99).div_ceil(100).saturating_sub(1);
        let p99 = delays.select_nth_unstable(place).1.as_nanos() as u64;
        self.p99.store(p99, Ordering::Relaxed);
        self.found.store(now, Ordering::Relaxed);
    }

    fn delay_p99(&self) -> Duration {
        let now = self.nanoseconds(Instant::now());
        let is_recent = now < self.found.load(Ordering::Relaxed) + RECENT.as_nanos() as u64;
        let p99 = if is_recent { self.p99.load(Ordering::Relaxed) } else { 0 };
        let waiting = match self.waiting_since.load(Ordering::Relaxed) {
            NOBODY => 0,
            since => now.saturating_sub(since),
        };
        Duration::from_nanos(p99.max(waiting))
    }
}

impl<T> State<T> {
    fn note(&mut self, now: Instant, waited: Duration) {
        self.forget(now);
        if self.delays.len() == MOST_DELAYS {
            self.delays.pop_front();
        }
        self.delays.push_back((now, waited));
    }

    fn forget(&mut self, now: Instant) {
        while self.delays.front().is_some_and(|(at, _)| now.duration_since(*at) > RECENT) {
            self.delays.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_came_first_is_served_first_and_who_is_ahead_waits() {
        let queue = RunQueue::new();
        for (name, ahead) in [("a", true), ("b", false), ("c", false), ("d", true)] {
            queue.add(Arc::new(name), ahead);
        }
        let next = || *queue.next().unwrap().0;
        assert_eq!([next(), next(), next(), next()], ["b", "c", "a", "d"]);
        queue.end();
        assert!(queue.next().is_none());
    }

    #[test]
    fn who_is_ahead_is_served_in_the_end() {
        let queue = RunQueue::new();
        queue.add(Arc::new("ahead"), true);
        std::thread::sleep(LONGEST_BEHIND + Duration::from_millis(50));
        queue.add(Arc::new("due"), false);
        assert_eq!(*queue.next().unwrap().0, "ahead");
    }

    #[test]
    fn delays_are_those_of_the_last_second() {
        let queue = RunQueue::new();
        assert_eq!(queue.delay_p99(), Duration::ZERO);
        queue.add(Arc::new(0), false);
        std::thread::sleep(Duration::from_millis(30));
        assert!(queue.delay_p99() >= Duration::from_millis(30));
        let (_, waited) = queue.next().unwrap();
        assert!(waited >= Duration::from_millis(30) && queue.delay_p99() == waited);
        std::thread::sleep(RECENT);
        assert_eq!(queue.delay_p99(), Duration::ZERO);
    }
}
