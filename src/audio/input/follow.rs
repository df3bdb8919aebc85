//! A file that somebody still writes to, as a reader whose end comes once it has not grown for a
//! while.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::files::open_regular;

/// A growing file. A read that finds nothing new fails with [`ErrorKind::WouldBlock`], which
/// [`FileSource`](super::super::FileSource) takes for a moment at which to look at deadline and
/// cancellation.
#[derive(Debug)]
pub struct Follow {
    file: File,
    idle: Duration,
    grew: Instant,
}

impl Follow {
    /// The regular file at `path`, which ends once it has not grown for `idle`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Io`].
    pub fn open(path: impl AsRef<Path>, idle: Duration) -> Result<Self> {
        let path = path.as_ref();
        let (file, _) = open_regular(path).map_err(|unopened| {
            unopened.into_error(path, |reason| Error::Io { path: path.to_owned(), reason, source: None })
        })?;
        Ok(Self { file, idle, grew: Instant::now() })
    }
}

impl Read for Follow {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buf)?;
        if count > 0 {
            self.grew = Instant::now();
        } else if self.grew.elapsed() < self.idle {
            return Err(ErrorKind::WouldBlock.into());
        }
        Ok(count)
    }
}
