//! Pipes, FIFOs and sockets as readers that keep nobody for longer than a moment. It owns the wait
//! for what comes through them.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use crate::error::{Error, Result};

/// Longest wait of one read.
#[cfg(unix)]
const WAIT: std::time::Duration = std::time::Duration::from_millis(10);

/// The end of a pipe, FIFO or socket that is read. A read that finds nothing within some
/// milliseconds fails with [`ErrorKind::WouldBlock`], which
/// [`FileSource`](super::super::FileSource) takes for a moment at which to look at deadline and
/// cancellation.
#[derive(Debug)]
pub struct Pipe(File);

impl Pipe {
    /// Opens the FIFO at `path`, without waiting for somebody who writes to it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let mut options = std::fs::OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK | libc::O_NOCTTY);
        Ok(Self(options.open(path).map_err(|error| Error::from_io(path, error))?))
    }

    /// An open pipe or socket, such as standard input.
    pub fn of(file: File) -> Self {
        Self(file)
    }
}

impl Read for Pipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // Before somebody has opened the other end, a FIFO that does not block reads as ended.
        if !is_ready(&self.0)? {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.0.read(buf)
    }
}

#[cfg(unix)]
fn is_ready(file: &File) -> io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};

    let wait = Timespec { tv_sec: 0, tv_nsec: WAIT.subsec_nanos().into() };
    let mut ends = [PollFd::new(file, PollFlags::IN)];
    Ok(poll(&mut ends, Some(&wait))? > 0)
}

#[cfg(not(unix))]
fn is_ready(_: &File) -> io::Result<bool> {
    Ok(true)
}
