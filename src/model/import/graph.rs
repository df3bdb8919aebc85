//! An ONNX file as a graph that can be cut in two at a tensor. Works on the protobuf fields as they
//! stand in the file: what it does not need to understand it hands on byte for byte. Runs nothing.

use std::collections::{BTreeSet, HashMap};

use prost::Message;

use crate::memory;
use crate::onnx::fields::{self, Field};

/// Fields of `ModelProto` and `GraphProto` in onnx.proto3.
const MODEL_GRAPH: u32 = 7;
const GRAPH_NODE: u32 = 1;
const GRAPH_INITIALIZER: u32 = 5;
const GRAPH_INPUT: u32 = 11;
const GRAPH_OUTPUT: u32 = 12;
const GRAPH_VALUE_INFO: u32 = 13;
/// What the memory of a half is for, in errors.
const PART: &str = "part of the model";
/// Operators that do nearly all of a network's work.
const LAYERS: [&str; 6] = ["Conv", "Gemm", "GRU", "LSTM", "MatMul", "RNN"];
/// `TensorProto.DataType.FLOAT`.
const FLOAT: i32 = 1;

/// What is read of a `NodeProto`.
#[derive(Clone, PartialEq, Message)]
struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    output: Vec<String>,
    #[prost(string, tag = "4")]
    operator: String,
    #[prost(message, repeated, tag = "5")]
    attribute: Vec<AttributeProto>,
}

/// What is read of an `AttributeProto`: whether it holds a graph of its own, which may use any
/// tensor.
#[derive(Clone, PartialEq, Message)]
struct AttributeProto {
    #[prost(bytes = "vec", optional, tag = "6")]
    graph: Option<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "11")]
    graphs: Vec<Vec<u8>>,
}

/// What is read of a `TensorProto`.
#[derive(Clone, PartialEq, Message)]
struct TensorName {
    #[prost(string, tag = "8")]
    name: String,
}

