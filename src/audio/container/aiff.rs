//! AIFF and AIFF-C. It owns the reading of their header; samples whose size says nothing, or too
//! much, go on to the end of the file.

use std::io::{self, Read, Seek};

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known as id;

use super::blocks::{Blocks, bytes_at};
use super::header::Header;
use super::wave::u32_at;
use crate::audio::codec::CODEC_ID_GSM;

/// Most chunks that are looked at.
const MAX_CHUNKS: u32 = 1_000;

/// The header of the AIFF file in `source`, which begins at `start` and has `len` bytes in all;
/// `None` where it is none.
pub(super) fn read<S: Read + Seek>(source: &mut S, start: u64, len: u64) -> io::Result<Option<Header>> {
    let head = bytes_at(source, start, 12)?;
    if !head.starts_with(b"FORM") || !matches!(head.get(8..12), Some(b"AIFF" | b"AIFC")) {
        return Ok(None);
    }
    let (mut common, mut samples) = (None, None);
    let mut at = start + 12;
    for _ in 0..MAX_CHUNKS {
        if common.is_some() && samples.is_some() {
            break;
        }
        let chunk = bytes_at(source, at, 16)?;
        let (Some(name), Some(size)) = (chunk.first_chunk::<4>(), u32_at(&chunk, 4, true)) else {
            break;
        };
        let size = u64::from(size);
        match name {
            b"COMM" => common = Common::read(&bytes_at(source, at + 8, size.min(22) as usize)?),
            b"SSND" => {
                let offset = u64::from(u32_at(&chunk, 8, true).unwrap_or(0));
                let first = at.saturating_add(16 + offset).min(len);
                // Offset and block size count. A recorder that was killed leaves 0.
                let end = if size > 8 + offset { (at + 8 + size).min(len) } else { len };
                samples = Some((first, end));
            }
            _ => {}
        }
        at += 8 + size + size % 2;
        if at >= len {
            break;
        }
    }
    Ok(Some(match (common, samples) {
        (Some(common), Some((start, end))) => match common.blocks() {
            Ok(blocks) => Header::Blocks(Blocks { start, end, ..blocks }),
            Err(what) => Header::Unsupported(what),
        },
        _ => Header::Damaged("an AIFF file without a format and samples".to_owned()),
    }))
}

/// The chunk that describes the samples.
struct Common {
    channels: u16,
    bits: u16,
    rate: u32,
    compression: [u8; 4],
}

impl Common {
    fn read(content: &[u8]) -> Option<Self> {
        let short = |at: usize| content.get(at..at + 2)?.first_chunk().copied().map(u16::from_be_bytes);
        Some(Self {
            channels: short(0)?,
            bits: short(6)?,
            rate: extended(*content.get(8..18)?.first_chunk()?),
            compression: content.get(18..22).and_then(|code| code.first_chunk()).copied().unwrap_or(*b"NONE"),
        })
    }

    fn blocks(&self) -> Result<Blocks, String> {
        let channels = u32::from(self.channels);
        let pcm = |codec, bytes| Ok(Blocks::pcm(codec, self.rate, channels, bytes));
        let bytes = u64::from(self.bits.div_ceil(8));
        match &self.compression {
            b"NONE" | b"twos" | b"in24" | b"in32" => pcm(big_endian(bytes), bytes),
            b"sowt" | b"23ni" => pcm(little_endian(bytes), bytes),
            b"42ni" => pcm(id::CODEC_ID_PCM_S24LE, 3),
            b"raw " => pcm(id::CODEC_ID_PCM_U8, 1),
            b"fl32" | b"FL32" => pcm(id::CODEC_ID_PCM_F32BE, 4),
            b"fl64" | b"FL64" => pcm(id::CODEC_ID_PCM_F64BE, 8),
            b"ulaw" | b"ULAW" => pcm(id::CODEC_ID_PCM_MULAW, 1),
            b"alaw" | b"ALAW" => pcm(id::CODEC_ID_PCM_ALAW, 1),
            b"ima4" => Ok(Blocks {
                block_bytes: 34 * u64::from(channels),
                block_frames: 64,
                ..Blocks::pcm(id::CODEC_ID_ADPCM_IMA_QT, self.rate, channels, 1)
            }),
            b"GSM " | b"agsm" => Ok(Blocks {
                block_bytes: 33,
                block_frames: 160,
                ..Blocks::pcm(CODEC_ID_GSM, self.rate, channels, 1)
            }),
            b"G722" => Ok(Blocks {
                block_bytes: 1,
                block_frames: 2,
                ..Blocks::pcm(id::CODEC_ID_ADPCM_G722, self.rate, channels, 1)
            }),
            code => Err(format!("AIFF-C with the codec '{}'", code.escape_ascii())),
        }
    }
}

fn big_endian(bytes: u64) -> AudioCodecId {
    match bytes {
        0 | 1 => id::CODEC_ID_PCM_S8,
        2 => id::CODEC_ID_PCM_S16BE,
        3 => id::CODEC_ID_PCM_S24BE,
        _ => id::CODEC_ID_PCM_S32BE,
    }
}

fn little_endian(bytes: u64) -> AudioCodecId {
    match bytes {
        0 | 1 => id::CODEC_ID_PCM_S8,
        2 => id::CODEC_ID_PCM_S16LE,
        3 => id::CODEC_ID_PCM_S24LE,
        _ => id::CODEC_ID_PCM_S32LE,
    }
}

/// A positive number in the 80 bits of extended precision, rounded down; 0 beyond 32 bits.
fn extended(bytes: [u8; 10]) -> u32 {
    let [e0, e1, mantissa @ ..] = bytes;
    let exponent = i32::from(u16::from_be_bytes([e0, e1]) & 0x7fff) - 16_383;
    let shift = 63 - exponent;
    if !(32..=63).contains(&shift) {
        return 0;
    }
    u32::try_from(u64::from_be_bytes(mantissa) >> shift).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_from_extended_precision() {
        assert_eq!(extended([0x40, 0x0e, 0xac, 0x44, 0, 0, 0, 0, 0, 0]), 44_100);
        assert_eq!(extended([0x40, 0x0c, 0xfa, 0, 0, 0, 0, 0, 0, 0]), 16_000);
        assert_eq!(extended([0; 10]), 0);
        assert_eq!(extended([0xff; 10]), 0);
    }
}
