//! The nodes and values of a graph as they stand in the file, read for what bounds their sizes.

use std::collections::{HashMap, HashSet};

use prost::encoding;

use super::{Key, Outcome, Read, Reason, fields, number, usual_domain};
use crate::onnx::fields::Field;

/// Most bytes of an element, texts left out.
pub(crate) const ELEMENT_BYTES: u64 = 8;
/// `TensorProto.DataType`.
pub(crate) const INTEGERS: [u64; 2] = [6, 7];
pub(crate) const TEXTS: u64 = 8;

/// What is known of a value before the graph runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Value {
    /// Most dimensions.
    pub(crate) rank: u64,
    /// Most elements, where it may be a constant.
    pub(crate) constant: Option<Elements>,
    /// Most elements in each dimension of such a constant, the last dimension last.
    pub(crate) sizes: Option<Sizes>,
    /// Whether it may hold integers, of which shapes are made.
    pub(crate) integers: bool,
    /// Whether it may hold texts.
    pub(crate) texts: bool,
}

/// Sizes of up to six dimensions, those that are missing 1, as if for broadcasting.
pub(crate) type Sizes = [u64; 6];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elements {
    Known(u64),
    Unknown,
}

impl Value {
    /// Elements that shape inference carries along.
    pub(crate) fn length(&self) -> u64 {
        match self.constant {
            Some(Elements::Known(elements)) if self.integers => elements,
            _ => 0,
        }
    }

    /// Most elements in each dimension.
    pub(crate) fn sizes(&self) -> Option<Sizes> {
        match self.constant {
            Some(Elements::Known(elements)) if self.rank <= 1 => Some([1, 1, 1, 1, 1, elements]),
            _ => self.sizes,
        }
    }

    /// Bytes of a constant whose size is known.
    pub(crate) fn bytes(&self) -> u64 {
        match self.constant {
            Some(Elements::Known(elements)) => elements.saturating_mul(ELEMENT_BYTES),
            _ => 0,
        }
    }

    /// Whether it may be a vector of integers of any length.
    pub(crate) fn is_unknown_shape(&self) -> bool {
        self.integers && self.constant == Some(Elements::Unknown)
    }
}

/// The names that a graph or a body of a function knows.
#[derive(Default)]
pub(crate) struct Scope<'a> {
    pub(crate) values: HashMap<&'a [u8], Value>,
    /// Outputs of its nodes, those to come included.
    pub(crate) produced: HashSet<&'a [u8]>,
    /// Dimensions that the file states.
    pub(crate) stated: HashMap<&'a [u8], u64>,
    pub(crate) inputs: Vec<&'a [u8]>,
    pub(crate) outputs: Vec<&'a [u8]>,
    /// Most numbers in an attribute that a function has by default.
    pub(crate) argument: u64,
}

/// A node as it stands in the file.
#[derive(Default)]
pub(crate) struct Node<'a> {
    pub(crate) inputs: Vec<&'a [u8]>,
    pub(crate) outputs: Vec<&'a [u8]>,
    pub(crate) key: Key<'a>,
    pub(crate) graphs: Vec<&'a [u8]>,
    /// The constant that it is.
    pub(crate) value: Value,
    /// Most numbers in one of its attributes.
    pub(crate) longest: u64,
    /// Characters of the longest text in its attributes.
    pub(crate) text: u64,
    /// The type that a `Cast` makes.
    pub(crate) to: u64,
    /// Bytes that it takes in the graph.
    pub(crate) bytes: u64,
}

/// Makes room for one more name: as many as the file has.
pub(crate) fn reserve<K: Eq + std::hash::Hash, V>(names: &mut HashMap<K, V>) -> Outcome {
    names.try_reserve(1).map_err(|_| no_memory())
}

fn no_memory() -> Reason {
    Reason::Limit("no memory for the names in the model".to_owned())
}

/// Notes what a field of a graph names: a tensor, a value with stated dimensions, the outputs of a
/// node.
pub(crate) fn read_graph_names<'a>(field: Field<'a>, scope: &mut Scope<'a>) -> Outcome {
    match field.number {
        number::GRAPH_NODE => read_produced(field.payload, scope)?,
        number::GRAPH_INITIALIZER => {
            let (name, value) = read_tensor(field.payload)?;
            reserve(&mut scope.values)?;
            scope.values.insert(name, value);
        }
        number::GRAPH_SPARSE_INITIALIZER => {
            let (name, value) = read_sparse_tensor(field.payload)?;
            reserve(&mut scope.values)?;
            scope.values.insert(name, value);
        }
        number::GRAPH_INPUT | number::GRAPH_OUTPUT | number::GRAPH_VALUE => {
            let name = read_stated(field.payload, scope)?;
            match field.number {
                number::GRAPH_INPUT => scope.inputs.push(name),
                number::GRAPH_OUTPUT => scope.outputs.push(name),
                _ => {}
            }
        }
        _ => {}
    }
    Ok(())
}

