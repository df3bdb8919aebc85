//! Encodings of the samples in a message.

use crate::work::live::Samples;

/// How audio is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Encoding {
    /// Samples.
    Pcm(Pcm),
    /// A packet of Opus in each message.
    Opus,
}

/// How samples are written.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Pcm {
    /// 16-bit integers, little-endian.
    #[default]
    S16le,
    /// 32-bit floats, little-endian, full scale ±1.
    F32le,
    /// µ-law of ITU-T G.711.
    Mulaw,
    /// A-law of ITU-T G.711.
    Alaw,
}

/// The encodings by their names.
const NAMES: [(&str, Encoding); 5] = [
    ("s16le", Encoding::Pcm(Pcm::S16le)),
    ("f32le", Encoding::Pcm(Pcm::F32le)),
    ("mulaw", Encoding::Pcm(Pcm::Mulaw)),
    ("alaw", Encoding::Pcm(Pcm::Alaw)),
    ("opus", Encoding::Opus),
];

impl Default for Encoding {
    fn default() -> Self {
        Encoding::Pcm(Pcm::default())
    }
}

impl Encoding {
    /// The encoding of this name, or what names there are.
    pub(super) fn named(name: &str) -> Result<Self, String> {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        found.map(|(_, encoding)| *encoding).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            format!("expected one of {}, got {name:?}", names.join(", "))
        })
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        NAMES.iter().find(|(_, encoding)| *encoding == self).map_or("", |(name, _)| name)
    }
}

impl Pcm {
    /// Bytes of one sample.
    fn width(self) -> usize {
        match self {
            Pcm::S16le => size_of::<i16>(),
            Pcm::F32le => size_of::<f32>(),
            Pcm::Mulaw | Pcm::Alaw => 1,
        }
    }

    /// The samples in `bytes`, of whole frames of `channels`.
    ///
    /// # Errors
    /// Bytes that are no whole number of frames.
    pub(super) fn decode(self, bytes: &[u8], channels: u16) -> Result<Samples, String> {
        let frame = self.width() * usize::from(channels);
        if !bytes.len().is_multiple_of(frame) {
            let name = Encoding::Pcm(self).name();
            return Err(format!(
                "audio: expected whole frames of {frame} bytes ({name}, {channels} channels), got {} bytes",
                bytes.len()
            ));
        }
        Ok(match self {
            Pcm::S16le => {
                Samples::I16(bytes.as_chunks().0.iter().map(|sample| i16::from_le_bytes(*sample)).collect())
            }
            Pcm::F32le => {
                Samples::F32(bytes.as_chunks().0.iter().map(|sample| f32::from_le_bytes(*sample)).collect())
            }
            Pcm::Mulaw => Samples::I16(bytes.iter().map(|&byte| from_mulaw(byte)).collect()),
            Pcm::Alaw => Samples::I16(bytes.iter().map(|&byte| from_alaw(byte)).collect()),
        })
    }
}

/// A sample of µ-law at 16 bits: G.711, table 2a, the 14-bit value times 4.
fn from_mulaw(byte: u8) -> i16 {
    let inverted = !byte;
    let (exponent, mantissa) = ((inverted >> 4) & 7, i16::from(inverted & 15));
    let magnitude = (((mantissa << 3) + 132) << exponent) - 132;
    if inverted & 0x80 == 0 { magnitude } else { -magnitude }
}

/// A sample of A-law at 16 bits: G.711, table 1a, the 13-bit value times 8.
fn from_alaw(byte: u8) -> i16 {
    let toggled = byte ^ 0x55;
    let (exponent, mantissa) = ((toggled >> 4) & 7, i16::from(toggled & 15));
    let magnitude = match exponent {
        0 => (mantissa << 4) + 8,
        exponent => ((mantissa << 4) + 264) << (exponent - 1),
    };
    if toggled & 0x80 == 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g_711_has_its_values() {
        // Ends of the tables, and the smallest values.
        let mulaw =
            [(0x00, -32_124), (0x80, 32_124), (0xff, 0), (0x7f, 0), (0xfe, 8), (0x7e, -8), (0xf0, 120)];
        for (byte, value) in mulaw {
            assert_eq!(from_mulaw(byte), value, "{byte:02x}");
        }
        let alaw = [(0x2a, -32_256), (0xaa, 32_256), (0xd5, 8), (0x55, -8), (0xd4, 24), (0x80, 5504)];
        for (byte, value) in alaw {
            assert_eq!(from_alaw(byte), value, "{byte:02x}");
        }
    }

    #[test]
    fn bytes_become_samples_of_whole_frames() {
        let decode = |name: &str, bytes: &[u8], channels| match Encoding::named(name) {
            Ok(Encoding::Pcm(pcm)) => pcm.decode(bytes, channels),
            other => panic!("{name}: {other:?}"),
        };
        assert_eq!(decode("s16le", &[1, 0, 0xff, 0x7f], 2), Ok(Samples::I16(vec![1, 32_767])));
        assert_eq!(decode("f32le", &0.5_f32.to_le_bytes(), 1), Ok(Samples::F32(vec![0.5])));
        assert_eq!(decode("alaw", &[], 1), Ok(Samples::I16(vec![])));
        let error = decode("s16le", &[0; 3], 1).unwrap_err();
        assert_eq!(error, "audio: expected whole frames of 2 bytes (s16le, 1 channels), got 3 bytes");
        assert!(decode("s16le", &[0; 2], 2).is_err());
        let error = Encoding::named("mp3").unwrap_err();
        assert_eq!(error, "expected one of s16le, f32le, mulaw, alaw, opus, got \"mp3\"");
    }
}
