//! Sun and NeXT audio (`.au`, `.snd`). It owns the reading of its header. The samples go on to the
//! end of the file: nothing stands behind them, and the size is often unknown.

use std::io::{self, Read, Seek};

use symphonia::core::codecs::audio::well_known as id;

use super::blocks::{Blocks, bytes_at};
use super::header::Header;
use super::wave::u32_at;

/// Bytes of the header without its text.
const HEADER_BYTES: u32 = 24;

/// The header of the Sun file in `source`, which begins at `start` and has `len` bytes in all;
/// `None` where it is none.
pub(super) fn read<S: Read + Seek>(source: &mut S, start: u64, len: u64) -> io::Result<Option<Header>> {
    let head = bytes_at(source, start, HEADER_BYTES as usize)?;
    if !head.starts_with(b".snd") {
        return Ok(None);
    }
    let field = |index: usize| u32_at(&head, 4 * index, true);
    let (Some(offset), Some(encoding), Some(rate), Some(channels)) = (field(1), field(3), field(4), field(5))
    else {
        return Ok(Some(Header::Damaged("a Sun audio file that ends within its header".to_owned())));
    };
    let pcm = |codec, bytes| Blocks::pcm(codec, rate, channels, bytes);
    let blocks = match encoding {
        1 => pcm(id::CODEC_ID_PCM_MULAW, 1),
        2 => pcm(id::CODEC_ID_PCM_S8, 1),
        3 => pcm(id::CODEC_ID_PCM_S16BE, 2),
        4 => pcm(id::CODEC_ID_PCM_S24BE, 3),
        5 => pcm(id::CODEC_ID_PCM_S32BE, 4),
        6 => pcm(id::CODEC_ID_PCM_F32BE, 4),
        7 => pcm(id::CODEC_ID_PCM_F64BE, 8),
        24 => Blocks { block_bytes: 1, block_frames: 2, ..pcm(id::CODEC_ID_ADPCM_G722, 1) },
        27 => pcm(id::CODEC_ID_PCM_ALAW, 1),
        23 | 25 | 26 => {
            return Ok(Some(Header::Unsupported("Sun audio with ADPCM (G.721, G.723)".to_owned())));
        }
        other => {
            return Ok(Some(Header::Unsupported(format!("Sun audio with the encoding {other}"))));
        }
    };
    let first = start + u64::from(offset.max(HEADER_BYTES));
    Ok(Some(Header::Blocks(Blocks { start: first.min(len), end: len, ..blocks })))
}
