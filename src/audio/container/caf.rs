//! Core Audio Format with samples, or blocks of one size, as they are; files of codecs with packets
//! of many sizes go to a demuxer. It owns the reading of the header.

use std::io::{self, Read, Seek};

use symphonia::core::codecs::audio::well_known as id;

use super::blocks::{Blocks, bytes_at};
use super::header::Header;
use super::wave::u32_at;
use crate::audio::codec::CODEC_ID_GSM;

/// What such files begin with.
pub(super) const MARK: [u8; 4] = *b"caff";
/// Most chunks in front of the samples.
const MAX_CHUNKS: u32 = 1_000;
/// Flags of linear PCM: samples are floats, and little-endian.
const FLOAT: u32 = 1;
const LITTLE_ENDIAN: u32 = 2;

/// The header of the CAF file in `source`, which begins at `start` and has `len` bytes in all;
/// `None` where it is none, or one for the demuxer.
pub(super) fn read<S: Read + Seek>(source: &mut S, start: u64, len: u64) -> io::Result<Option<Header>> {
    if bytes_at(source, start, 4)? != MARK {
        return Ok(None);
    }
    let mut blocks = None;
    let mut at = start + 8;
    for _ in 0..MAX_CHUNKS {
        let chunk = bytes_at(source, at, 12)?;
        let size = chunk.get(4..12).and_then(|size| size.first_chunk()).copied().map(i64::from_be_bytes);
        let (Some(name), Some(size)) = (chunk.first_chunk::<4>(), size) else {
            break;
        };
        let content = at + 12;
        match name {
            b"desc" => {
                blocks = described(&bytes_at(source, content, 32)?);
                if blocks.is_none() {
                    return Ok(None);
                }
            }
            b"data" => {
                let Some(blocks) = blocks else { break };
                // Behind a count of edits. The size is -1 where the recorder did not know it, and 0
                // where it was killed.
                let end = u64::try_from(size).ok().filter(|&size| size > 4);
                let end = end.map_or(len, |size| content.saturating_add(size).min(len));
                return Ok(Some(Header::Blocks(Blocks { start: (content + 4).min(len), end, ..blocks })));
            }
            _ => {}
        }
        let Ok(size) = u64::try_from(size) else { break };
        at = content.saturating_add(size);
        if at >= len {
            break;
        }
    }
    Ok(Some(Header::Damaged("a CAF file without a format and samples".to_owned())))
}

/// Where the chunks of the file end that fit into it, for its demuxer: what else stands behind them
/// is none.
pub(super) fn chunks_end<S: Read + Seek>(source: &mut S, start: u64, len: u64) -> io::Result<u64> {
    let mut at = start + 8;
    for _ in 0..MAX_CHUNKS {
        let chunk = bytes_at(source, at, 12)?;
        let size = chunk.get(4..12).and_then(|size| size.first_chunk()).copied().map(u64::from_be_bytes);
        let next = size.and_then(|size| at.checked_add(12)?.checked_add(size));
        match next {
            Some(next) if next <= len => at = next,
            // Samples may be cut off, or of unknown length.
            _ if chunk.starts_with(b"data") => return Ok(len),
            _ => break,
        }
    }
    Ok(at)
}

/// What the description says; `None` where it is of packets of many sizes.
fn described(content: &[u8]) -> Option<Blocks> {
    let rate = f64::from_be_bytes(*content.first_chunk()?);
    let word = |index: usize| u32_at(content, 8 + 4 * index, true);
    let (code, flags, channels, bits) = (content.get(8..12)?, word(1)?, word(4)?, word(5)?);
    let rate = if rate.is_finite() { rate.round().clamp(0.0, f64::from(u32::MAX)) as u32 } else { 0 };
    let coded = |codec, block_bytes, block_frames| {
        Some(Blocks { block_bytes, block_frames, ..Blocks::pcm(codec, rate, channels, 1) })
    };
    let codec = match code {
        b"lpcm" => match (flags & FLOAT != 0, flags & LITTLE_ENDIAN != 0, bits) {
            (true, true, 32) => id::CODEC_ID_PCM_F32LE,
            (true, false, 32) => id::CODEC_ID_PCM_F32BE,
            (true, true, 64) => id::CODEC_ID_PCM_F64LE,
            (true, false, 64) => id::CODEC_ID_PCM_F64BE,
            (false, _, 8) => id::CODEC_ID_PCM_S8,
            (false, true, 16) => id::CODEC_ID_PCM_S16LE,
            (false, false, 16) => id::CODEC_ID_PCM_S16BE,
            (false, true, 24) => id::CODEC_ID_PCM_S24LE,
            (false, false, 24) => id::CODEC_ID_PCM_S24BE,
            (false, true, 32) => id::CODEC_ID_PCM_S32LE,
            (false, false, 32) => id::CODEC_ID_PCM_S32BE,
            _ => return None,
        },
        b"ulaw" => return coded(id::CODEC_ID_PCM_MULAW, u64::from(channels), 1),
        b"alaw" => return coded(id::CODEC_ID_PCM_ALAW, u64::from(channels), 1),
        b"ima4" => return coded(id::CODEC_ID_ADPCM_IMA_QT, 34 * u64::from(channels), 64),
        b"agsm" => return coded(CODEC_ID_GSM, 33, 160),
        _ => return None,
    };
    let packet = u64::from(word(2)?);
    let sample = packet.checked_div(u64::from(channels)).filter(|&bytes| bytes * 8 == u64::from(bits));
    sample.map(|bytes| Blocks::pcm(codec, rate, channels, bytes))
}
