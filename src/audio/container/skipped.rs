//! What a demuxer went over. It owns the count, which the loop above turns into a warning.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes that were skipped and not yet reported. Clones are the same.
#[derive(Clone, Default)]
pub(in crate::audio) struct Skipped(Arc<AtomicU64>);

impl Skipped {
    /// Counts `bytes`.
    pub(super) fn add(&self, bytes: u64) {
        self.0.fetch_add(bytes, Relaxed);
    }

    /// The bytes that were not reported.
    pub(super) fn count(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// The bytes since the last call.
    pub(in crate::audio) fn take(&self) -> u64 {
        self.0.swap(0, Relaxed)
    }
}
