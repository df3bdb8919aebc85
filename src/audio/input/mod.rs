//! The bytes of encoded audio, wherever they come from: a file, memory, a source that can seek, or
//! one that only reads. It owns how the last kind is made one in which a demuxer can seek, and
//! knows no format.
//!
//! ```text
//! path, bytes, Read + Seek ─────────────────────────────┐
//! Read, pipe ──> spool: memory, then a temporary file ──┼──> Input ──> container
//! Read, pipe ──> live: the head alone is kept ──────────┘
//! ```

mod follow;
mod live;
mod pipe;
mod shared;
mod spool;

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use follow::Follow;
use live::Live;
pub use pipe::Pipe;
use shared::Shared;

use super::leash::Leash;
use crate::error::{Error, Result};
use crate::files::open_regular;
use crate::sync::Mutex;

/// Time until a reader that has nothing at the moment is asked again.
const PAUSE: Duration = Duration::from_millis(2);

/// Bytes in which a demuxer can seek.
pub(super) trait Bytes: Read + Seek + Send + Sync {}

impl<T: Read + Seek + Send + Sync> Bytes for T {}

/// Encoded audio before anybody knows what it is.
pub(super) struct Input<'a> {
    /// What errors call it: its path, or the name of an argument.
    pub(super) name: PathBuf,
    pub(super) bytes: Box<dyn Bytes + 'a>,
    /// Number of bytes; `None` where more of them are still to come.
    pub(super) len: Option<u64>,
}

impl<'a> Input<'a> {
    /// The regular file at `path`.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Io`] where the system refuses to read it or it is no regular
    /// file.
    pub(super) fn file(path: &Path) -> Result<Self> {
        let (file, metadata) = open_regular(path).map_err(|unopened| {
            unopened.into_error(path, |reason| Error::Io { path: path.to_owned(), reason, source: None })
        })?;
        Ok(Self { name: path.to_owned(), bytes: Box::new(file), len: Some(metadata.len()) })
    }

    /// Bytes in memory, which errors call `name`.
    pub(super) fn memory(name: &Path, bytes: &'a [u8]) -> Self {
        let len = Some(bytes.len() as u64);
        Self { name: name.to_owned(), bytes: Box::new(io::Cursor::new(bytes)), len }
    }

    /// A source that can seek, from its beginning on.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot; what the caller of `leash` wishes, here and in every read.
    pub(super) fn seekable(
        name: &Path,
        source: impl Read + Seek + Send + 'a,
        leash: &Leash<'a>,
    ) -> Result<Self> {
        // What is read here may be read for another part of the recording, which reports progress.
        let mut bytes = Box::new(Seekable { source: Mutex::new(source), leash: leash.silent() });
        let failed = |error| Error::from_io(name, plain(error));
        let len = bytes.seek(SeekFrom::End(0)).map_err(failed)?;
        bytes.seek(SeekFrom::Start(0)).map_err(failed)?;
        Ok(Self { name: name.to_owned(), bytes, len: Some(len) })
    }

    /// All that `reader` gives up to its end, spooled.
    ///
    /// # Errors
    /// [`Error::Io`] where the reader or the temporary file fails; [`Error::Limit`],
    /// [`Error::Memory`]; what the caller of `leash` wishes.
    pub(super) fn spooled(name: &Path, reader: impl Read + 'a, leash: &Leash<'a>) -> Result<Self> {
        spool::spool(name, Vec::new(), reader, leash)
    }

    /// What `reader` gives while it comes: nothing is kept but the head that is looked at to open
    /// it.
    pub(super) fn live(name: &Path, reader: impl Read + Send + 'a, leash: &Leash<'a>) -> Self {
        let bytes = Box::new(Live::new(reader, leash.clone()));
        Self { name: name.to_owned(), bytes, len: None }
    }

    /// The same bytes, to be read from several places; `None` beside it where more of them are
    /// still to come.
    pub(super) fn shared(self) -> (Self, Option<Again<'a>>) {
        let Self { name, bytes, len: Some(len) } = self else {
            return (self, None);
        };
        let again = Again { name, bytes: Shared::new(bytes, len), len };
        (again.input(), Some(again))
    }

    /// Whether more bytes are still to come.
    pub(super) fn is_live(&self) -> bool {
        self.len.is_none()
    }

    /// The same bytes, spooled to their end where they are still to come.
    ///
    /// # Errors
    /// Those of [`Input::spooled`].
    pub(super) fn whole(mut self, leash: &Leash<'a>) -> Result<Self> {
        if !self.is_live() {
            return Ok(self);
        }
        self.bytes.seek(SeekFrom::Start(0)).map_err(|error| Error::from_io(&self.name, error))?;
        spool::spool(&self.name, Vec::new(), self.bytes, leash)
    }
}

/// What can be read once more.
pub(super) struct Again<'a> {
    name: PathBuf,
    bytes: Shared<'a>,
    len: u64,
}

