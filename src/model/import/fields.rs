//! Protobuf messages as a list of fields, none of them interpreted.

use prost::encoding::{self, DecodeContext, WireType};

/// One field of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    /// Its number.
    pub(super) number: u32,
    /// Key and content as they stand in the message.
    pub(super) whole: &'a [u8],
    /// The content of a field with a length (text, bytes, message); empty for a number.
    pub(super) payload: &'a [u8],
}

/// The fields of a message.
///
/// # Errors
/// What is no protobuf message.
pub(super) fn split(message: &[u8]) -> Result<Vec<Field<'_>>, String> {
    let mut rest = message;
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let start = rest;
        let (number, wire) = encoding::decode_key(&mut rest).map_err(|error| error.to_string())?;
        let payload = if wire == WireType::LengthDelimited {
            let length = encoding::decode_varint(&mut rest).map_err(|error| error.to_string())?;
            let length = usize::try_from(length).ok().filter(|length| *length <= rest.len());
            let (payload, after) =
                rest.split_at(length.ok_or_else(|| format!("field {number} is longer than the file"))?);
            rest = after;
            payload
        } else {
            encoding::skip_field(wire, number, &mut rest, DecodeContext::default())
                .map_err(|error| error.to_string())?;
            &[]
        };
        fields.push(Field { number, whole: &start[..start.len() - rest.len()], payload });
    }
    Ok(fields)
}

/// Adds a field with a length to a message.
pub(super) fn append(number: u32, payload: &[u8], message: &mut Vec<u8>) {
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
