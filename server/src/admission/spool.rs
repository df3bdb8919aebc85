//! The bytes that all uploads take together.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes taken, of a limit.
#[derive(Debug)]
pub struct Spool {
    used: AtomicU64,
    limit: u64,
}

impl Spool {
    /// A spool of `limit` bytes, none of them taken.
    pub fn new(limit: u64) -> Self {
        Self { used: AtomicU64::new(0), limit }
    }
}

/// What one upload takes; given back when it is dropped.
#[derive(Debug)]
pub struct Reserved {
    spool: Arc<Spool>,
    bytes: u64,
}

impl Reserved {
    /// Nothing of `spool` yet.
    pub(super) fn new(spool: Arc<Spool>) -> Self {
        Self { spool, bytes: 0 }
    }

    /// Takes `bytes` more; false where there are not so many.
    pub fn grow(&mut self, bytes: u64) -> bool {
        let more = |used: u64| used.checked_add(bytes).filter(|used| *used <= self.spool.limit);
        let taken = self.spool.used.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok();
        self.bytes += if taken { bytes } else { 0 };
        taken
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.spool.used.fetch_sub(self.bytes, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uploads_share_the_limit_and_give_back() {
        let spool = Arc::new(Spool::new(10));
        let (mut first, mut second) = (Reserved::new(spool.clone()), Reserved::new(spool.clone()));
        assert!(first.grow(6) && second.grow(4) && !second.grow(1) && !first.grow(u64::MAX));
        drop(first);
        assert!(second.grow(6) && !second.grow(1));
        drop(second);
        assert_eq!(spool.used.load(Ordering::SeqCst), 0);
    }
}
