//! How far a demuxer may read on without finding audio. It owns that count, shared between the file beneath the
//! demuxer and the loop above it: a demuxer that looks for its next packet in gigabytes of zeros does not return
//! on its own, and meanwhile nobody hears a deadline or a cancellation.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use symphonia::core::io::MediaSource;

/// Most bytes read from one piece of audio to the next. Far more than a packet has, or a picture between two, and
/// less than the 16 MiB after which the FLAC demuxer gives up the frame that the zeros follow.
pub(super) const MAX_BYTES: u64 = 15 << 20;
/// Most bytes read while the file is being opened: headers hold large pictures and tables.
const MAX_OPENING_BYTES: u64 = 256 << 20;

/// The count. Clones share it.
#[derive(Clone)]
pub(super) struct Leash(Arc<State>);

struct State {
    /// Bytes that may still be read.
    left: AtomicU64,
    /// Whether more was asked for. The data has ended then, whatever is granted later.
    spent: AtomicBool,
}

impl Leash {
    /// A leash for a file that is being opened.
    pub(super) fn new() -> Self {
        Self(Arc::new(State { left: AtomicU64::new(MAX_OPENING_BYTES), spent: AtomicBool::new(false) }))
    }

    /// Notes that the file is open. Where opening it reached the limit, it may still hold audio: demuxers look
    /// ahead to find out the length.
    pub(super) fn opened(&self) {
        self.0.spent.store(false, Relaxed);
        self.grant();
    }

    /// Starts the count anew.
    pub(super) fn grant(&self) {
        self.0.left.store(MAX_BYTES, Relaxed);
    }

    /// Whether the data was ended because the limit was reached.
    pub(super) fn is_spent(&self) -> bool {
        self.0.spent.load(Relaxed)
    }

    /// How many of `wanted` bytes may be read.
    fn allow(&self, wanted: usize) -> usize {
        let left = usize::try_from(self.0.left.load(Relaxed)).unwrap_or(usize::MAX);
        if left == 0 && wanted > 0 {
            self.0.spent.store(true, Relaxed);
        }
        if self.is_spent() { 0 } else { wanted.min(left) }
    }

    fn count(&self, bytes: usize) {
        let left = self.0.left.load(Relaxed);
        self.0.left.store(left.saturating_sub(bytes as u64), Relaxed);
    }
}

/// A source that reads as ended where its leash does. Seeking is free.
pub(super) struct Leashed<S> {
    source: S,
    leash: Leash,
}

impl<S> Leashed<S> {
    pub(super) fn new(source: S, leash: Leash) -> Self {
        Self { source, leash }
    }
}

impl<S: Read> Read for Leashed<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let allowed = self.leash.allow(buf.len());
        let bytes = self.source.read(buf.get_mut(..allowed).unwrap_or_default())?;
        self.leash.count(bytes);
        Ok(bytes)
    }
}

impl<S: Seek> Seek for Leashed<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to)
    }
}

impl<S: MediaSource> MediaSource for Leashed<S> {
    fn is_seekable(&self) -> bool {
        self.source.is_seekable()
    }

    fn byte_len(&self) -> Option<u64> {
        self.source.byte_len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_the_data_for_good_after_the_limit_but_opening_has_its_own() {
        let leash = Leash::new();
        let mut source = Leashed::new(io::repeat(0), leash.clone());
        let mut buf = vec![0; 1 << 20];
        let mut read_blocks =
            |count: usize| -> usize { (0..count).map(|_| source.read(&mut buf).unwrap()).sum() };
        assert_eq!(read_blocks(300), 256 << 20);
        assert!(leash.is_spent());
        leash.opened();
        assert_eq!(read_blocks(15), 15 << 20);
        assert!(!leash.is_spent());
        leash.grant();
        assert_eq!(read_blocks(20), 15 << 20);
        assert!(leash.is_spent());
        leash.grant();
        assert_eq!(read_blocks(1), 0);
    }
}