impl<'a> Again<'a> {
    /// All bytes from the beginning.
    pub(super) fn input<'s>(&self) -> Input<'s>
    where
        'a: 's,
    {
        Input { name: self.name.clone(), bytes: Box::new(self.bytes.again()), len: Some(self.len) }
    }
}

/// A source of the caller's, on one thread at a time. It may be slow, and a demuxer reads much of
/// it before the first audio.
struct Seekable<'a, S> {
    source: Mutex<S>,
    leash: Leash<'a>,
}

impl<S: Read> Read for Seekable<'_, S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.leash.look_or_end()?;
        self.source.get_mut().read(buf).and_then(|count| checked(count, buf)).map_err(plain)
    }
}

impl<S: Seek> Seek for Seekable<'_, S> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.get_mut().seek(to).map_err(plain)
    }
}

/// Reads what `reader` has; waits, as long as the caller of `leash` wishes, while it has nothing.
fn read_waiting(reader: &mut dyn Read, buf: &mut [u8], leash: &Leash<'_>) -> io::Result<usize> {
    loop {
        leash.look_or_end()?;
        match reader.read(buf) {
            Ok(count) => return checked(count, buf),
            Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(plain(error)),
        }
    }
}

/// Refuses a count that no reader may give: it is not this library's code.
fn checked(count: usize, buf: &[u8]) -> io::Result<usize> {
    if count > buf.len() {
        let text = format!("expected at most {} bytes from a read, got {count}", buf.len());
        return Err(io::Error::other(text));
    }
    Ok(count)
}

/// A failure of a reader, which may not be taken for the end of the data or a missing file.
fn plain(error: io::Error) -> io::Error {
    match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::NotFound => io::Error::other(error),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Call, Cancel};

    /// Gives one byte at a time, and has nothing before each.
    struct Slow<'a> {
        left: &'a [u8],
        ready: bool,
    }

    impl Read for Slow<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.ready = !self.ready;
            if self.ready {
                return Err(ErrorKind::WouldBlock.into());
            }
            let count = self.left.len().min(1);
            let (now, left) = self.left.split_at(count);
            buf[..count].copy_from_slice(now);
            self.left = left;
            Ok(count)
        }
    }

    fn all(mut input: Input<'_>) -> Vec<u8> {
        let mut bytes = Vec::new();
        input.bytes.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn every_kind_gives_the_same_bytes() {
        let (name, leash) = (Path::new("x"), Leash::new(&Call::none()));
        let bytes: Vec<u8> = (0..200).collect();
        let slow = || Slow { left: &bytes, ready: false };
        let spooled = Input::spooled(name, slow(), &leash).unwrap();
        assert_eq!(spooled.len, Some(200));
        assert_eq!(all(spooled), bytes);
        let live = Input::live(name, slow(), &leash);
        assert!(live.is_live());
        assert_eq!(all(live), bytes);
        let seekable = Input::seekable(name, io::Cursor::new(bytes.clone()), &leash).unwrap();
        assert_eq!(seekable.len, Some(200));
        assert_eq!(all(seekable), bytes);
        assert_eq!(all(Input::memory(name, &bytes)), bytes);
        let mut begun = Input::live(name, slow(), &leash);
        begun.bytes.read_exact(&mut [0; 50]).unwrap();
        assert_eq!(all(begun.whole(&leash).unwrap()), bytes);
    }

    #[test]
    fn a_reader_that_has_nothing_is_left_when_the_caller_wishes() {
        struct Never;
        impl Read for Never {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::WouldBlock.into())
            }
        }
        let call = Call::none().with_deadline(Duration::from_millis(30));
        let error = Input::spooled(Path::new("x"), Never, &Leash::new(&call)).err().unwrap();
        assert!(matches!(error, Error::Deadline { deadline_ms: 30, .. }), "{error:?}");
        let cancel = Cancel::new();
        cancel.set();
        let call = Call::none().with_cancel(&cancel);
        let error = Input::spooled(Path::new("x"), Never, &Leash::new(&call)).err().unwrap();
        assert!(matches!(error, Error::Cancelled { .. }), "{error:?}");
    }

    #[test]
    fn a_reader_that_fails_or_lies_is_no_end_of_the_data() {
        struct Bad(bool);
        impl Read for Bad {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                if self.0 { Ok(buf.len() + 1) } else { Err(io::Error::new(ErrorKind::UnexpectedEof, "gone")) }
            }
        }
        let leash = Leash::new(&Call::none());
        let text = |bad| Input::spooled(Path::new("source"), Bad(bad), &leash).err().unwrap().to_string();
        assert_eq!(text(false), "source: gone");
        assert_eq!(text(true), "source: expected at most 65536 bytes from a read, got 65537");
        let mut live = Input::live(Path::new("source"), Bad(false), &leash);
        assert_ne!(live.bytes.read(&mut [0; 9]).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    }
}
