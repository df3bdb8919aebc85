//! A file that claims another length than it has: a longer one, stated to a demuxer that otherwise
//! gives up on files that were cut off, or a shorter one, where only zeros follow. It owns that one
//! lie; what lies behind the end of the file reads as the end.

use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// A file with a length of its own.
pub(super) struct Padded<S> {
    file: S,
    len: Option<u64>,
}

impl<S> Padded<S> {
    /// `file`, claimed to be `len` bytes long, or to be read from its beginning to its end alone.
    pub(super) fn new(file: S, len: Option<u64>) -> Self {
        Self { file, len }
    }
}

impl<S: Read> Read for Padded<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read(buf)
    }
}

impl<S: Seek> Seek for Padded<S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::End(offset) => {
                let len = self.len.ok_or(io::ErrorKind::Unsupported)?;
                let position = len.checked_add_signed(offset).ok_or(io::ErrorKind::InvalidInput)?;
                self.file.seek(SeekFrom::Start(position))
            }
            other => self.file.seek(other),
        }
    }
}

impl<S: Read + Seek + Send + Sync> MediaSource for Padded<S> {
    fn is_seekable(&self) -> bool {
        self.len.is_some()
    }

    fn byte_len(&self) -> Option<u64> {
        self.len
    }
}