/// `ValueInfoProto`: a tensor's name and type.
#[derive(Clone, PartialEq, Message)]
struct ValueInfo {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    kind: Option<TypeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct TypeProto {
    #[prost(message, optional, tag = "1")]
    tensor: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
struct TensorType {
    #[prost(int32, tag = "1")]
    elements: i32,
    #[prost(message, optional, tag = "2")]
    shape: Option<ShapeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct ShapeProto {
    #[prost(message, repeated, tag = "1")]
    sizes: Vec<SizeProto>,
}

#[derive(Clone, PartialEq, Message)]
struct SizeProto {
    #[prost(int64, optional, tag = "1")]
    value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    name: Option<String>,
}

struct Node<'a> {
    inputs: Vec<String>,
    outputs: Vec<String>,
    operator: String,
    field: Field<'a>,
}

/// The graph of an ONNX file.
pub(super) struct Graph<'a> {
    /// Fields of the model but for its graph.
    model: Vec<Field<'a>>,
    /// Fields of the graph that are kept whatever is cut.
    rest: Vec<Field<'a>>,
    /// In an order in which each comes after those it needs, as ONNX asks for.
    nodes: Vec<Node<'a>>,
    initializers: Vec<(String, Field<'a>)>,
    inputs: Vec<(String, Field<'a>)>,
    outputs: Vec<(String, Field<'a>)>,
}

impl<'a> Graph<'a> {
    /// Reads the graph of an ONNX file.
    ///
    /// # Errors
    /// What cannot be read, or why this graph cannot be cut.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        // A model has few fields of its own: all but its graph are texts and versions.
        let (graphs, model): (Vec<_>, Vec<_>) =
            fields::split(bytes)?.into_iter().partition(|field| field.number == MODEL_GRAPH);
        let [graph] = graphs.as_slice() else { return Err(format!("it has {} graphs", graphs.len())) };
        let mut found = Graph {
            model,
            rest: Vec::new(),
            nodes: Vec::new(),
            initializers: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
        };
        for field in fields::split(graph.payload)? {
            match field.number {
                GRAPH_NODE => add(&mut found.nodes, Node::read(field)?)?,
                GRAPH_INITIALIZER => {
                    add(&mut found.initializers, (decode::<TensorName>(field)?.name, field))?;
                }
                GRAPH_INPUT => found.inputs.push((decode::<ValueInfo>(field)?.name, field)),
                GRAPH_OUTPUT => found.outputs.push((decode::<ValueInfo>(field)?.name, field)),
                // Sizes of tensors in the whole graph; in a half they may be others.
                GRAPH_VALUE_INFO => {}
                _ => add(&mut found.rest, field)?,
            }
        }
        Ok(found)
    }

    /// The tensors between `input` and `output` through which everything passes that leads from one
    /// to the other, in that order, without the two themselves: the places where the graph can be
    /// cut.
    pub(super) fn cuts(&self, input: &str, output: &str) -> Vec<String> {
        let needed = self.needed_for(output, &BTreeSet::new());
        // Tensors made from `input` that a later node still needs, and how many such nodes there
        // are.
        let mut readers: HashMap<&str, usize> = HashMap::new();
        for node in self.nodes.iter().zip(&needed).filter(|(_, needed)| **needed).map(|(node, _)| node) {
            for name in &node.inputs {
                *readers.entry(name).or_default() += 1;
            }
        }
        let mut open: BTreeSet<&str> = BTreeSet::from([input]);
        let mut cuts = Vec::new();
        for node in self.nodes.iter().zip(&needed).filter(|(_, needed)| **needed).map(|(node, _)| node) {
            let fed = node.inputs.iter().any(|name| open.contains(name.as_str()));
            for name in &node.inputs {
                if let Some(left) = readers.get_mut(name.as_str()) {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        open.remove(name.as_str());
                    }
                }
            }
            if !fed {
                continue;
            }
            open.extend(
                node.outputs
                    .iter()
                    .map(String::as_str)
                    .filter(|name| readers.contains_key(name) || *name == output),
            );
            if let [only] = open.iter().copied().collect::<Vec<_>>()[..]
                && only != output
                && node.outputs.iter().any(|name| name == only)
            {
                cuts.push(only.to_owned());
            }
        }
        cuts
    }

    /// Layers, the nodes that multiply by matrices, that `tensor` needs.
    pub(super) fn layers(&self, tensor: &str) -> usize {
        let needed = self.needed_for(tensor, &BTreeSet::new());
        let nodes = self.nodes.iter().zip(needed).filter(|(_, needed)| *needed);
        nodes.filter(|(node, _)| LAYERS.contains(&node.operator.as_str())).count()
    }

    /// The part that makes `tensors`, with them as outputs, as an ONNX file.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(super) fn head(&self, tensors: &[&str]) -> crate::Result<Vec<u8>> {
        let outputs: Vec<Vec<u8>> = tensors.iter().map(|name| value_info(GRAPH_OUTPUT, name, None)).collect();
        let needed: Vec<bool> = tensors
            .iter()
            .map(|tensor| self.needed_for(tensor, &BTreeSet::new()))
            .fold(vec![false; self.nodes.len()], |all, some| {
                all.iter().zip(some).map(|(a, b)| *a || b).collect()
            });
        let inputs: Vec<Vec<u8>> = self.inputs.iter().map(|(_, field)| field.whole.to_vec()).collect();
        self.write(&needed, &inputs, &outputs)
    }

    /// The part that makes `output` of `tensor`, with `tensor` as the only input, as an ONNX file.
    /// `sizes` are those of the tensor, `None` where they differ from run to run.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub(super) fn tail(&self, tensor: &str, sizes: &[Option<usize>], output: &str) -> crate::Result<Vec<u8>> {
        let needed = self.needed_for(output, &BTreeSet::from([tensor]));
        let input = value_info(GRAPH_INPUT, tensor, Some(sizes));
        let outputs = self.outputs.iter().filter(|(name, _)| name == output);
        let outputs: Vec<Vec<u8>> = outputs.map(|(_, field)| field.whole.to_vec()).collect();
        self.write(&needed, &[input], &outputs)
    }

