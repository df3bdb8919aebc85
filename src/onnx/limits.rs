//! What an ONNX file asks of ONNX Runtime, counted before ONNX Runtime sees it: a few kilobytes can
//! ask for hours and for more memory than there is. Walks the protobuf fields as they stand in the
//! file and keeps none of them. What is no ONNX at all is left to ONNX Runtime, which says so
//! better.
//!
//! Of the networks that are run here CAM++ has the most nodes, 1,384, and tensors, 1,000, and
//! segmentation-3.0 has two nested graphs, none in another. The limits are more than thirty times
//! that, and sixteen graphs in one another.

mod growth;
mod tensors;
mod values;

use std::collections::HashMap;

use self::tensors::{walk_sparse_tensor, walk_tensor};
use super::fields::{Field, Fields};
use crate::error::{Error, Result};

/// Most nodes, with those of nested graphs and those that calls of functions become. A chain of so
/// many takes ONNX Runtime 1.31.1 2 s of CPU time to load.
pub(crate) const MAX_NODES: u64 = 50_000;
/// Most functions; exports of PyTorch have one for each kind of module.
const MAX_FUNCTIONS: u64 = 2_000;
/// Most graphs within graphs, of `If`, `Loop` and `Scan`.
const MAX_GRAPHS: u64 = 2_000;
/// Most of them in one another: ONNX Runtime goes into them by recursion.
const MAX_DEPTH: u64 = 16;
/// Most names of inputs and outputs of one node, and attributes of it.
const MAX_NODE_FIELDS: u64 = 10_000;
/// Most operator sets.
const MAX_OPERATOR_SETS: u64 = 200;
/// Most metadata properties.
const MAX_PROPERTIES: u64 = 2_000;
/// Largest text in bytes: a name, a description, or a metadata property, which may hold a PLDA of
/// some megabytes.
const MAX_TEXT: u64 = 64 << 20;

/// Fields of the messages in onnx.proto3.
mod number {
    pub(crate) const MODEL_GRAPH: u32 = 7;
    pub(crate) const MODEL_OPERATOR_SET: u32 = 8;
    pub(crate) const MODEL_PROPERTY: u32 = 14;
    pub(crate) const MODEL_FUNCTION: u32 = 25;
    pub(crate) const GRAPH_NODE: u32 = 1;
    pub(crate) const GRAPH_INITIALIZER: u32 = 5;
    pub(crate) const GRAPH_INPUT: u32 = 11;
    pub(crate) const GRAPH_OUTPUT: u32 = 12;
    pub(crate) const GRAPH_VALUE: u32 = 13;
    pub(crate) const GRAPH_SPARSE_INITIALIZER: u32 = 15;
    pub(crate) const NODE_INPUT: u32 = 1;
    pub(crate) const NODE_OUTPUT: u32 = 2;
    pub(crate) const NODE_OPERATOR: u32 = 4;
    pub(crate) const NODE_ATTRIBUTE: u32 = 5;
    pub(crate) const NODE_DOMAIN: u32 = 7;
    pub(crate) const NODE_OVERLOAD: u32 = 8;
    pub(crate) const ATTRIBUTE_NAME: u32 = 1;
    pub(crate) const ATTRIBUTE_INTEGER: u32 = 3;
    pub(crate) const ATTRIBUTE_TEXT: u32 = 4;
    pub(crate) const ATTRIBUTE_TENSOR: u32 = 5;
    pub(crate) const ATTRIBUTE_GRAPH: u32 = 6;
    pub(crate) const ATTRIBUTE_FLOATS: u32 = 7;
    pub(crate) const ATTRIBUTE_INTEGERS: u32 = 8;
    pub(crate) const ATTRIBUTE_TEXTS: u32 = 9;
    pub(crate) const ATTRIBUTE_TENSORS: u32 = 10;
    pub(crate) const ATTRIBUTE_GRAPHS: u32 = 11;
    pub(crate) const ATTRIBUTE_REFERENCE: u32 = 21;
    pub(crate) const ATTRIBUTE_SPARSE_TENSOR: u32 = 22;
    pub(crate) const ATTRIBUTE_SPARSE_TENSORS: u32 = 23;
    pub(crate) const FUNCTION_NAME: u32 = 1;
    pub(crate) const FUNCTION_INPUT: u32 = 4;
    pub(crate) const FUNCTION_OUTPUT: u32 = 5;
    pub(crate) const FUNCTION_NODE: u32 = 7;
    pub(crate) const FUNCTION_DOMAIN: u32 = 10;
    pub(crate) const FUNCTION_ATTRIBUTE: u32 = 11;
    pub(crate) const FUNCTION_VALUE: u32 = 12;
    pub(crate) const FUNCTION_OVERLOAD: u32 = 13;
    pub(crate) const SPARSE_VALUES: u32 = 1;
    pub(crate) const SPARSE_INDICES: u32 = 2;
    pub(crate) const SPARSE_SIZE: u32 = 3;
    pub(crate) const TENSOR_SIZE: u32 = 1;
    pub(crate) const TENSOR_TYPE: u32 = 2;
    pub(crate) const TENSOR_NAME: u32 = 8;
    pub(crate) const TENSOR_RAW_DATA: u32 = 9;
    pub(crate) const TENSOR_EXTERNAL_DATA: u32 = 13;
    pub(crate) const TENSOR_LOCATION: u32 = 14;
    pub(crate) const VALUE_NAME: u32 = 1;
    pub(crate) const VALUE_TYPE: u32 = 2;
    pub(crate) const TYPE_TENSOR: u32 = 1;
    pub(crate) const TYPE_SHAPE: u32 = 2;
}

