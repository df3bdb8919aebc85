//! Protobuf messages as a list of fields, none of them interpreted.

use prost::encoding::{self, DecodeContext, WireType};

use crate::memory;

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    /// Its number.
    pub(crate) number: u32,
    /// Key and content as they stand in the message.
    pub(crate) whole: &'a [u8],
    /// The content of a field with a length (text, bytes, message); empty for a number.
    pub(crate) payload: &'a [u8],
    /// The number that it is, where it is one of variable length.
    pub(crate) value: Option<u64>,
}

/// The fields of a message, one after the other; after an error, what is no protobuf message, there
/// are none.
pub(crate) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    fn read(&mut self) -> Result<Field<'a>, String> {
        let start = self.rest;
        let (number, wire) = encoding::decode_key(&mut self.rest).map_err(|error| error.to_string())?;
        let (mut payload, mut value) = (&[][..], None);
        match wire {
            WireType::LengthDelimited => {
                let length = encoding::decode_varint(&mut self.rest).map_err(|error| error.to_string())?;
                let length = usize::try_from(length).ok().filter(|length| *length <= self.rest.len());
                let length = length.ok_or_else(|| format!("field {number} is longer than the file"))?;
                (payload, self.rest) = self.rest.split_at(length);
            }
            WireType::Varint => {
                value = Some(encoding::decode_varint(&mut self.rest).map_err(|error| error.to_string())?);
            }
            _ => encoding::skip_field(wire, number, &mut self.rest, DecodeContext::default())
                .map_err(|error| error.to_string())?,
        }
        Ok(Field { number, whole: &start[..start.len() - self.rest.len()], payload, value })
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }
}

/// The fields of a message.
///
/// # Errors
/// What is no protobuf message.
pub(crate) fn split(message: &[u8]) -> Result<Vec<Field<'_>>, String> {
    let mut fields = Vec::new();
    for field in Fields::new(message) {
        memory::push("fields of the model", &mut fields, field?).map_err(|error| error.to_string())?;
    }
    Ok(fields)
}

/// Adds a field with a length to a message.
pub(crate) fn append(number: u32, payload: &[u8], message: &mut Vec<u8>) {
    encoding::encode_key(number, WireType::LengthDelimited, message);
    encoding::encode_varint(payload.len() as u64, message);
    message.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_back_byte_for_byte() {
        let mut message = vec![8, 150, 1];
        append(7, b"abc", &mut message);
        let fields = split(&message).unwrap();
        assert_eq!(fields.iter().map(|field| field.number).collect::<Vec<_>>(), [1, 7]);
        assert_eq!((fields[0].payload, fields[1].payload), (&b""[..], &b"abc"[..]));
        assert_eq!([fields[0].whole, fields[1].whole].concat(), message);
    }

    #[test]
    fn a_field_longer_than_the_message_is_refused() {
        let mut message = Vec::new();
        append(7, b"abc", &mut message);
        assert!(split(&message[..4]).unwrap_err().contains("field 7"));
        assert!(split(&[0xff; 20]).is_err());
    }
}
