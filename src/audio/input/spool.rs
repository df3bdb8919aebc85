//! What a source that cannot seek gives, kept to its end: in memory as long as it is small, else in
//! a temporary file without a name, which the system removes whatever becomes of the process. It
//! owns those limits.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, Write};
use std::path::Path;

use super::super::AUDIO;
use super::super::leash::Leash;
use super::{Bytes, Input, read_waiting};
use crate::error::{Error, Result};
use crate::memory;

/// Most bytes kept in memory: some half an hour of FLAC at 16 kHz, an hour of MP3.
const MAX_MEMORY: usize = 32 << 20;
/// Most bytes kept at all: 24 hours of 48 kHz stereo in WAV take 16 GB.
const MAX_SPOOLED: u64 = 32 << 30;
/// Bytes of one read.
const BLOCK: usize = 1 << 16;

/// All that `reader` gives, behind what it has given as `head`.
///
/// # Errors
/// Those of [`Input::spooled`].
pub(super) fn spool<'a>(
    name: &Path,
    head: Vec<u8>,
    mut reader: impl Read,
    leash: &Leash<'a>,
) -> Result<Input<'a>> {
    let mut memory = head;
    let mut file: Option<File> = None;
    let mut len = memory.len() as u64;
    let mut block = memory::filled(AUDIO, BLOCK, 0)?;
    loop {
        let count = read_waiting(&mut reader, &mut block, leash);
        leash.look()?;
        let part = match count.map_err(|error| Error::from_io(name, error))? {
            0 => break,
            count => block.get(..count).unwrap_or_default(),
        };
        len += part.len() as u64;
        if len > MAX_SPOOLED {
            let name = name.display();
            return Err(Error::Limit(format!("{name}: expected at most {MAX_SPOOLED} bytes, got more")));
        }
        if file.is_none() && len > MAX_MEMORY as u64 {
            let mut made = tempfile::tempfile().map_err(|error| unspooled(name, error))?;
            made.write_all(&memory).map_err(|error| unspooled(name, error))?;
            memory = Vec::new();
            file = Some(made);
        }
        match &mut file {
            Some(file) => file.write_all(part).map_err(|error| unspooled(name, error))?,
            None => memory::extend(AUDIO, &mut memory, part.iter().copied())?,
        }
    }
    let bytes: Box<dyn Bytes> = match file {
        Some(mut file) => {
            file.rewind().map_err(|error| unspooled(name, error))?;
            Box::new(file)
        }
        None => Box::new(Cursor::new(memory)),
    };
    Ok(Input { name: name.to_owned(), bytes, len: Some(len) })
}

fn unspooled(name: &Path, error: io::Error) -> Error {
    let folder = std::env::temp_dir();
    let reason = format!("cannot be kept in a temporary file in {}: {error}", folder.display());
    Error::Io { path: name.to_owned(), reason, source: Some(error) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Call;

    #[test]
    fn what_is_large_is_kept_in_a_file_and_given_whole() {
        let leash = Leash::new(&Call::none());
        for extra in [0, 1] {
            let given = (MAX_MEMORY + extra) as u64;
            let pattern = (0..given).map(|at| (at % 251) as u8);
            let mut expected = pattern.clone();
            let reader = Cursor::new(pattern.collect::<Vec<u8>>());
            let mut input = spool(Path::new("x"), Vec::new(), reader, &leash).unwrap();
            assert_eq!(input.len, Some(given));
            let mut block = vec![0; 1 << 20];
            loop {
                let count = input.bytes.read(&mut block).unwrap();
                if count == 0 {
                    break;
                }
                assert!(block[..count].iter().all(|byte| Some(*byte) == expected.next()));
            }
            assert_eq!(expected.next(), None);
        }
    }
}
