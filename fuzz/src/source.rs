//! A `vf_source` with callbacks, for the fuzzer of the C interface.

use std::ffi::c_void;

use crate::input::Input;

/// Encoded audio that the callbacks of a `vf_source` read.
pub struct Source {
    /// The callbacks get its address.
    _encoded: Box<Encoded>,
}

struct Encoded {
    bytes: Vec<u8>,
    position: usize,
    /// What reads answer beyond these bytes: the end, a failure, or more than there is room for.
    last: i64,
}

impl Source {
    /// A source, and the bytes of a `vf_source` that reads it as long as it lives: whole, cut off,
    /// longer than the library knows, or without a way to read. What it reads is a recording with
    /// two tracks, some bytes of which are others.
    pub fn new(input: &mut Input<'_>) -> (Self, Vec<u8>) {
        let mut bytes = include_bytes!("../corpus/audio/two_tracks.mkv").to_vec();
        for _ in 0..input.below(4) {
            let place = input.below(bytes.len());
            bytes[place] = input.u8();
        }
        let length = input.choose(&[bytes.len(), bytes.len(), 0, 1, usize::MAX]);
        let last = input.choose(&[0i64, 0, 0, -1, i64::MAX]);
        let mut encoded = Box::new(Encoded { bytes, position: 0, last });
        let user_data = &raw mut *encoded;
        let read = input.choose(&[on_read as *const () as usize, on_read as *const () as usize, 0]);
        let (seek, length) = input.choose(&[(0, 0), (on_seek as *const () as usize, length)]);
        let size = input.choose(&[40usize, 40, 40, 8, 16, 24, 32, 128]);
        let words = [size, read, seek, length, user_data as usize];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.resize(size, 0);
        (Self { _encoded: encoded }, bytes)
    }
}

/// Reads from an [`Encoded`], a few bytes at a time.
unsafe extern "C" fn on_read(user_data: *mut c_void, out: *mut u8, cap: usize) -> i64 {
    // SAFETY: the user data of a source of this program, which lives until the call has returned;
    // NULL where the struct was cut off before it.
    let Some(source) = (unsafe { user_data.cast::<Encoded>().as_mut() }) else { return -1 };
    let rest = source.bytes.get(source.position..).unwrap_or_default();
    let count = rest.len().min(cap).min(999);
    if count == 0 {
        return source.last;
    }
    // SAFETY: the header promises room for `cap` bytes.
    unsafe { out.copy_from_nonoverlapping(rest.as_ptr(), count) };
    source.position += count;
    count as i64
}

/// Moves an [`Encoded`]; not beyond its end.
unsafe extern "C" fn on_seek(user_data: *mut c_void, position: u64) -> i32 {
    // SAFETY: as in `on_read`.
    let Some(source) = (unsafe { user_data.cast::<Encoded>().as_mut() }) else { return -1 };
    source.position = position as usize;
    i32::from(source.position > source.bytes.len())
}
