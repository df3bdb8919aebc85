//! Checksums of Ogg pages: without them a reader passes over every page that was mutated.

const HEADER: usize = 27;
/// Place of the checksum in a page.
const CHECKSUM: std::ops::Range<usize> = 22..26;

/// Gives each page of `bytes` the checksum that it should have.
pub fn mend_checksums(bytes: &mut [u8]) {
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(4).position(|window| window == b"OggS") {
        let start = at + found;
        let Some(&segments) = bytes.get(start + HEADER - 1) else { return };
        let body = start + HEADER + usize::from(segments);
        let Some(lacing) = bytes.get(start + HEADER..body) else { return };
        let end = body + lacing.iter().map(|&size| usize::from(size)).sum::<usize>();
        let Some(page) = bytes.get_mut(start..end) else { return };
        page[CHECKSUM].fill(0);
        let sum = page.iter().fold(0u32, |sum, &byte| {
            (0..8).fold(sum ^ (u32::from(byte) << 24), |sum, _| (sum << 1) ^ ((sum >> 31) * 0x04c1_1db7))
        });
        page[CHECKSUM].copy_from_slice(&sum.to_le_bytes());
        at = end;
    }
}