/// As [`read_graph_names`], of a function; its attributes may refer to one of `argument` numbers.
pub(crate) fn read_function_names<'a>(field: Field<'a>, argument: u64, scope: &mut Scope<'a>) -> Outcome {
    match field.number {
        number::FUNCTION_NODE => read_produced(field.payload, scope)?,
        number::FUNCTION_INPUT => scope.inputs.push(field.payload),
        number::FUNCTION_OUTPUT => scope.outputs.push(field.payload),
        number::FUNCTION_VALUE => {
            read_stated(field.payload, scope)?;
        }
        number::FUNCTION_ATTRIBUTE => {
            let mut holder = Node::default();
            read_attribute(field.payload, argument, &mut holder)?;
            scope.argument = scope.argument.max(holder.longest);
        }
        _ => {}
    }
    Ok(())
}

fn read_produced<'a>(node: &'a [u8], scope: &mut Scope<'a>) -> Outcome {
    for field in fields(node) {
        let field = field?;
        if field.number == number::NODE_OUTPUT && !field.payload.is_empty() {
            scope.produced.try_reserve(1).map_err(|_| no_memory())?;
            scope.produced.insert(field.payload);
        }
    }
    Ok(())
}

/// By what a node calls the function.
pub(crate) fn function_key(function: &[u8]) -> Read<Key<'_>> {
    let (mut domain, mut name, mut overload): Key<'_> = (b"", b"", b"");
    for field in fields(function) {
        let field = field?;
        match field.number {
            number::FUNCTION_NAME => name = field.payload,
            number::FUNCTION_DOMAIN => domain = field.payload,
            number::FUNCTION_OVERLOAD => overload = field.payload,
            _ => {}
        }
    }
    Ok((usual_domain(domain), name, overload))
}

/// Reads a node within calls whose longest attribute has `argument` numbers.
pub(crate) fn read_node(message: &[u8], argument: u64) -> Read<Node<'_>> {
    let mut node = Node { bytes: message.len() as u64, ..Node::default() };
    let (mut operator, mut domain, mut overload): Key<'_> = (b"", b"", b"");
    for field in fields(message) {
        let field = field?;
        match field.number {
            number::NODE_INPUT => node.inputs.push(field.payload),
            number::NODE_OUTPUT => node.outputs.push(field.payload),
            number::NODE_OPERATOR => operator = field.payload,
            number::NODE_DOMAIN => domain = field.payload,
            number::NODE_OVERLOAD => overload = field.payload,
            number::NODE_ATTRIBUTE => read_attribute(field.payload, argument, &mut node)?,
            _ => {}
        }
    }
    node.key = (usual_domain(domain), operator, overload);
    Ok(node)
}

fn read_attribute<'a>(attribute: &'a [u8], argument: u64, node: &mut Node<'a>) -> Outcome {
    let (mut name, mut numbers, mut integers, mut number_of_integer) = (&b""[..], 0, false, 0);
    let (mut tensor, mut texts, mut refers) = (None, false, false);
    for field in fields(attribute) {
        let field = field?;
        match field.number {
            number::ATTRIBUTE_NAME => name = field.payload,
            number::ATTRIBUTE_INTEGER => {
                (numbers, integers) = (1, true);
                number_of_integer = field.value.unwrap_or_default();
            }
            number::ATTRIBUTE_INTEGERS => {
                integers = true;
                numbers += field.value.map_or(field.payload.len() as u64, |_| 1);
            }
            number::ATTRIBUTE_FLOATS => numbers += (field.payload.len() as u64).max(4) / 4,
            number::ATTRIBUTE_TEXT => node.text = node.text.max(field.payload.len() as u64),
            number::ATTRIBUTE_TEXTS => (numbers, texts) = (numbers + 1, true),
            number::ATTRIBUTE_TENSOR => tensor = Some(read_tensor(field.payload)?.1),
            number::ATTRIBUTE_SPARSE_TENSOR => {
                let value = read_sparse_tensor(field.payload)?.1;
                node.bytes = node.bytes.saturating_add(value.bytes());
                tensor = Some(value);
            }
            number::ATTRIBUTE_GRAPH | number::ATTRIBUTE_GRAPHS => node.graphs.push(field.payload),
            // Its value is that of an attribute of the call.
            number::ATTRIBUTE_REFERENCE => (numbers, refers) = (argument, true),
            _ => {}
        }
    }
    node.longest = node.longest.max(numbers);
    if let Some(value) = tensor {
        node.longest = node.longest.max(value.length()).max(value.rank);
    }
    if name == b"to" {
        node.to = number_of_integer;
    }
    if name.starts_with(b"value") || name == b"sparse_value" {
        texts |= name == b"value_string";
        let elements = if refers { Elements::Unknown } else { Elements::Known(numbers.max(1)) };
        let rank = if refers { numbers.max(1) } else { 1 };
        let list = Value { rank, constant: Some(elements), sizes: None, integers: integers || refers, texts };
        node.value = tensor.unwrap_or(list);
    }
    Ok(())
}