    /// For each node whether `output` needs it where the tensors of `given` are there already.
    fn needed_for(&self, output: &str, given: &BTreeSet<&str>) -> Vec<bool> {
        let mut wanted: BTreeSet<&str> = BTreeSet::from([output]);
        let mut needed = vec![false; self.nodes.len()];
        for (node, needed) in self.nodes.iter().zip(&mut needed).rev() {
            *needed = node
                .outputs
                .iter()
                .any(|name| wanted.contains(name.as_str()) && !given.contains(name.as_str()));
            if *needed {
                wanted.extend(node.inputs.iter().map(String::as_str));
            }
        }
        needed
    }

    fn write(&self, needed: &[bool], inputs: &[Vec<u8>], outputs: &[Vec<u8>]) -> crate::Result<Vec<u8>> {
        let append = |to: &mut Vec<u8>, bytes: &[u8]| memory::extend(PART, to, bytes.iter().copied());
        let mut graph = Vec::new();
        let mut used: BTreeSet<&str> = BTreeSet::new();
        for node in self.nodes.iter().zip(needed).filter(|(_, needed)| **needed).map(|(node, _)| node) {
            append(&mut graph, node.field.whole)?;
            used.extend(node.inputs.iter().map(String::as_str));
        }
        for (_, field) in self.initializers.iter().filter(|(name, _)| used.contains(name.as_str())) {
            append(&mut graph, field.whole)?;
        }
        for field in &self.rest {
            append(&mut graph, field.whole)?;
        }
        for bytes in inputs.iter().chain(outputs) {
            append(&mut graph, bytes)?;
        }
        let mut model = Vec::new();
        for field in &self.model {
            append(&mut model, field.whole)?;
        }
        // The number and the length of a field take less than 20 bytes.
        memory::reserve(PART, &mut model, graph.len() + 20)?;
        fields::append(MODEL_GRAPH, &graph, &mut model);
        Ok(model)
    }
}

impl<'a> Node<'a> {
    fn read(field: Field<'a>) -> Result<Self, String> {
        let node: NodeProto = decode(field)?;
        if node.attribute.iter().any(|attribute| attribute.graph.is_some() || !attribute.graphs.is_empty()) {
            return Err("a node of it holds a graph of its own".to_owned());
        }
        // An optional one that is left out has no name.
        let named = |names: Vec<String>| names.into_iter().filter(|name| !name.is_empty()).collect();
        Ok(Node { inputs: named(node.input), outputs: named(node.output), operator: node.operator, field })
    }
}

fn add<T>(list: &mut Vec<T>, item: T) -> Result<(), String> {
    memory::push(PART, list, item).map_err(|error| error.to_string())
}

fn decode<M: Message + Default>(field: Field<'_>) -> Result<M, String> {
    M::decode(field.payload).map_err(|error| error.to_string())
}

