//! Headers of frames that announce themselves: MPEG audio (ISO/IEC 11172-3, 13818-3) and AAC in
//! ADTS (ISO/IEC 14496-3, 1.A.2.2), and the tags around them. It owns their reading; it looks at no
//! more bytes than it is given.

use symphonia::core::codecs::audio::well_known::{CODEC_ID_AAC, CODEC_ID_MP1, CODEC_ID_MP2, CODEC_ID_MP3};
use symphonia::core::codecs::audio::{AudioCodecId, CODEC_ID_NULL_AUDIO};

/// Bytes by which a frame is known.
pub(super) const HEADER_BYTES: usize = 7;
/// Samples that a decoder of layer 3 puts in front of the sound, beside those of the encoder.
const DECODER_DELAY: u64 = 529;

/// Bit rates in kbit/s of MPEG-1 layers 1 to 3, and of MPEG-2 layer 1 and layers 2 and 3.
const BIT_RATES: [[u32; 15]; 5] = [
    [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
    [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
    [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
const MPEG_RATES: [u32; 3] = [44_100, 48_000, 32_000];
const AAC_RATES: [u32; 13] =
    [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// What a frame says of itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    /// Bytes in all, and those of the header that no decoder wants.
    pub(super) bytes: usize,
    pub(super) header: usize,
    pub(super) samples: u64,
}

/// What is the same in all frames of a stream.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kind {
    pub(super) codec: AudioCodecId,
    pub(super) rate: u32,
    pub(super) channels: u16,
    /// MPEG version, or profile of AAC.
    version: u8,
}

impl Kind {
    /// That of no frame.
    pub(super) const UNKNOWN: Self = Self { codec: CODEC_ID_NULL_AUDIO, rate: 0, channels: 0, version: 0 };
}

impl Frame {
    /// The frame that `bytes` begin with.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let &[sync, second, third, fourth, fifth, sixth, _, ..] = bytes else {
            return None;
        };
        if sync != 0xff || second & 0xe0 != 0xe0 {
            return None;
        }
        match second & 0x06 {
            0 if second & 0xf0 == 0xf0 => Self::adts([second, third, fourth, fifth, sixth]),
            0 => None,
            _ => Self::mpeg([second, third, fourth]),
        }
    }

    fn mpeg([second, third, fourth]: [u8; 3]) -> Option<Self> {
        let version = second >> 3 & 3;
        let layer = 4 - usize::from(second >> 1 & 3);
        let (bit_rate, rate) = (usize::from(third >> 4), usize::from(third >> 2 & 3));
        let padding = u32::from(third >> 1 & 1);
        // Version 1 and emphasis 2 are reserved; the bit rate 0 leaves the size open.
        if version == 1 || fourth & 3 == 2 || bit_rate == 0 {
            return None;
        }
        let first = version == 3;
        let rows = if first { layer - 1 } else { 3 + usize::from(layer > 1) };
        let bit_rate = 1000 * BIT_RATES.get(rows)?.get(bit_rate)?;
        let rate = MPEG_RATES.get(rate)?
            >> match version {
                3 => 0,
                2 => 1,
                _ => 2,
            };
        let (codec, samples, bytes) = match layer {
            1 => (CODEC_ID_MP1, 384, (12 * bit_rate / rate + padding) * 4),
            2 => (CODEC_ID_MP2, 1152, 144 * bit_rate / rate + padding),
            _ if first => (CODEC_ID_MP3, 1152, 144 * bit_rate / rate + padding),
            _ => (CODEC_ID_MP3, 576, 72 * bit_rate / rate + padding),
        };
        let channels = if fourth >> 6 == 3 { 1 } else { 2 };
        let kind = Kind { codec, rate, channels, version };
        Some(Self { kind, bytes: bytes as usize, header: 0, samples })
    }

    fn adts([second, third, fourth, fifth, sixth]: [u8; 5]) -> Option<Self> {
        let header = if second & 1 == 1 { 7 } else { 9 };
        let rate = *AAC_RATES.get(usize::from(third >> 2 & 15))?;
        let channels = u16::from(third & 1) << 2 | u16::from(fourth >> 6);
        let bytes = usize::from(fourth & 3) << 11 | usize::from(fifth) << 3 | usize::from(sixth >> 5);
        let kind = Kind { codec: CODEC_ID_AAC, rate, channels, version: third >> 6 };
        (bytes > header).then_some(Self { kind, bytes, header, samples: 1024 })
    }
}

/// The samples to play, as the first frame of an MP3 stream says (the tag of Xing, extended by
/// LAME).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct InfoTag {
    /// Samples in front of them.
    pub(super) skip: u64,
    /// Where they end.
    pub(super) end: u64,
    /// Bytes of the stream.
    pub(super) bytes: Option<u64>,
}

