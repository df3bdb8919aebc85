//! A source that only reads, as a demuxer that does not seek sees it while the bytes come. It owns
//! the head of the data, which is read more than once to find out what it is, and keeps no more.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use super::super::leash::Leash;
use super::read_waiting;
use crate::sync::Mutex;

/// Most bytes kept of the head.
const MAX_HEAD: u64 = 32 << 20;

/// A reader whose head can be read again until the data is opened.
pub(super) struct Live<'a, R> {
    reader: Mutex<R>,
    leash: Leash<'a>,
    head: Vec<u8>,
    position: u64,
    /// Whether the reader has given its last byte.
    ended: bool,
}

impl<'a, R: Read> Live<'a, R> {
    pub(super) fn new(reader: R, leash: Leash<'a>) -> Self {
        Self { reader: Mutex::new(reader), leash, head: Vec::new(), position: 0, ended: false }
    }

    fn next(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.ended || buf.is_empty() {
            return Ok(0);
        }
        let count = read_waiting(self.reader.get_mut(), buf, &self.leash)?;
        self.ended = count == 0;
        Ok(count)
    }

    /// Reads on until the head has `len` bytes, or the data ends.
    fn read_head(&mut self, len: u64) -> io::Result<()> {
        let mut block = [0; 4096];
        while (self.head.len() as u64) < len {
            let wanted = (len - self.head.len() as u64).min(block.len() as u64) as usize;
            let count = self.next(block.get_mut(..wanted).unwrap_or_default())?;
            if count == 0 {
                break;
            }
            self.keep(block.get(..count).unwrap_or_default())?;
        }
        Ok(())
    }

    fn keep(&mut self, part: &[u8]) -> io::Result<()> {
        self.head.try_reserve(part.len()).map_err(|_| ErrorKind::OutOfMemory)?;
        self.head.extend_from_slice(part);
        Ok(())
    }
}

impl<R: Read> Read for Live<'_, R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let kept = usize::try_from(self.position).ok().and_then(|at| self.head.get(at..));
        if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
            let count = kept.len().min(buf.len());
            if let (Some(to), Some(from)) = (buf.get_mut(..count), kept.get(..count)) {
                to.copy_from_slice(from);
            }
            self.position += count as u64;
            return Ok(count);
        }
        if self.leash.is_open() {
            // Nobody goes back any more.
            self.head = Vec::new();
        }
        let count = self.next(buf)?;
        if !self.leash.is_open() && self.position + count as u64 <= MAX_HEAD {
            self.keep(buf.get(..count).unwrap_or_default())?;
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl<R: Read> Seek for Live<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(_) => None,
        };
        let position = position.filter(|position| *position <= MAX_HEAD || *position == self.position);
        let position = position.ok_or(ErrorKind::Unsupported)?;
        if position != self.position {
            if self.leash.is_open() {
                return Err(ErrorKind::Unsupported.into());
            }
            self.read_head(position)?;
        }
        self.position = position;
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Call;

    #[test]
    fn the_head_can_be_read_again_until_the_data_is_open_and_is_not_kept_after() {
        let leash = Leash::new(&Call::none());
        let bytes: Vec<u8> = (0..=255).collect();
        let mut live = Live::new(io::Cursor::new(bytes.clone()), leash.clone());
        let mut some = [0; 4];
        assert_eq!(live.seek(SeekFrom::Start(10)).unwrap(), 10);
        live.read_exact(&mut some).unwrap();
        assert_eq!(some, [10, 11, 12, 13]);
        assert!(live.seek(SeekFrom::End(0)).is_err());
        live.seek(SeekFrom::Start(2)).unwrap();
        leash.opened();
        let mut rest = Vec::new();
        live.read_to_end(&mut rest).unwrap();
        assert_eq!(rest, bytes[2..]);
        assert!(live.head.is_empty());
        assert!(live.seek(SeekFrom::Start(0)).is_err());
    }
}
