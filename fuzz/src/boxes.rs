//! MP4 as a tree of boxes; sizes come out right again when it is written.

use crate::mutation::{Content, Element};

type Code = [u8; 4];

/// Boxes that hold boxes.
const PARENTS: [&Code; 12] = [
    b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta", b"dinf", b"moof", b"traf", b"mvex",
    b"ilst",
];

/// Codes that a box may be renamed to.
pub const CODES: [Code; 30] = [
    *b"moov", *b"trak", *b"mdia", *b"minf", *b"stbl", *b"edts", *b"udta", *b"dinf", *b"moof", *b"traf",
    *b"mvex", *b"mvhd", *b"tkhd", *b"mdhd", *b"hdlr", *b"stsd", *b"stts", *b"stsc", *b"stsz", *b"stco",
    *b"co64", *b"elst", *b"trex", *b"tfhd", *b"trun", *b"tfdt", *b"mdat", *b"free", *b"esds", *b"sidx",
];

/// Deepest tree that is read.
const DEPTH: usize = 12;

/// The boxes of a file; `None` for what is no MP4.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Vec<Element<Code>>> {
    (bytes.get(4..8)? == b"ftyp").then(|| boxes(bytes, DEPTH))
}

fn boxes(mut bytes: &[u8], depth: usize) -> Vec<Element<Code>> {
    let mut found = Vec::new();
    while let Some((head, rest)) = bytes.split_first_chunk::<8>() {
        let [a, b, c, d, kind @ ..] = *head;
        let size = (u32::from_be_bytes([a, b, c, d]) as usize).saturating_sub(8).min(rest.len());
        let (payload, rest) = rest.split_at(size);
        let content = if depth > 0 && PARENTS.contains(&&kind) {
            Content::Elements(Vec::new(), boxes(payload, depth - 1))
        } else if depth > 0 && kind == *b"meta" && payload.len() > 4 {
            Content::Elements(payload[..4].to_vec(), boxes(&payload[4..], depth - 1))
        } else if depth > 0 && kind == *b"stsd" && payload.len() > 8 {
            Content::Elements(payload[..8].to_vec(), boxes(&payload[8..], depth - 1))
        } else if depth > 0 && kind == *b"mp4a" && payload.len() > 28 {
            Content::Elements(payload[..28].to_vec(), boxes(&payload[28..], depth - 1))
        } else {
            Content::Bytes(payload.to_vec())
        };
        found.push(Element { kind, content });
        bytes = rest;
    }
    found
}

/// The boxes as a file.
#[must_use]
pub fn write(boxes: &[Element<Code>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Element { kind, content } in boxes {
        let payload = match content {
            Content::Bytes(payload) => payload.clone(),
            Content::Elements(head, inner) => [head.clone(), write(inner)].concat(),
        };
        bytes.extend((payload.len() as u32 + 8).to_be_bytes());
        bytes.extend(kind);
        bytes.extend(payload);
    }
    bytes
}
