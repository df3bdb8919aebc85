//! How many connections there are, in all and from each address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// Counts connections up to their limits.
pub(super) struct Counts {
    state: Mutex<State>,
    ended: Notify,
    most: usize,
    most_per_address: usize,
}

#[derive(Default)]
struct State {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A connection that is counted until it is dropped.
pub(super) struct Counted {
    counts: Arc<Counts>,
    address: IpAddr,
}

impl Counts {
    /// None yet.
    pub(super) fn new(most: usize, most_per_address: usize) -> Self {
        Self { state: Mutex::default(), ended: Notify::new(), most, most_per_address }
    }

    /// Counts a connection from `address`, unless it is one too many.
    pub(super) fn add(self: &Arc<Self>, address: IpAddr) -> Option<Counted> {
        let mut state = self.state.lock();
        let of_address = state.by_address.get(&address).copied().unwrap_or_default();
        if state.all >= self.most || of_address >= self.most_per_address {
            return None;
        }
        state.all += 1;
        state.by_address.insert(address, of_address + 1);
        Some(Counted { counts: self.clone(), address })
    }

    /// Waits until all have ended.
    pub(super) async fn none_left(&self) {
        loop {
            // Before the look, so that no end is missed.
            let ended = self.ended.notified();
            if self.state.lock().all == 0 {
                return;
            }
            ended.await;
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut state = self.counts.state.lock();
        state.all -= 1;
        if let Some(count) = state.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                state.by_address.remove(&self.address);
            }
        }
        self.counts.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted_to_both_limits() {
        let counts = Arc::new(Counts::new(3, 2));
        let [one, other] = ["10.0.0.1", "::1"].map(|address| address.parse().unwrap());
        let first = counts.add(one).unwrap();
        let _second = counts.add(one).unwrap();
        assert!(counts.add(one).is_none());
        let _third = counts.add(other).unwrap();
        assert!(counts.add(other).is_none());
        drop(first);
        assert!(counts.add(other).is_some() && counts.state.lock().all == 2);
    }
}
