//! A file that claims another length than it has: a longer one, stated to a demuxer that otherwise
//! gives up on files that were cut off, or a shorter one, where only zeros follow. It owns that one
//! lie; what lies behind the end of the file reads as the end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

use symphonia::core::io::MediaSource;

/// A file with a length of its own.
pub(super) struct Padded {
    file: File,
    len: u64,
}

impl Padded {
    /// `file`, claimed to be `len` bytes long.
    pub(super) fn new(file: File, len: u64) -> Self {
        Self { file, len }
    }
}

impl Read for Padded {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.file.read(buf)
    }
}

impl Seek for Padded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match to {
            SeekFrom::End(offset) => {
                let position = self.len.checked_add_signed(offset).ok_or(io::ErrorKind::InvalidInput)?;
                self.file.seek(SeekFrom::Start(position))
            }
            other => self.file.seek(other),
        }
    }
}

impl MediaSource for Padded {
    fn is_seekable(&self) -> bool {
        true
    }

    fn byte_len(&self) -> Option<u64> {
        Some(self.len)
    }
}
