//! A source of encoded audio that the host reads: a file of its own, a connection, an archive.

use std::ffi::c_void;
use std::io::{self, Read, Seek, SeekFrom};
use std::mem::offset_of;

use super::callback::{self, UserData};
use super::sized;
use super::status::Failure;
use crate::audio::FileSource;
use crate::call::Call;
use crate::error::Result;

/// Reads the next bytes of a source.
///
/// - `user_data`: as given with the callback.
/// - `out`: room for `cap` bytes, at least 1.
///
/// Returns the number of bytes read, 1 to `cap`; 0 at the end of the data; a negative number where
/// reading fails, with which the call fails as VF_E_IO.
///
/// Called on the thread that made the call, as `vf_progress_fn` is and with the same rules. A read
/// that waits keeps the call: its switch and deadline are looked at between reads.
pub type vf_read_fn = Option<unsafe extern "C" fn(user_data: *mut c_void, out: *mut u8, cap: usize) -> i64>;

/// Moves a source to `position`, in bytes from its beginning, 0 to its length. Returns 0, or
/// another number where that fails, with which the call fails as VF_E_IO. Called as `vf_read_fn`
/// is.
pub type vf_seek_fn = Option<unsafe extern "C" fn(user_data: *mut c_void, position: u64) -> i32>;

/// Encoded audio that the host reads: the content of a file of any format that
/// `vf_diarizer_process_file` takes.
///
/// Set it to zeros, and `size` to `sizeof(vf_source)`. Without `seek` the source is read to its end
/// before it is decoded: up to 32 MiB of it are kept in memory, more in a temporary file without a
/// name, of at most 32 GiB (VF_E_LIMIT), in the folder that TMPDIR names, else /tmp.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct vf_source {
    /// Size of this struct in bytes, set by the caller.
    pub size: usize,
    /// Reads from it; not NULL.
    pub read: vf_read_fn,
    /// Moves it; NULL where it cannot be moved. It is moved to its beginning first.
    pub seek: vf_seek_fn,
    /// With `seek`: all bytes of the source; else 0.
    pub length: u64,
    /// Handed to the callbacks as it is.
    pub user_data: *mut c_void,
}

/// Where the fields end.
const FIELD_ENDS: [usize; 5] = [
    offset_of!(vf_source, read),
    offset_of!(vf_source, seek),
    offset_of!(vf_source, length),
    offset_of!(vf_source, user_data),
    size_of::<vf_source>(),
];

impl vf_source {
    const NONE: Self =
        Self { size: size_of::<Self>(), read: None, seek: None, length: 0, user_data: std::ptr::null_mut() };
}

/// The callbacks of a source, checked.
pub(super) struct Callbacks {
    read: unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> i64,
    seek: vf_seek_fn,
    length: u64,
    user_data: UserData,
    position: u64,
}

impl Callbacks {
    /// Those of `source`.
    ///
    /// # Safety
    /// `source` is NULL or leads to a `vf_source` that has the bytes its field `size` says; its
    /// callbacks may be called on this thread with the user data while the result lives.
    pub(super) unsafe fn of(source: *const vf_source) -> std::result::Result<Self, Failure> {
        // SAFETY: as promised; the fields are numbers and pointers, which take any value, and
        // pointers to functions, which are NULL or of their types.
        let given = unsafe { sized::read("source", source, vf_source::NONE, &FIELD_ENDS) }?;
        let Some(read) = given.read else { return Err(Failure::null("source: read")) };
        if given.seek.is_none() && given.length != 0 {
            let text = format!("source: length: expected 0 without seek, got {}", given.length);
            return Err(Failure::invalid(text));
        }
        let (seek, length, user_data) = (given.seek, given.length, UserData(given.user_data));
        Ok(Self { read, seek, length, user_data, position: 0 })
    }

    /// The audio that they give.
    ///
    /// # Errors
    /// Those of [`FileSource::from_reader`].
    pub(super) fn open<'a>(self, call: &Call<'a>) -> Result<FileSource<'a>> {
        match self.seek {
            Some(_) => FileSource::from_seekable("source", self, call),
            None => FileSource::from_reader("source", self, call),
        }
    }
}

impl Read for Callbacks {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        let (read, user_data) = (self.read, self.user_data);
        // SAFETY: the promise of `of`; the buffer has the room that is said.
        let count = callback::during(|| unsafe { read(user_data.get(), buf.as_mut_ptr(), buf.len()) });
        let Ok(count) = usize::try_from(count) else {
            return Err(io::Error::other(format!("its read failed: it returned {count}")));
        };
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}

impl Seek for Callbacks {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
            SeekFrom::End(offset) => self.length.checked_add_signed(offset),
        };
        // Behind the end there is nothing to read.
        let position = position.ok_or(io::ErrorKind::InvalidInput)?.min(self.length);
        if let Some(seek) = self.seek {
            let user_data = self.user_data;
            // SAFETY: the promise of `of`.
            let answer = callback::during(|| unsafe { seek(user_data.get(), position) });
            if answer != 0 {
                return Err(io::Error::other(format!("its seek failed: it returned {answer}")));
            }
        }
        self.position = position;
        Ok(position)
    }
}
