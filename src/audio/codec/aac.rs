//! AAC beyond the low-complexity profile: the part of HE-AAC that the decoder can play. It owns the
//! reading of AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1) and decodes nothing.

/// Object type of AAC low complexity.
const LOW_COMPLEXITY: u32 = 2;
/// Object types that announce HE-AAC: spectral band replication, and parametric stereo on top.
const HE_AAC: [u32; 2] = [5, 29];

/// The configuration of the low-complexity core in an HE-AAC configuration, `None` where there is
/// none. The core is the lower half of the band (mono where parametric stereo is used), which holds
/// all that a 16 kHz mono signal needs of the usual 32 to 48 kHz streams.
pub(super) fn low_complexity_core(config: &[u8]) -> Option<[u8; 2]> {
    let mut bits = Bits { bytes: config, position: 0 };
    let mut object_type = bits.take(5)?;
    let rate_index = bits.take(4)?;
    let channels = bits.take(4)?;
    if HE_AAC.contains(&object_type) {
        if bits.take(4)? == EXPLICIT_RATE {
            bits.take(24)?;
        }
        object_type = bits.take(5)?;
    }
    let short_frames = bits.take(1)? == 1;
    if object_type != LOW_COMPLEXITY || rate_index == EXPLICIT_RATE || short_frames {
        return None;
    }
    let core = (LOW_COMPLEXITY << 11) | (rate_index << 7) | (channels << 3);
    u16::try_from(core).ok().map(u16::to_be_bytes)
}

/// Rate index that says the rate follows in Hz.
const EXPLICIT_RATE: u32 = 15;

/// Bits of a byte slice, the highest first.
struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.bytes.get(self.position / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.position % 8) & 1);
            self.position += 1;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_core_of_both_ways_to_announce_he_aac() {
        // Low complexity, 22.05 kHz, stereo, with the backward-compatible extension for 44.1 kHz.
        assert_eq!(low_complexity_core(&[0x13, 0x90, 0x56, 0xe5, 0xa0]), Some([0x13, 0x90]));
        // Object type 5, core 22.05 kHz stereo, extension 44.1 kHz, core object type 2.
        assert_eq!(low_complexity_core(&[0x2b, 0x92, 0x08, 0x00]), Some([0x13, 0x90]));
        assert_eq!(low_complexity_core(&[0x0b, 0x90]), None); // AAC main
        assert_eq!(low_complexity_core(&[0x13]), None);
    }
}
