//! The tensors that a file holds: how many there are, and whether each has the elements that it
//! says.

use prost::encoding;

use super::{Counts, Outcome, Reason, check_text, count, fields, number, values};

/// Most tensors that the file holds.
const MAX_TENSORS: u64 = 50_000;
/// Most elements of all sparse tensors together, zeros included.
const MAX_SPREAD: u64 = 1 << 24;
/// Most elements of a tensor in one byte of the file: those of 2 bits.
const ELEMENTS_IN_BYTE: u64 = 4;
/// `TensorProto.DataLocation.EXTERNAL`.
pub(crate) const EXTERNAL: u64 = 1;

/// Counts a sparse tensor, which ONNX Runtime spreads out.
pub(crate) fn walk_sparse_tensor(sparse: &[u8], counts: &mut Counts) -> Outcome {
    let mut sizes = Vec::new();
    for field in fields(sparse) {
        let field = field?;
        match field.number {
            number::SPARSE_VALUES | number::SPARSE_INDICES => walk_tensor(field.payload, counts)?,
            number::SPARSE_SIZE => values::read_numbers(field, &mut sizes)?,
            _ => {}
        }
    }
    let elements = sizes.into_iter().fold(1, u64::saturating_mul);
    counts.spread = counts.spread.saturating_add(elements);
    if counts.spread > MAX_SPREAD {
        let found = counts.spread;
        return Err(Reason::Limit(format!(
            "elements of all sparse tensors, zeros included: expected at most {MAX_SPREAD}, found {found}"
        )));
    }
    Ok(())
}

/// A tensor holds its elements in the file, and so cannot have many more than bytes.
pub(crate) fn walk_tensor(tensor: &[u8], counts: &mut Counts) -> Outcome {
    count(&mut counts.tensors, MAX_TENSORS, "tensors")?;
    let mut elements = 1u64;
    let mut sized = false;
    for field in fields(tensor) {
        let field = field?;
        match field.number {
            number::TENSOR_SIZE => {
                sized = true;
                // Packed, or one at a time.
                let mut sizes = field.payload;
                let mut multiply = |size: u64| elements = elements.saturating_mul(size);
                match field.value {
                    Some(size) => multiply(size),
                    None => {
                        while !sizes.is_empty() {
                            multiply(encoding::decode_varint(&mut sizes).map_err(|_| Reason::NoOnnx)?);
                        }
                    }
                }
            }
            number::TENSOR_EXTERNAL_DATA => return Err(in_another_file()),
            number::TENSOR_LOCATION if field.value == Some(EXTERNAL) => return Err(in_another_file()),
            number::TENSOR_RAW_DATA => {}
            _ => check_text(field)?,
        }
    }
    let most = ELEMENTS_IN_BYTE.saturating_mul(tensor.len() as u64);
    if sized && elements > most {
        return Err(Reason::Limit(format!(
            "elements of a tensor of {} bytes: expected at most {most}, found {elements}",
            tensor.len()
        )));
    }
    Ok(())
}

fn in_another_file() -> Reason {
    let text = "a tensor lies in another file: expected all tensors in the model file itself";
    Reason::Model(text.to_owned())
}