/// Checks the ONNX file `model`, which messages call `name`. Gives the most bytes of one constant
/// that ONNX Runtime may compute while it loads the file, where that is not told by the file.
///
/// # Errors
/// [`Error::Limit`] names what there is too much of, the limit, and what was found;
/// [`Error::Model`]: functions that call themselves, nodes in no order, and tensors in other files.
pub(crate) fn check(model: &[u8], name: &dyn std::fmt::Display) -> Result<Option<u64>> {
    let refused = |reason| match reason {
        Reason::Limit(text) => Err(Error::Limit(format!("{name}: {text}"))),
        Reason::Model(text) => Err(Error::Model(format!("{name}: {text}"))),
        Reason::NoOnnx => Ok(None),
    };
    walk(model).and_then(|nodes| growth::largest_constant(model, nodes)).or_else(refused)
}

/// Why a file is not given to ONNX Runtime.
enum Reason {
    Limit(String),
    Model(String),
    /// It is no protobuf message, and so given to ONNX Runtime after all.
    NoOnnx,
}

type Read<T> = std::result::Result<T, Reason>;

type Outcome = Read<()>;

/// What there is so far.
#[derive(Default)]
struct Counts {
    nodes: u64,
    graphs: u64,
    tensors: u64,
    functions: u64,
    operator_sets: u64,
    properties: u64,
    /// Elements of sparse tensors, which ONNX Runtime spreads out.
    spread: u64,
}

/// Counts one more of something.
fn count(counter: &mut u64, limit: u64, what: &str) -> Outcome {
    *counter += 1;
    if *counter > limit {
        return Err(Reason::Limit(format!("{what}: expected at most {limit}, found more")));
    }
    Ok(())
}

/// A function by domain, name and overload.
type Key<'a> = (&'a [u8], &'a [u8], &'a [u8]);

/// Nodes of the model's graph or of a function, those of nested graphs included, and the functions
/// that they may call: each operator, and how often it stands there.
#[derive(Default)]
struct Body<'a> {
    nodes: u64,
    operators: HashMap<Key<'a>, u64>,
}