fn read_tensor(tensor: &[u8]) -> Read<(&[u8], Value)> {
    let (mut name, mut kind, mut sizes) = (&b""[..], 0, Vec::new());
    for field in fields(tensor) {
        let field = field?;
        match field.number {
            number::TENSOR_NAME => name = field.payload,
            number::TENSOR_TYPE => kind = field.value.unwrap_or_default(),
            number::TENSOR_SIZE => read_numbers(field, &mut sizes)?,
            _ => {}
        }
    }
    Ok((name, stored(&sizes, kind)))
}

fn read_sparse_tensor(sparse: &[u8]) -> Read<(&[u8], Value)> {
    let (mut name, mut kind, mut sizes) = (&b""[..], 0, Vec::new());
    for field in fields(sparse) {
        let field = field?;
        match field.number {
            number::SPARSE_SIZE => read_numbers(field, &mut sizes)?,
            number::SPARSE_VALUES => {
                for inner in fields(field.payload) {
                    let inner = inner?;
                    match inner.number {
                        number::TENSOR_NAME => name = inner.payload,
                        number::TENSOR_TYPE => kind = inner.value.unwrap_or_default(),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Ok((name, stored(&sizes, kind)))
}

/// A tensor of the file.
fn stored(sizes: &[u64], kind: u64) -> Value {
    let elements = sizes.iter().copied().fold(1, u64::saturating_mul);
    let mut aligned: Sizes = [1; 6];
    for (to, from) in aligned.iter_mut().rev().zip(sizes.iter().rev()) {
        *to = *from;
    }
    Value {
        sizes: (sizes.len() <= aligned.len()).then_some(aligned),
        rank: sizes.len() as u64,
        constant: Some(Elements::Known(elements)),
        integers: INTEGERS.contains(&kind),
        texts: kind == TEXTS,
    }
}

/// Adds the numbers of a repeated field: packed, or one at a time.
pub(crate) fn read_numbers(field: Field<'_>, numbers: &mut Vec<u64>) -> Outcome {
    let mut packed = field.payload;
    numbers.extend(field.value);
    while !packed.is_empty() {
        numbers.push(encoding::decode_varint(&mut packed).map_err(|_| Reason::NoOnnx)?);
    }
    Ok(())
}

/// Notes the dimensions that the file states for a value, and gives its name.
fn read_stated<'a>(value: &'a [u8], scope: &mut Scope<'a>) -> Read<&'a [u8]> {
    let (mut name, mut rank) = (&b""[..], 0);
    for field in fields(value) {
        let field = field?;
        match field.number {
            number::VALUE_NAME => name = field.payload,
            number::VALUE_TYPE => {
                for kind in fields(field.payload) {
                    let kind = kind?;
                    // Of sequences and the like no dimension takes less than two bytes.
                    let least = kind.payload.len() as u64 / 2;
                    rank = rank.max(if kind.number == number::TYPE_TENSOR {
                        read_rank(kind.payload)?
                    } else {
                        least
                    });
                }
            }
            _ => {}
        }
    }
    reserve(&mut scope.stated)?;
    let stated = scope.stated.entry(name).or_default();
    *stated = rank.max(*stated);
    Ok(name)
}

fn read_rank(tensor: &[u8]) -> Read<u64> {
    let mut rank = 0;
    for field in fields(tensor) {
        let field = field?;
        if field.number == number::TYPE_SHAPE {
            rank += fields(field.payload).count() as u64;
        }
    }
    Ok(rank)
}