impl Default for InfoTag {
    fn default() -> Self {
        Self { skip: 0, end: u64::MAX, bytes: None }
    }
}

impl InfoTag {
    /// The tag in a whole frame; `None` where it holds sound.
    pub(super) fn parse(frame: &[u8], kind: Kind, samples: u64) -> Option<Self> {
        if kind.codec != CODEC_ID_MP3 {
            return None;
        }
        let side = match (kind.version == 3, kind.channels) {
            (true, 2) => 32,
            (true, _) | (false, 2) => 17,
            (false, _) => 9,
        };
        // Fraunhofer's tag has one place.
        if frame.get(36..40) == Some(b"VBRI") {
            return Some(Self::default());
        }
        let tag = frame.get(4 + side..)?;
        let fields = tag.strip_prefix(b"Xing").or_else(|| tag.strip_prefix(b"Info"))?;
        let word = |at: usize| fields.get(at..at + 4)?.first_chunk().copied().map(u32::from_be_bytes);
        let flags = word(0)?;
        let frames = word(4).filter(|_| flags & 1 != 0);
        let bytes = word(if flags & 1 != 0 { 8 } else { 4 }).filter(|_| flags & 2 != 0).map(u64::from);
        let sizes = [(1, 4), (2, 4), (4, 100), (8, 4)];
        let lame =
            4 + sizes.iter().filter(|(flag, _)| flags & flag != 0).map(|(_, size)| size).sum::<usize>();
        let encoder = fields.get(lame..lame + 24);
        let Some(&[high, middle, low]) = encoder.and_then(|encoder| encoder.get(21..24)) else {
            return Some(Self::default());
        };
        let delay = u64::from(high) << 4 | u64::from(middle >> 4);
        let padding = u64::from(middle & 15) << 8 | u64::from(low);
        if delay == 0 && padding == 0 {
            return Some(Self::default());
        }
        let skip = delay + DECODER_DELAY;
        let total = frames.map(|frames| u64::from(frames) * samples);
        let end = total.map_or(u64::MAX, |total| (total + DECODER_DELAY).saturating_sub(padding));
        Some(Self { skip, end, bytes })
    }
}

/// Bytes of the tag that `bytes` begin with: text about the recording, and no damage.
pub(super) fn tag_bytes(bytes: &[u8]) -> Option<u64> {
    let little = |at: usize| bytes.get(at..at + 4)?.first_chunk().copied().map(u32::from_le_bytes);
    match bytes {
        [b'I', b'D', b'3', _, _, flags, s3, s2, s1, s0, ..] => {
            let size = [s3, s2, s1, s0].iter().fold(0, |size, &&byte| size << 7 | u64::from(byte & 0x7f));
            Some(10 + size + if flags & 0x10 != 0 { 10 } else { 0 })
        }
        [b'T', b'A', b'G', ..] => Some(128),
        _ if bytes.starts_with(b"APETAGEX") => {
            // The size counts the items and the footer; a header comes on top.
            let header = little(20).is_some_and(|flags| flags & 0x2000_0000 != 0);
            Some(if header { 32 + u64::from(little(12)?) } else { 32 })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_sizes_of_the_standards() {
        let mp3 = Frame::parse(&[0xff, 0xfb, 0x90, 0x64, 0, 0, 0]).unwrap();
        assert_eq!((mp3.bytes, mp3.samples, mp3.kind.rate, mp3.kind.channels), (417, 1152, 44_100, 2));
        let low = Frame::parse(&[0xff, 0xf3, 0x48, 0xc4, 0, 0, 0]).unwrap();
        assert_eq!((low.bytes, low.samples, low.kind.rate, low.kind.channels), (144, 576, 16_000, 1));
        let aac = Frame::parse(&[0xff, 0xf1, 0x4c, 0x40, 0x2a, 0x7f, 0xfc]).unwrap();
        assert_eq!((aac.bytes, aac.header, aac.kind.rate, aac.kind.channels), (339, 7, 48_000, 1));
        assert_eq!(Frame::parse(&[0xff, 0xfb, 0xf0, 0x64, 0, 0, 0]), None);
        assert_eq!(Frame::parse(&[0xff; 7]), None);
        assert_eq!(Frame::parse(&[0; 7]), None);
    }

    #[test]
    fn tags_have_the_sizes_that_they_state() {
        assert_eq!(tag_bytes(b"ID3\x04\0\0\0\0\x01\x01more"), Some(10 + 129));
        assert_eq!(tag_bytes(b"TAGtitle"), Some(128));
        assert_eq!(tag_bytes(b"APETAGEX\xd0\x07\0\0\x40\0\0\0\x01\0\0\0\0\0\0\xa0"), Some(96));
        assert_eq!(tag_bytes(b"RIFF"), None);
    }
}
