//! WAV: RIFF, its big-endian form RIFX, and the 64-bit forms RF64 and BW64 (EBU Tech 3306). It owns
//! the reading of the header, and the decision where the samples end: recorders that were killed or
//! write to a pipe leave sizes that are wrong, and 32 bits wrap at 4 GiB.

use std::io::{self, Read, Seek};

use symphonia::core::codecs::audio::AudioCodecId;
use symphonia::core::codecs::audio::well_known as id;

use super::blocks::{Blocks, bytes_at};
use super::frame::tag_bytes;
use super::header::Header;
use crate::audio::codec::CODEC_ID_GSM_MS;

/// Most chunks in front of the samples.
const MAX_CHUNKS: u32 = 1_000;
/// Most chunks behind the samples that are looked at.
const MAX_TRAILING: u32 = 64;
/// A size that says nothing.
const UNKNOWN: u64 = 0xffff_ffff;
/// Bytes of the format chunk that are read.
const FORMAT_BYTES: usize = 64;
/// Chunks that stand behind samples; others are believed where the chunks end with the file.
const TRAILING: [&[u8; 4]; 17] = [
    b"LIST", b"id3 ", b"ID3 ", b"bext", b"fact", b"cue ", b"smpl", b"JUNK", b"junk", b"PAD ", b"PEAK",
    b"iXML", b"axml", b"_PMX", b"afsp", b"inst", b"DISP",
];

/// The header of the WAV file in `source`, which begins at `start` and has `len` bytes in all;
/// `None` where it is none.
pub(super) fn read<S: Read + Seek>(source: &mut S, start: u64, len: u64) -> io::Result<Option<Header>> {
    let head = bytes_at(source, start, 12)?;
    let (Some(marker), Some(b"WAVE")) = (head.first_chunk::<4>(), head.get(8..12)) else {
        return Ok(None);
    };
    let big_endian = match marker {
        b"RIFF" | b"RF64" | b"BW64" => false,
        b"RIFX" => true,
        _ => return Ok(None),
    };
    let (mut format, mut samples) = (None, None);
    let (mut long_size, mut frames) = (None, None);
    let mut at = start + 12;
    for _ in 0..MAX_CHUNKS {
        let chunk = bytes_at(source, at, 8)?;
        let (Some(name), Some(size)) = (chunk.first_chunk::<4>(), u32_at(&chunk, 4, big_endian)) else {
            break;
        };
        let size = u64::from(size);
        match name {
            b"ds64" => {
                let content = bytes_at(source, at + 8, 24)?;
                long_size = content.get(8..16).and_then(|b| b.first_chunk()).copied().map(u64::from_le_bytes);
            }
            b"fmt " => {
                let content = bytes_at(source, at + 8, FORMAT_BYTES.min(size as usize))?;
                format = Format::read(&content, big_endian);
            }
            b"fact" => {
                let content = bytes_at(source, at + 8, 4)?;
                frames = u32_at(&content, 0, big_endian).map(u64::from).filter(|&n| n > 0 && n < UNKNOWN);
            }
            b"data" => {
                let size = if size == UNKNOWN { long_size.unwrap_or(size) } else { size };
                samples = samples.or(Some((at + 8, size)));
            }
            _ => {}
        }
        // Some have the format behind the samples.
        if let (Some(format), Some((first, size))) = (&format, samples) {
            let end = end(source, first, size, len, big_endian)?;
            return format.header(source, first, end, frames).map(Some);
        }
        at += 8 + size + size % 2;
        if at >= len {
            break;
        }
    }
    Ok(Some(Header::Damaged("a WAV file without a format and samples".to_owned())))
}

/// Where samples end that begin at `first`, of which the header says that they are `size` bytes.
fn end<S: Read + Seek>(source: &mut S, first: u64, size: u64, len: u64, big_endian: bool) -> io::Result<u64> {
    let stated = first.saturating_add(size);
    // Recorders write a size at the end, which does not come where they are killed; until then it
    // says 0, or as much as it can.
    if stated >= len {
        return Ok(len);
    }
    Ok(if chunks_follow(source, stated + size % 2, len, big_endian)? { stated } else { len })
}

/// Whether at `at` chunks follow, rather than more samples.
fn chunks_follow<S: Read + Seek>(
    source: &mut S,
    mut at: u64,
    len: u64,
    big_endian: bool,
) -> io::Result<bool> {
    for _ in 0..MAX_TRAILING {
        // Too few bytes for a chunk, or for a sound.
        if len.saturating_sub(at) < 8 {
            return Ok(true);
        }
        let chunk = bytes_at(source, at, 8)?;
        let (Some(name), Some(size)) = (chunk.first_chunk::<4>(), u32_at(&chunk, 4, big_endian)) else {
            return Ok(true);
        };
        // Tags of MP3 files are no chunks, but are put behind them.
        let tag = tag_bytes(&bytes_at(source, at, 32)?).is_some_and(|bytes| bytes <= len - at);
        if tag || TRAILING.contains(&name) {
            return Ok(true);
        }
        let named = name.iter().all(|byte| matches!(byte, b' '..=b'~'));
        let next = at + 8 + u64::from(size) + u64::from(size % 2);
        if !named || next > len + 1 {
            return Ok(false);
        }
        at = next;
    }
    Ok(true)
}

/// The format chunk, which other containers have too.
pub(super) struct Format {
    tag: u16,
    channels: u16,
    rate: u32,
    block_align: u16,
    bits: u16,
    big_endian: bool,
}

