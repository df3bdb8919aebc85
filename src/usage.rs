//! How much a loaded model is in use: its calls under way, its streams, its run slots. Counts, and
//! runs nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What uses one loaded model. It lives as long as anything that holds the model.
#[derive(Debug, Default)]
pub struct Usage {
    calls: AtomicUsize,
    streams: AtomicUsize,
}

impl Usage {
    /// Calls under way, those of streams aside.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    /// Streams that work with the model.
    pub(crate) fn streams(&self) -> usize {
        self.streams.load(Ordering::Relaxed)
    }

    /// Counts a call until what this gives is dropped.
    pub(crate) fn call(&self) -> CallInUse<'_> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        CallInUse(self)
    }

    /// Counts a stream until what this gives is dropped.
    pub(crate) fn stream(self: &Arc<Self>) -> StreamInUse {
        self.streams.fetch_add(1, Ordering::Relaxed);
        StreamInUse(Arc::clone(self))
    }
}

/// A call under way.
pub(crate) struct CallInUse<'a>(&'a Usage);

impl Drop for CallInUse<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stream over a model.
pub(crate) struct StreamInUse(Arc<Usage>);

impl Drop for StreamInUse {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How much of a new model is made ready before it takes over from another: as much as the other
/// had ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Run slots, as far as the new model has as many.
    pub(crate) slots: usize,
    /// Run slots of the model of streams, where that is another one; `None` leaves it to the first
    /// stream.
    pub(crate) live_slots: Option<usize>,
}

impl Readiness {
    /// All that a model can have ready.
    pub(crate) const ALL: Self = Self { slots: usize::MAX, live_slots: Some(usize::MAX) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_is_no_longer_counted() {
        let usage = Arc::new(Usage::default());
        let weak = Arc::downgrade(&usage);
        let (call, stream) = (usage.call(), usage.stream());
        let other = usage.call();
        assert_eq!((usage.calls(), usage.streams()), (2, 1));
        drop((call, other));
        assert_eq!((usage.calls(), usage.streams()), (0, 1));
        drop(usage);
        // A stream keeps its model.
        assert!(weak.upgrade().is_some());
        drop(stream);
        assert!(weak.upgrade().is_none());
    }
}
