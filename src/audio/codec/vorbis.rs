//! Vorbis streams whose setup header asks a decoder for more memory and time than its bytes are
//! worth (Vorbis I specification, sections 3.2.1 and 4.2.4): two hundred bits declare a codebook of
//! millions of values, and a header has up to 256 of them. It owns a reader of the codebooks'
//! sizes, and their limits; it makes no codebook.

/// Most entries of all codebooks together, and most values of those that hold vectors. Ten times
/// what real files have: two of libvorbis, of 44 kHz mono and 16 kHz stereo, have 3,745 and 10,400
/// entries and 6,972 and 58,514 values. A decoder was measured to take 0.5 KB for an entry, besides
/// 4 bytes for a value.
const MAX_ENTRIES: u64 = 1 << 17;
const MAX_VALUES: u64 = 1 << 20;

/// Bytes of the identification header, which the setup header follows, and of what its bits follow.
const IDENTIFICATION: usize = 30;
const SETUP: &[u8; 7] = b"\x05vorbis";
/// What each codebook begins with, the letters "BCV".
const SYNC: u32 = 0x56_43_42;
/// Most dimensions and entries of a codebook that the decoder takes; it refuses others before it
/// makes anything.
const DECODER_DIMENSIONS: u32 = 32;
const DECODER_ENTRIES: u32 = 128 * 1024;

/// What is wrong with the sizes of the codebooks in `headers`, the identification and the setup
/// header of a stream. Headers that are damaged have nothing wrong up to there: the decoder refuses
/// them at the same place.
pub(super) fn codebook_fault(headers: &[u8]) -> Option<String> {
    let setup = headers.get(IDENTIFICATION..)?.strip_prefix(SETUP)?;
    let mut bits = Bits { bytes: setup, position: 0 };
    let count = bits.take(8)? + 1;
    let (mut entries, mut values) = (0, 0);
    for index in 0..count {
        let (dimensions, book_entries) = sizes(&mut bits)?;
        entries += u64::from(book_entries);
        if entries > MAX_ENTRIES {
            return Some(format!(
                "codebook {index}: expected at most {MAX_ENTRIES} entries up to it, got {entries}"
            ));
        }
        skip_lengths(&mut bits, book_entries)?;
        let lookup = bits.take(4)?;
        if lookup == 0 {
            continue;
        }
        values += u64::from(book_entries) * u64::from(dimensions);
        if values > MAX_VALUES {
            return Some(format!(
                "codebook {index}: expected at most {MAX_VALUES} values up to it, got {values} \
                 ({book_entries} entries of {dimensions} in it)"
            ));
        }
        skip_values(&mut bits, lookup, dimensions, book_entries)?;
    }
    None
}

/// Dimensions and entries of the next codebook.
fn sizes(bits: &mut Bits<'_>) -> Option<(u32, u32)> {
    let sync = bits.take(24)?;
    let (dimensions, entries) = (bits.take(16)?, bits.take(24)?);
    let known = sync == SYNC && (1..=DECODER_DIMENSIONS).contains(&dimensions) && entries <= DECODER_ENTRIES;
    known.then_some((dimensions, entries))
}

/// Skips the codeword lengths of a codebook.
fn skip_lengths(bits: &mut Bits<'_>, entries: u32) -> Option<()> {
    let ordered = bits.take(1)? == 1;
    if ordered {
        bits.skip(5)?;
        let mut known = 0;
        while known < entries {
            known += bits.take(u32::BITS - (entries - known).leading_zeros())?;
        }
        return (known == entries).then_some(());
    }
    let sparse = bits.take(1)? == 1;
    if !sparse {
        return bits.skip(5 * u64::from(entries));
    }
    for _ in 0..entries {
        if bits.take(1)? == 1 {
            bits.skip(5)?;
        }
    }
    Some(())
}