impl Format {
    pub(super) fn read(content: &[u8], big_endian: bool) -> Option<Self> {
        let short = |at: usize| {
            let bytes = *content.get(at..at + 2)?.first_chunk()?;
            Some(if big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
        };
        let mut tag = short(0)?;
        // WAVE_FORMAT_EXTENSIBLE: the tag begins the identifier of the format.
        if tag == 0xfffe {
            tag = short(24).unwrap_or(tag);
        }
        Some(Self {
            tag,
            channels: short(2)?,
            rate: u32_at(content, 4, big_endian)?,
            block_align: short(12)?,
            bits: short(14).unwrap_or(0),
            big_endian,
        })
    }

    /// The header of samples from `start` to `end`.
    pub(super) fn header<S: Read + Seek>(
        &self,
        source: &mut S,
        start: u64,
        end: u64,
        frames: Option<u64>,
    ) -> io::Result<Header> {
        let channels = u32::from(self.channels);
        let align = u64::from(self.block_align);
        let pcm = |codec, bytes| Blocks::pcm(codec, self.rate, channels, bytes);
        let coded = |codec, block_bytes, block_frames| Blocks {
            block_bytes,
            block_frames,
            frames,
            ..Blocks::pcm(codec, self.rate, channels, 1)
        };
        let blocks = match self.tag {
            0x0001 => {
                let held = align.checked_div(u64::from(channels)).unwrap_or(0);
                let bytes = u64::from(self.bits.div_ceil(8));
                let bytes = if (bytes..=4).contains(&held) && held > 0 { held } else { bytes };
                let mut blocks = pcm(self.pcm_codec(bytes), bytes);
                if bytes == 4
                    && self.bits == 24
                    && low_bytes_hold_samples(source, start, end, self.big_endian)?
                {
                    blocks.coded_bits = Some(24);
                }
                blocks
            }
            0x0003 if self.bits == 64 => {
                pcm(if self.big_endian { id::CODEC_ID_PCM_F64BE } else { id::CODEC_ID_PCM_F64LE }, 8)
            }
            0x0003 => pcm(if self.big_endian { id::CODEC_ID_PCM_F32BE } else { id::CODEC_ID_PCM_F32LE }, 4),
            0x0006 => pcm(id::CODEC_ID_PCM_ALAW, 1),
            0x0007 => pcm(id::CODEC_ID_PCM_MULAW, 1),
            0x0002 => {
                let (head, bits) = (7 * u64::from(channels), 4 * u64::from(channels).max(1));
                coded(id::CODEC_ID_ADPCM_MS, align, align.saturating_sub(head) * 8 / bits + 2)
            }
            0x0011 => {
                let (head, bits) = (4 * u64::from(channels), 4 * u64::from(channels).max(1));
                coded(id::CODEC_ID_ADPCM_IMA_WAV, align, align.saturating_sub(head) * 8 / bits + 1)
            }
            0x0031 => coded(CODEC_ID_GSM_MS, 65, 320),
            // Two samples of the band in a byte.
            0x028f | 0x0065 => coded(id::CODEC_ID_ADPCM_G722, 1, 2),
            0x0050 | 0x0055 => return Ok(Header::Frames { start, end }),
            0x00ff | 0x1600 | 0x706d => return Ok(Header::Frames { start, end }),
            tag => return Ok(Header::Unsupported(format!("WAV with {}", codec_name(tag)))),
        };
        Ok(Header::Blocks(Blocks { start, end, ..blocks }))
    }

    fn pcm_codec(&self, bytes: u64) -> AudioCodecId {
        match (bytes, self.big_endian) {
            (0 | 1, _) => id::CODEC_ID_PCM_U8,
            (2, false) => id::CODEC_ID_PCM_S16LE,
            (2, true) => id::CODEC_ID_PCM_S16BE,
            (3, false) => id::CODEC_ID_PCM_S24LE,
            (3, true) => id::CODEC_ID_PCM_S24BE,
            (_, false) => id::CODEC_ID_PCM_S32LE,
            (_, true) => id::CODEC_ID_PCM_S32BE,
        }
    }
}

/// Whether 24-bit samples are in the lower three of their four bytes. The specification has them in
/// the upper three; not all recorders do.
fn low_bytes_hold_samples<S: Read + Seek>(
    source: &mut S,
    start: u64,
    end: u64,
    big_endian: bool,
) -> io::Result<bool> {
    const LOOK: u64 = 64 * 1024;
    let bytes = bytes_at(source, start, end.saturating_sub(start).min(LOOK) as usize)?;
    let words = bytes.chunks_exact(4).filter_map(|word| word.first_chunk().copied());
    let words = words.map(|[a, b, c, d]: [u8; 4]| if big_endian { [d, c, b, a] } else { [a, b, c, d] });
    let (mut lowest_used, mut extended) = (false, true);
    for [lowest, _, third, highest] in words {
        lowest_used |= lowest != 0;
        extended &= highest == if third & 0x80 == 0 { 0 } else { 0xff };
    }
    Ok(lowest_used && extended)
}

/// Names of codecs by their tags (RFC 2361).
fn codec_name(tag: u16) -> String {
    let name = match tag {
        0x0160..=0x0163 => "Windows Media Audio",
        0x0014 | 0x0040 | 0x0045 | 0x0064 | 0x0140 => "ADPCM (G.726)",
        0x0016 => "DVI ADPCM",
        0x0022 => "TrueSpeech",
        0x0042 => "G.723.1",
        0x0083 | 0x0123 => "G.729",
        0x0092 | 0x2000 => "Dolby AC-3",
        0x2001 => "DTS",
        0x0057 | 0x0058 => "AMR",
        0xa109 => "Speex",
        0xf1ac => "FLAC",
        _ => return format!("the codec 0x{tag:04x}"),
    };
    name.to_owned()
}

pub(super) fn u32_at(bytes: &[u8], at: usize, big_endian: bool) -> Option<u32> {
    let bytes = *bytes.get(at..at + 4)?.first_chunk()?;
    Some(if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
}
