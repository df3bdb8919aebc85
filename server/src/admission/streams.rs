//! How many streams are under way, of as many as the machine can serve.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::metrics::Metrics;

/// Counts streams up to the capacity.
pub(super) struct Streams {
    state: Mutex<State>,
    metrics: Arc<Metrics>,
}

#[derive(Default)]
struct State {
    active: usize,
    /// 0 until it is known.
    capacity: usize,
}

/// A stream that is counted until it is dropped.
pub struct StreamPermit {
    streams: Arc<Streams>,
}

impl Streams {
    /// None, and room for none.
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { state: Mutex::default(), metrics }
    }

    /// Sets how many there may be.
    pub(super) fn set_capacity(&self, capacity: usize) {
        let mut state = self.state.lock();
        state.capacity = capacity;
        self.metrics.stream_capacity.set(capacity as f64);
        self.show(&state);
    }

    /// Whether another one would be refused.
    pub(super) fn is_full(&self) -> bool {
        let state = self.state.lock();
        state.active >= state.capacity
    }

    /// Counts another one, if there is room.
    pub(super) fn begin(self: &Arc<Self>) -> Option<StreamPermit> {
        let mut state = self.state.lock();
        if state.active >= state.capacity {
            return None;
        }
        state.active += 1;
        self.show(&state);
        Some(StreamPermit { streams: self.clone() })
    }

    fn show(&self, state: &State) {
        self.metrics.streams_active.set(state.active as i64);
        self.metrics.stream_utilization.set(state.active as f64 / state.capacity.max(1) as f64);
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut state = self.streams.state.lock();
        state.active -= 1;
        self.streams.show(&state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_as_the_capacity_and_not_one_more() {
        let streams = Arc::new(Streams::new(Arc::new(Metrics::new())));
        assert!(streams.begin().is_none() && streams.is_full());
        streams.set_capacity(2);
        let (first, _second) = (streams.begin().unwrap(), streams.begin().unwrap());
        assert!(streams.begin().is_none() && streams.is_full());
        drop(first);
        assert!(!streams.is_full() && streams.begin().is_some());
        // Those under way stay where there are more than may be.
        streams.set_capacity(0);
        assert_eq!(streams.state.lock().active, 1);
    }
}
