//! RIFF, RF64 and AIFF as a list of chunks; sizes come out right again when it is written.

use crate::mutation::{Content, Element};

type Code = [u8; 4];

/// Codes that a chunk may be renamed to.
pub const CODES: [Code; 11] = [
    *b"fmt ", *b"data", *b"fact", *b"LIST", *b"ds64", *b"bext", *b"JUNK", *b"COMM", *b"SSND", *b"FVER",
    *b"id3 ",
];

/// A file of chunks.
pub struct Chunks {
    /// The kind of file and the kind of its contents.
    head: (Code, Code),
    pub chunks: Vec<Element<Code>>,
}

impl Chunks {
    /// `None` for what is no such file.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let (head, mut rest) = bytes.split_first_chunk::<12>()?;
        let form = [head[0], head[1], head[2], head[3]];
        let kind = [head[8], head[9], head[10], head[11]];
        if ![*b"RIFF", *b"RF64", *b"FORM"].contains(&form) {
            return None;
        }
        let mut chunks = Vec::new();
        while let Some((head, after)) = rest.split_first_chunk::<8>() {
            let [kind @ .., a, b, c, d] = *head;
            let size = number(&form, [a, b, c, d]) as usize;
            let payload = &after[..size.min(after.len())];
            chunks.push(Element { kind, content: Content::Bytes(payload.to_vec()) });
            rest = after.get(size.saturating_add(size % 2)..).unwrap_or_default();
        }
        Some(Self { head: (form, kind), chunks })
    }

    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let (form, kind) = &self.head;
        let mut body = kind.to_vec();
        for Element { kind, content } in &self.chunks {
            let Content::Bytes(payload) = content else { continue };
            body.extend(kind);
            body.extend(bytes(form, payload.len() as u32));
            body.extend(payload);
            body.resize(body.len().next_multiple_of(2), 0);
        }
        let mut file = form.to_vec();
        file.extend(bytes(form, body.len() as u32));
        file.extend(body);
        file
    }
}

fn number(form: &Code, bytes: Code) -> u32 {
    if form == b"FORM" { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
}

fn bytes(form: &Code, number: u32) -> Code {
    if form == b"FORM" { number.to_be_bytes() } else { number.to_le_bytes() }
}