/// An input or output of the graph as a field of it.
fn value_info(number: u32, name: &str, sizes: Option<&[Option<usize>]>) -> Vec<u8> {
    let size = |(axis, size): (usize, &Option<usize>)| SizeProto {
        value: size.and_then(|size| i64::try_from(size).ok()),
        name: size.is_none().then(|| format!("axis{axis}")),
    };
    let shape = sizes.map(|sizes| ShapeProto { sizes: sizes.iter().enumerate().map(size).collect() });
    let kind = TypeProto { tensor: Some(TensorType { elements: FLOAT, shape }) };
    let info = ValueInfo { name: name.to_owned(), kind: Some(kind) };
    let mut bytes = Vec::new();
    fields::append(number, &info.encode_to_vec(), &mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A model whose nodes are given as (inputs, outputs).
    fn model(nodes: &[(&[&str], &[&str])], weights: &[&str]) -> Vec<u8> {
        let mut graph = Vec::new();
        let names = |list: &[&str]| list.iter().map(|&name| name.to_owned()).collect();
        for (inputs, outputs) in nodes {
            let node = NodeProto {
                input: names(inputs),
                output: names(outputs),
                operator: "Conv".to_owned(),
                attribute: Vec::new(),
            };
            fields::append(GRAPH_NODE, &node.encode_to_vec(), &mut graph);
        }
        for &name in weights {
            let tensor = TensorName { name: name.to_owned() };
            fields::append(GRAPH_INITIALIZER, &tensor.encode_to_vec(), &mut graph);
        }
        graph.extend(value_info(GRAPH_INPUT, "x", None));
        graph.extend(value_info(GRAPH_OUTPUT, "y", None));
        let mut model = Vec::new();
        fields::append(MODEL_GRAPH, &graph, &mut model);
        model
    }

    #[test]
    fn cuts_lie_where_everything_passes() {
        let bytes = model(
            &[
                (&[], &["one"]),
                (&["x", "w1"], &["a"]),
                (&["a"], &["b"]),
                (&["a", "b"], &["c"]),
                (&["c"], &["unused"]),
                (&["c"], &["mean"]),
                (&["c", "mean"], &["deviation"]),
                (&["mean", "deviation", "one"], &["pooled"]),
                (&["pooled", "w2"], &["y"]),
            ],
            &["w1", "w2"],
        );
        let graph = Graph::parse(&bytes).unwrap();
        assert_eq!(graph.cuts("x", "y"), ["a", "c", "pooled"]);
        assert_eq!((graph.layers("a"), graph.layers("c")), (1, 3));
    }

    #[test]
    fn each_half_holds_what_it_needs_and_no_more() {
        let bytes = model(&[(&["x", "w1"], &["a"]), (&["a", "w2"], &["y"])], &["w1", "w2"]);
        let graph = Graph::parse(&bytes).unwrap();
        let head = graph.head(&["a"]).unwrap();
        let head = Graph::parse(&head).unwrap();
        let names =
            |list: &[(String, Field<'_>)]| list.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        assert_eq!((names(&head.inputs), names(&head.outputs)), (vec!["x".to_owned()], vec!["a".to_owned()]));
        assert_eq!((head.nodes.len(), names(&head.initializers)), (1, vec!["w1".to_owned()]));
        let tail = graph.tail("a", &[None, Some(3)], "y").unwrap();
        let tail = Graph::parse(&tail).unwrap();
        assert_eq!((names(&tail.inputs), names(&tail.outputs)), (vec!["a".to_owned()], vec!["y".to_owned()]));
        assert_eq!((tail.nodes.len(), names(&tail.initializers)), (1, vec!["w2".to_owned()]));
    }

    #[test]
    fn a_shortcut_around_a_tensor_is_no_cut() {
        let bytes = model(&[(&["x"], &["a"]), (&["x", "a"], &["b"]), (&["b"], &["y"])], &[]);
        assert_eq!(Graph::parse(&bytes).unwrap().cuts("x", "y"), ["b"]);
    }

    #[test]
    fn graphs_within_a_node_are_refused_and_garbage_is_named() {
        let node = NodeProto {
            input: vec!["x".to_owned()],
            output: vec!["y".to_owned()],
            operator: "If".to_owned(),
            attribute: vec![AttributeProto { graph: Some(vec![1]), graphs: Vec::new() }],
        };
        let (mut graph, mut bytes) = (Vec::new(), Vec::new());
        fields::append(GRAPH_NODE, &node.encode_to_vec(), &mut graph);
        fields::append(MODEL_GRAPH, &graph, &mut bytes);
        assert!(Graph::parse(&bytes).err().unwrap().contains("graph of its own"));
        assert_eq!(Graph::parse(&[]).err().unwrap(), "it has 0 graphs");
        let whole = model(&[(&["x"], &["y"])], &[]);
        for length in 0..whole.len() {
            _ = Graph::parse(&whole[..length]);
        }
    }
}