/// Skips what the vectors of a codebook are made of.
fn skip_values(bits: &mut Bits<'_>, lookup: u32, dimensions: u32, entries: u32) -> Option<()> {
    // Least value and step.
    bits.skip(64)?;
    let value_bits = bits.take(4)? + 1;
    bits.skip(1)?;
    let count = match lookup {
        // In f32 as the decoder does it, so that both go on at the same bit.
        1 => (entries as f32).powf(1.0 / dimensions as f32).floor() as u32,
        2 => entries * dimensions,
        _ => return None,
    };
    bits.skip(u64::from(count) * u64::from(value_bits))
}

/// Bits of a byte slice, the lowest first.
struct Bits<'a> {
    bytes: &'a [u8],
    position: u64,
}

impl Bits<'_> {
    /// The next `count` bits, at most 32.
    fn take(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for place in 0..count {
            let byte = self.bytes.get(usize::try_from(self.position / 8).ok()?)?;
            value |= u32::from(byte >> (self.position % 8) & 1) << place;
            self.position += 1;
        }
        Some(value)
    }

    fn skip(&mut self, count: u64) -> Option<()> {
        self.position += count;
        (self.position <= self.bytes.len() as u64 * 8).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codebooks as the specification packs them.
    #[derive(Default)]
    struct Header {
        bits: Vec<bool>,
    }

    impl Header {
        fn put(&mut self, value: u32, count: u32) -> &mut Self {
            self.bits.extend((0..count).map(|place| value >> place & 1 == 1));
            self
        }

        fn book(&mut self, dimensions: u32, entries: u32) -> &mut Self {
            self.put(SYNC, 24).put(dimensions, 16).put(entries, 24)
        }

        fn vectors(&mut self, lookup: u32, count: u32) -> &mut Self {
            self.put(lookup, 4).put(7, 32).put(9, 32).put(3, 4).put(1, 1);
            (0..count).for_each(|_| {
                self.put(5, 4);
            });
            self
        }

        fn fault(&self) -> Option<String> {
            let mut bytes = [&[0; IDENTIFICATION][..], SETUP].concat();
            let byte = |bits: &[bool]| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit));
            bytes.extend(self.bits.chunks(8).map(byte));
            codebook_fault(&bytes)
        }
    }

    #[test]
    fn every_way_to_write_a_codebook_leads_to_the_next() {
        let mut header = Header::default();
        header.put(4, 8);
        // Ordered, in two lengths; each entry; the used ones alone; a value for each of all
        // vectors.
        header.book(4, 81).put(1, 1).put(5, 5).put(47, 7).put(34, 6).vectors(1, 3);
        header.book(1, 3).put(0, 2).put(0x7fff, 15).put(0, 4);
        header.book(2, 3).put(0b10, 2).put(1, 1).put(9, 5).put(0, 1).put(1, 1).put(9, 5).vectors(1, 1);
        header.book(2, 2).put(0, 2).put(0, 10).vectors(2, 4);
        let before = header.bits.len();
        header.book(32, 40_000).put(1, 1).put(15, 5).put(40_000, 16).vectors(1, 1);
        let text = header.fault().unwrap();
        let values = 81 * 4 + 3 * 2 + 2 * 2 + 40_000 * 32;
        let expected = format!("codebook 4: expected at most 1048576 values up to it, got {values}");
        assert!(text.starts_with(&expected), "{text}");
        header.bits.truncate(before);
        header.book(1, 131_000).put(0, 2);
        let text = header.fault().unwrap();
        assert_eq!(text, "codebook 4: expected at most 131072 entries up to it, got 131089");
    }

    #[test]
    fn what_the_decoder_refuses_itself_has_no_fault() {
        for (dimensions, entries) in [(0, 100), (33, 100), (1, DECODER_ENTRIES + 1)] {
            assert_eq!(Header::default().put(255, 8).book(dimensions, entries).fault(), None);
        }
        assert_eq!(Header::default().put(255, 8).put(0, 32).put(0, 32).fault(), None);
        assert_eq!(codebook_fault(&[]), None);
    }
}