fn fields(message: &[u8]) -> impl Iterator<Item = std::result::Result<Field<'_>, Reason>> {
    Fields::new(message).map(|field| field.map_err(|_| Reason::NoOnnx))
}

/// Counts what a model has, and gives its nodes with those that calls of functions become.
fn walk(model: &[u8]) -> Read<u64> {
    let mut counts = Counts::default();
    let mut graph = Body::default();
    let mut functions = HashMap::new();
    for field in fields(model) {
        let field = field?;
        match field.number {
            // A message that stands there twice is one with the fields of both.
            number::MODEL_GRAPH => walk_graph(field.payload, 0, &mut graph, &mut counts)?,
            number::MODEL_OPERATOR_SET => {
                count(&mut counts.operator_sets, MAX_OPERATOR_SETS, "operator sets")?;
            }
            number::MODEL_PROPERTY => {
                count(&mut counts.properties, MAX_PROPERTIES, "metadata properties")?;
                check_texts(field.payload)?;
            }
            number::MODEL_FUNCTION => {
                count(&mut counts.functions, MAX_FUNCTIONS, "functions")?;
                let (key, body) = function(field.payload, &mut counts)?;
                functions.insert(key, body);
            }
            _ => check_text(field)?,
        }
    }
    check_expansion(&graph, &functions)
}

/// Walks a graph that lies `depth` graphs deep.
fn walk_graph<'a>(graph: &'a [u8], depth: u64, body: &mut Body<'a>, counts: &mut Counts) -> Outcome {
    if depth > MAX_DEPTH {
        return Err(Reason::Limit(format!(
            "graphs in one another: expected at most {MAX_DEPTH}, found more"
        )));
    }
    for field in fields(graph) {
        let field = field?;
        match field.number {
            number::GRAPH_NODE => walk_node(field.payload, depth, body, counts)?,
            number::GRAPH_INITIALIZER => walk_tensor(field.payload, counts)?,
            number::GRAPH_SPARSE_INITIALIZER => walk_sparse_tensor(field.payload, counts)?,
            _ => check_text(field)?,
        }
    }
    Ok(())
}

fn walk_node<'a>(node: &'a [u8], depth: u64, body: &mut Body<'a>, counts: &mut Counts) -> Outcome {
    count(&mut counts.nodes, MAX_NODES, "nodes")?;
    body.nodes += 1;
    let (mut operator, mut domain, mut overload): Key<'a> = (b"", b"", b"");
    let mut own_fields = 0;
    for field in fields(node) {
        let field = field?;
        count(&mut own_fields, MAX_NODE_FIELDS, "inputs, outputs and attributes of a node")?;
        match field.number {
            number::NODE_OPERATOR => operator = field.payload,
            number::NODE_DOMAIN => domain = field.payload,
            number::NODE_OVERLOAD => overload = field.payload,
            number::NODE_ATTRIBUTE => walk_attribute(field.payload, depth, body, counts)?,
            _ => check_text(field)?,
        }
    }
    *body.operators.entry((usual_domain(domain), operator, overload)).or_default() += 1;
    Ok(())
}

/// The domain of ONNX has two names.
fn usual_domain(domain: &[u8]) -> &[u8] {
    if domain == b"ai.onnx" { b"" } else { domain }
}

fn walk_attribute<'a>(attribute: &'a [u8], depth: u64, body: &mut Body<'a>, counts: &mut Counts) -> Outcome {
    for field in fields(attribute) {
        let field = field?;
        match field.number {
            number::ATTRIBUTE_GRAPH | number::ATTRIBUTE_GRAPHS => {
                count(&mut counts.graphs, MAX_GRAPHS, "graphs within graphs")?;
                walk_graph(field.payload, depth + 1, body, counts)?;
            }
            number::ATTRIBUTE_TENSOR | number::ATTRIBUTE_TENSORS => walk_tensor(field.payload, counts)?,
            number::ATTRIBUTE_SPARSE_TENSOR | number::ATTRIBUTE_SPARSE_TENSORS => {
                walk_sparse_tensor(field.payload, counts)?;
            }
            _ => check_text(field)?,
        }
    }
    Ok(())
}

