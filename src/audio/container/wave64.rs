//! Wave64, Sony's WAV with 64-bit sizes. It owns the reading of its header.

use std::io::{self, Read, Seek};

use super::blocks::bytes_at;
use super::header::Header;
use super::wave::Format;

/// Most chunks in front of the samples.
const MAX_CHUNKS: u32 = 1_000;
/// Identifiers of the file, its form, and its chunks, which begin with the names of RIFF.
const RIFF: [u8; 16] = *b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb\x04\xc1\x00\x00";
const REST: [u8; 12] = *b"\xf3\xac\xd3\x11\x8c\xd1\x00\xc0\x4f\x8e\xdb\x8a";

/// The header of the Wave64 file in `source`, which begins at `start` and has `len` bytes in all;
/// `None` where it is none.
pub(super) fn read<S: Read + Seek>(source: &mut S, start: u64, len: u64) -> io::Result<Option<Header>> {
    let head = bytes_at(source, start, 40)?;
    let form = head.get(24..).and_then(|form| form.strip_prefix(b"wave"));
    if !head.starts_with(&RIFF) || form != Some(&REST) {
        return Ok(None);
    }
    let mut format = None;
    let mut at = start + 40;
    for _ in 0..MAX_CHUNKS {
        let chunk = bytes_at(source, at, 24)?;
        let size = chunk.get(16..24).and_then(|size| size.first_chunk()).copied().map(u64::from_le_bytes);
        let (Some(name), Some(size)) = (chunk.first_chunk::<4>(), size) else {
            break;
        };
        let known = chunk.get(4..16) == Some(&REST);
        let first = at + 24;
        if known && name == b"fmt " {
            format = Format::read(&bytes_at(source, first, 64)?, false);
        }
        let next = at.saturating_add(size.max(24)).saturating_add(7) / 8 * 8;
        if known && name == b"data" {
            let Some(format) = format else { break };
            // The size counts its own 24 bytes; one that is less says nothing.
            let end = if size > 24 { at.saturating_add(size).min(len) } else { len };
            return format.header(source, first, end, None).map(Some);
        }
        if next >= len {
            break;
        }
        at = next;
    }
    Ok(Some(Header::Damaged("a Wave64 file without a format and samples".to_owned())))
}
