//! Sample entries in the forms of QuickTime (QuickTime File Format, "Sound sample descriptions"),
//! which its demuxer takes for others: samples whose highest byte is first, those of 8 bits, A-law
//! and µ-law, Apple Lossless within a `wave` box. It owns what such an entry really says.

use symphonia::core::codecs::audio::{AudioCodecParameters, CODEC_ID_NULL_AUDIO, well_known as id};

/// A sample entry as the file has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Entry {
    pub(super) code: [u8; 4],
    pub(super) version: u16,
    pub(super) sample_bits: u16,
    /// Whether an `enda` box says that the lowest byte of a sample is first.
    pub(super) lowest_first: bool,
    /// The configuration of Apple Lossless.
    pub(super) alac: Option<Box<[u8]>>,
}

/// Where the fields are that a demuxer is shown others in place of, from the entry's size on.
const CODE_AT: u64 = 4;
const SAMPLE_BITS_AT: u64 = 26;
const SAMPLE_BYTES_AT: u64 = 40;

impl Entry {
    /// What a demuxer is shown in place of the entry's bytes, with where it stands from the entry's
    /// size on: samples of one byte, where it refuses the true form.
    pub(super) fn shown(&self) -> Vec<(u64, Vec<u8>)> {
        if self.version > 1 || !self.is_single_byte() {
            return Vec::new();
        }
        let bits = (SAMPLE_BITS_AT, 8_u16.to_be_bytes().to_vec());
        let mut shown = vec![(CODE_AT, b"raw ".to_vec()), bits];
        if self.version == 1 {
            shown.push((SAMPLE_BYTES_AT, 1_u32.to_be_bytes().to_vec()));
        }
        shown
    }

    fn is_single_byte(&self) -> bool {
        match &self.code {
            b"twos" | b"sowt" => self.sample_bits == 8,
            b"alaw" | b"ulaw" => true,
            _ => false,
        }
    }

    /// Makes `parameters` of the demuxer say what the entry says.
    pub(super) fn correct(&self, parameters: &mut AudioCodecParameters) {
        // From version 2 on, flags say all that.
        let codec = match &self.code {
            b"alac" if parameters.codec == CODEC_ID_NULL_AUDIO => match &self.alac {
                Some(config) => {
                    parameters.with_extra_data(config.clone());
                    id::CODEC_ID_ALAC
                }
                None => return,
            },
            _ if self.version > 1 => return,
            b"alaw" => id::CODEC_ID_PCM_ALAW,
            b"ulaw" => id::CODEC_ID_PCM_MULAW,
            b"twos" | b"sowt" if self.sample_bits == 8 => id::CODEC_ID_PCM_S8,
            b"in24" if !self.lowest_first => id::CODEC_ID_PCM_S24BE,
            b"in32" if !self.lowest_first => id::CODEC_ID_PCM_S32BE,
            b"fl32" if !self.lowest_first => id::CODEC_ID_PCM_F32BE,
            b"fl64" if !self.lowest_first => id::CODEC_ID_PCM_F64BE,
            _ => return,
        };
        if matches!(codec, id::CODEC_ID_PCM_ALAW | id::CODEC_ID_PCM_MULAW) {
            // Of the samples, not of their bytes.
            (parameters.bits_per_sample, parameters.bits_per_coded_sample) = (None, None);
        }
        parameters.for_codec(codec);
    }
}
