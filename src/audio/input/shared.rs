//! Bytes that several demuxers read, each from a place of its own. It owns nothing but these
//! places.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::sync::Arc;

use super::Bytes;
use crate::sync::Mutex;

/// The bytes, and where their next read is.
struct Under<'a> {
    bytes: Box<dyn Bytes + 'a>,
    position: u64,
}

/// A place in bytes of known number. Clones are places in the same bytes.
pub(super) struct Shared<'a> {
    under: Arc<Mutex<Under<'a>>>,
    len: u64,
    position: u64,
}

impl<'a> Shared<'a> {
    /// The beginning of `len` bytes, which are at it.
    pub(super) fn new(bytes: Box<dyn Bytes + 'a>, len: u64) -> Self {
        Self { under: Arc::new(Mutex::new(Under { bytes, position: 0 })), len, position: 0 }
    }

    /// The beginning of the same bytes.
    pub(super) fn again(&self) -> Self {
        Self { under: Arc::clone(&self.under), len: self.len, position: 0 }
    }
}

impl Read for Shared<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut under = self.under.lock();
        if under.position != self.position {
            // Where a seek fails, the place is not known.
            under.position = u64::MAX;
            under.bytes.seek(SeekFrom::Start(self.position))?;
        }
        under.position = u64::MAX;
        let count = under.bytes.read(buf)?;
        self.position += count as u64;
        under.position = self.position;
        Ok(count)
    }
}

impl Seek for Shared<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or(ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reads_from_its_own_place() {
        let bytes: Vec<u8> = (0..100).collect();
        let mut first = Shared::new(Box::new(io::Cursor::new(bytes)), 100);
        let mut second = first.again();
        let take = |place: &mut Shared<'_>, count: usize| {
            let mut buf = vec![0; count];
            let count = place.read(&mut buf).unwrap();
            buf.truncate(count);
            buf
        };
        assert_eq!(take(&mut first, 3), [0, 1, 2]);
        assert_eq!(take(&mut second, 2), [0, 1]);
        assert_eq!(take(&mut first, 2), [3, 4]);
        assert_eq!(second.seek(SeekFrom::End(-1)).unwrap(), 99);
        assert_eq!(take(&mut second, 9), [99]);
        assert_eq!(take(&mut second, 9), [0; 0]);
        assert_eq!(first.seek(SeekFrom::Current(-1)).unwrap(), 4);
        assert_eq!(take(&mut first, 1), [4]);
        assert!(first.seek(SeekFrom::Current(-9)).is_err());
        assert_eq!(take(&mut first.again(), 1), [0]);
    }
}
