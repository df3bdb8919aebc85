//! ZIP archives without compression, with right checksums: a reader passes over none of what lies
//! in them.

use crate::input::Input;

/// An archive with an entry `<name>.npy` for each of `names`. `bytes` are the entries one after the
/// other, each with its length before it (u16, little-endian).
#[must_use]
pub fn stored(names: &[&str], bytes: &[u8]) -> Vec<u8> {
    let mut input = Input::new(bytes);
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for name in names {
        let name = format!("{name}.npy");
        let length = usize::from(input.u16());
        let content = input.bytes(length);
        let size = (content.len() as u32).to_le_bytes();
        // Version, flags, method, time, date.
        let mut entry = [20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0].to_vec();
        entry.extend(checksum(content).to_le_bytes());
        entry.extend([size, size].concat());
        entry.extend((name.len() as u16).to_le_bytes());
        entry.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&entry);
        // Comment, disk, attributes.
        directory.extend([0; 10]);
        directory.extend((file.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        file.extend(b"PK\x03\x04");
        file.extend(entry);
        file.extend(name.as_bytes());
        file.extend(content);
    }
    let count = (names.len() as u16).to_le_bytes();
    let (size, at) = (directory.len() as u32, file.len() as u32);
    file.extend(directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend([count, count].concat());
    file.extend([size.to_le_bytes(), at.to_le_bytes()].concat());
    file.extend([0, 0]);
    file
}

/// CRC-32 as ZIP has it.
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ ((sum & 1) * 0xedb8_8320))
    })
}
