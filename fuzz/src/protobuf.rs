//! A protobuf message as a tree of fields; lengths come out right again when it is written.

use crate::mutation::{Content, Element};

/// Number of a field and its wire type.
pub type Key = u64;

/// Deepest tree that is read: the dimension of a tensor's type in a model.
const DEPTH: usize = 8;
const WITH_LENGTH: u64 = 2;

/// The fields of a message; `None` for what is none.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Vec<Element<Key>>> {
    fields(bytes, DEPTH)
}

fn fields(mut bytes: &[u8], depth: usize) -> Option<Vec<Element<Key>>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let (key, rest) = varint(bytes)?;
        let size = match key & 7 {
            0 => rest.len() - varint(rest)?.1.len(),
            1 => 8,
            5 => 4,
            WITH_LENGTH => 0,
            _ => return None,
        };
        let (payload, rest) = if key & 7 == WITH_LENGTH {
            let (length, rest) = varint(rest)?;
            rest.split_at_checked(usize::try_from(length).ok()?)?
        } else {
            rest.split_at_checked(size)?
        };
        if key >> 3 == 0 {
            return None;
        }
        // Texts are rarely messages too, and where they are, nothing is lost.
        let inner = if key & 7 == WITH_LENGTH && depth > 0 && payload.len() > 1 {
            fields(payload, depth - 1)
        } else {
            None
        };
        let content = match inner {
            Some(inner) => Content::Elements(Vec::new(), inner),
            None => Content::Bytes(payload.to_vec()),
        };
        found.push(Element { kind: key, content });
        bytes = rest;
    }
    Some(found)
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(10) {
        value |= u64::from(byte & 0x7f) << (7 * index).min(63);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

fn append_varint(mut value: u64, bytes: &mut Vec<u8>) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

/// The fields as a message.
#[must_use]
pub fn write(fields: &[Element<Key>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for Element { kind, content } in fields {
        append_varint(*kind, &mut bytes);
        let payload = match content {
            Content::Bytes(payload) => payload.clone(),
            Content::Elements(head, inner) => [head.clone(), write(inner)].concat(),
        };
        if kind & 7 == WITH_LENGTH {
            append_varint(payload.len() as u64, &mut bytes);
        }
        bytes.extend(payload);
    }
    bytes
}