fn function<'a>(function: &'a [u8], counts: &mut Counts) -> std::result::Result<(Key<'a>, Body<'a>), Reason> {
    let key = values::function_key(function)?;
    let mut body = Body::default();
    for field in fields(function) {
        let field = field?;
        match field.number {
            number::FUNCTION_NAME | number::FUNCTION_DOMAIN | number::FUNCTION_OVERLOAD => {}
            number::FUNCTION_NODE => walk_node(field.payload, 0, &mut body, counts)?,
            number::FUNCTION_ATTRIBUTE => walk_attribute(field.payload, 0, &mut body, counts)?,
            _ => check_text(field)?,
        }
    }
    Ok((key, body))
}

/// The texts of a message that holds nothing else.
fn check_texts(message: &[u8]) -> Outcome {
    fields(message).try_for_each(|field| check_text(field?))
}

/// What is read as text or as a list of numbers.
fn check_text(field: Field<'_>) -> Outcome {
    let length = field.payload.len() as u64;
    if length > MAX_TEXT {
        let number = field.number;
        return Err(Reason::Limit(format!(
            "bytes of a text (field {number}): expected at most {MAX_TEXT}, found {length}"
        )));
    }
    Ok(())
}

/// Counts the nodes that the graph has once each call of a function is replaced by the function's
/// nodes, as ONNX Runtime does.
fn check_expansion(graph: &Body<'_>, functions: &HashMap<Key<'_>, Body<'_>>) -> Read<u64> {
    // Callers of each function, and how many functions each caller waits for.
    let mut callers: HashMap<&Key<'_>, Vec<&Key<'_>>> = HashMap::new();
    let mut waiting: HashMap<&Key<'_>, usize> = HashMap::new();
    for (key, body) in functions {
        let called = body.operators.keys().filter(|operator| functions.contains_key(*operator));
        let mut number = 0;
        for callee in called {
            callers.entry(callee).or_default().push(key);
            number += 1;
        }
        waiting.insert(key, number);
    }
    let mut ready: Vec<&Key<'_>> =
        waiting.iter().filter(|(_, number)| **number == 0).map(|(key, _)| *key).collect();
    let mut expanded: HashMap<&Key<'_>, u64> = HashMap::new();
    while let Some(key) = ready.pop() {
        if let Some(body) = functions.get(key) {
            expanded.insert(key, nodes_of(body, &expanded));
        }
        for caller in callers.get(key).into_iter().flatten() {
            if let Some(number) = waiting.get_mut(*caller) {
                *number = number.saturating_sub(1);
                if *number == 0 {
                    ready.push(caller);
                }
            }
        }
    }
    if expanded.len() < functions.len() {
        let text = "a function calls itself, or another that calls it: expected functions that end";
        return Err(Reason::Model(text.to_owned()));
    }
    let nodes = nodes_of(graph, &expanded);
    if nodes > MAX_NODES {
        let found = if nodes == u64::MAX { "more than can be counted".to_owned() } else { nodes.to_string() };
        return Err(Reason::Limit(format!(
            "nodes, with those of the functions called: expected at most {MAX_NODES}, found {found}"
        )));
    }
    Ok(nodes)
}

/// The nodes of a body, each call counted as the node and what it becomes.
fn nodes_of(body: &Body<'_>, expanded: &HashMap<&Key<'_>, u64>) -> u64 {
    let calls = body
        .operators
        .iter()
        .filter_map(|(operator, times)| expanded.get(operator).map(|nodes| nodes.saturating_mul(*times)));
    calls.fold(body.nodes, u64::saturating_add)
}

#[cfg(test)]
mod limits_tests;
