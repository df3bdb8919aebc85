//! Containers with a header of fixed form in front of one run of audio: which of them a file is. It
//! owns the list; each is read in a file of its own.

use std::io::{self, Read, Seek};

use super::blocks::{Blocks, bytes_at};
use super::{aiff, caf, sun, wave, wave64};
use crate::audio::codec::CODEC_ID_GSM;

/// What a header says.
#[derive(Debug)]
pub(super) enum Header {
    /// Blocks of one size.
    Blocks(Blocks),
    /// Frames that announce themselves: MPEG audio or AAC.
    Frames { start: u64, end: u64 },
    /// What cannot be decoded.
    Unsupported(String),
    /// What is damaged.
    Damaged(String),
}

/// The header at `start` of `source`, which has `len` bytes in all; `None` where it has none.
pub(super) fn read<S: Read + Seek>(source: &mut S, start: u64, len: u64) -> io::Result<Option<Header>> {
    let readers = [wave::read, wave64::read, sun::read, aiff::read, caf::read, gsm];
    for read in readers {
        if let Some(header) = read(source, start, len)? {
            return Ok(Some(match header {
                Header::Blocks(blocks) => match blocks.fault() {
                    Some(fault) => Header::Damaged(format!("a header with a wrong number: {fault}")),
                    None => Header::Blocks(blocks),
                },
                other => other,
            }));
        }
    }
    Ok(None)
}

/// GSM 06.10 without a header: each of its frames begins with the same four bits. So does each byte
/// of silence in A-law.
fn gsm<S: Read + Seek>(source: &mut S, start: u64, len: u64) -> io::Result<Option<Header>> {
    const FRAME: usize = 33;
    const FRAMES: usize = 12;
    let marked = |byte: &u8| byte >> 4 == 0xd;
    let frames = len.saturating_sub(start) / FRAME as u64;
    for part in 0..4 {
        let first = frames.saturating_sub(FRAMES as u64) * part / 3;
        let bytes = bytes_at(source, start + first * FRAME as u64, FRAME * FRAMES)?;
        let heads = bytes.chunks_exact(FRAME).filter(|frame| frame.first().is_some_and(marked));
        if heads.count() < FRAMES || bytes.iter().all(marked) {
            return Ok(None);
        }
    }
    let blocks = Blocks::pcm(CODEC_ID_GSM, 8_000, 1, 1);
    let end = start + len.saturating_sub(start) / FRAME as u64 * FRAME as u64;
    Ok(Some(Header::Blocks(Blocks { block_bytes: FRAME as u64, block_frames: 160, start, end, ..blocks })))
}
