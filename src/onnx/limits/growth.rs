//! What a graph becomes while ONNX Runtime loads it, bounded without computing it. Two things grow
//! there: constants, which are computed from other constants (the optimizer ConstantFolding), and
//! shapes, which are inferred, with the vectors of integers that other shapes are made of.
//!
//! Each value has a bound for its number of dimensions, and, where it may be a constant, for its
//! number of elements. What the operators make of these is followed through the graph, calls of
//! functions as if their nodes stood in their place. Constants whose size cannot be told so are
//! left to ONNX Runtime, which computes none above the size that is given to it.

use std::collections::HashMap;

use super::values::{
    ELEMENT_BYTES, Elements, INTEGERS, Node, Scope, Sizes, TEXTS, Value, function_key, read_function_names,
    read_graph_names, read_node, reserve,
};
use super::{Key, Outcome, Read, Reason, fields, number};

/// Most bytes of the constants that are computed, beside those in proportion to the file.
const CONSTANT_BYTES: u64 = 64 << 20;
/// Most dimensions of all values together, with the elements of vectors of integers: some 75 bytes
/// each in ONNX Runtime 1.31.1. Beside those in proportion to the file. 50,000 nodes with 8
/// dimensions each have a tenth of it.
const DIMENSIONS: u64 = 4 << 20;
/// Most calls of functions in one another; those of PyTorch follow its modules.
const MAX_CALLS: u64 = 64;

/// Follows the values of a model.
pub(crate) struct Growth<'a> {
    functions: HashMap<Key<'a>, &'a [u8]>,
    /// The graph, and those around it; of a called function its own alone.
    scopes: Vec<Scope<'a>>,
    /// First of `scopes` that the nodes at hand can see.
    visible: usize,
    calls: u64,
    /// Most numbers in an attribute of the calls around.
    argument: u64,
    bytes: u64,
    nodes: u64,
    dimensions: u64,
    /// Bytes of all nodes, those of called functions as often as they are called.
    expanded: u64,
    /// Constants of known size: the sum of their bytes, and the largest.
    known: u64,
    largest: u64,
    /// Constants that may be computed: all, and those of unknown size.
    computed: u64,
    unknown: u64,
    /// How often shape inference may read a vector of unknown length.
    uses: u64,
}

/// Most bytes of one constant that ONNX Runtime may compute of `model`, a file of `nodes` nodes
/// with those of called functions; `None` where all are known to be small.
pub(crate) fn largest_constant(model: &[u8], nodes: u64) -> Read<Option<u64>> {
    let mut growth = Growth {
        functions: HashMap::new(),
        scopes: Vec::new(),
        visible: 0,
        calls: 0,
        argument: 0,
        bytes: model.len() as u64,
        nodes,
        dimensions: 0,
        expanded: 0,
        known: 0,
        largest: 0,
        computed: 0,
        unknown: 0,
        uses: 0,
    };
    for field in fields(model) {
        let field = field?;
        if field.number == number::MODEL_FUNCTION {
            growth.functions.insert(function_key(field.payload)?, field.payload);
        }
    }
    let mut graph = Vec::new();
    for field in fields(model) {
        let field = field?;
        if field.number == number::MODEL_GRAPH {
            graph.push(field.payload);
        }
    }
    growth.graph(&graph, 0)?;
    Ok(growth.limit())
}

impl<'a> Growth<'a> {
    fn limit(&self) -> Option<u64> {
        let all = self.most_bytes();
        if self.unknown == 0 && self.known <= all {
            return None;
        }
        let mut limit = all / self.unknown.max(1);
        if self.known > all || limit < self.largest {
            limit = all / self.computed.max(1);
        }
        let shapes = ELEMENT_BYTES * self.most_dimensions() / self.uses.max(1);
        // 0 is no limit.
        Some(if self.uses > 0 { limit.min(shapes) } else { limit }.max(1))
    }

    fn most_bytes(&self) -> u64 {
        CONSTANT_BYTES.saturating_add(self.bytes.saturating_mul(16))
    }

    fn most_dimensions(&self) -> u64 {
        DIMENSIONS + self.bytes / 2
    }

    /// Follows the nodes of one graph, whose message may stand there in `parts`, and whose inputs
    /// have up to `rank` dimensions. Gives the most dimensions of its values, and whether an output
    /// may be a constant.
    fn graph(&mut self, parts: &[&'a [u8]], rank: u64) -> Read<(u64, bool)> {
        let mut scope = Scope::default();
        for part in parts {
            for field in fields(part) {
                read_graph_names(field?, &mut scope)?;
            }
        }
        for name in std::mem::take(&mut scope.inputs) {
            reserve(&mut scope.values)?;
            let value = scope.values.entry(name).or_default();
            value.rank = value.rank.max(rank).max(scope.stated.get(name).copied().unwrap_or_default());
        }
        let names = std::mem::take(&mut scope.outputs);
        self.scopes.push(scope);
        let outcome = self.nodes(parts, number::GRAPH_NODE);
        let outputs = names.iter().map(|name| self.look_up(name)).collect::<Read<Vec<Value>>>();
        self.scopes.pop();
        Ok((outcome?, outputs?.iter().any(|output| output.constant.is_some())))
    }

    /// Follows the nodes, which stand in fields `nodes`. Gives the most dimensions of what they
    /// make.
    fn nodes(&mut self, parts: &[&'a [u8]], nodes: u32) -> Read<u64> {
        let mut widest = 0;
        for part in parts {
            for field in fields(part) {
                let field = field?;
                if field.number == nodes {
                    let node = read_node(field.payload, self.argument)?;
                    widest = widest.max(self.node(&node)?);
                }
            }
        }
        Ok(widest)
    }

    fn node(&mut self, node: &Node<'a>) -> Read<u64> {
        self.expanded = self.expanded.saturating_add(node.bytes);
        let most = self.most_bytes();
        if self.expanded > most {
            let what = "bytes of nodes, with those of the functions called";
            return Err(Reason::Limit(format!("{what}: expected at most {most}, found more")));
        }
        let inputs = node.inputs.iter().map(|name| self.look_up(name)).collect::<Read<Vec<Value>>>()?;
        let mut outputs = match self.functions.get(&node.key) {
            Some(function) => self.call(function, node, &inputs)?,
            None => vec![self.operator(node, &inputs)?; node.outputs.len()],
        };
        let read = inputs.iter().map(|input| input.length().saturating_add(1)).fold(0, u64::saturating_add);
        self.count_dimensions(read)?;
        let mut widest = 0;
        outputs.resize(node.outputs.len(), Value::default());
        for (name, mut value) in node.outputs.iter().zip(outputs) {
            if let Some(scope) = self.scopes.last_mut() {
                value.rank = value.rank.max(scope.stated.get(name).copied().unwrap_or_default());
                reserve(&mut scope.values)?;
                scope.values.insert(name, value);
            }
            self.count_dimensions(value.rank.saturating_add(value.length()))?;
            widest = widest.max(value.rank);
        }
        Ok(widest)
    }

    fn count_dimensions(&mut self, more: u64) -> Outcome {
        self.dimensions = self.dimensions.saturating_add(more);
        let most = self.most_dimensions();
        if self.dimensions > most {
            let text = format!("dimensions of all values: expected at most {most}, found more");
            return Err(Reason::Limit(text));
        }
        Ok(())
    }

    /// What a node that calls no function gives.
    fn operator(&mut self, node: &Node<'a>, inputs: &[Value]) -> Read<Value> {
        let rank = inputs.iter().map(|input| input.rank).max().unwrap_or_default();
        let mut value = made(node, inputs);
        let mut constant = false;
        for graph in &node.graphs {
            let (rank, has_constant) = self.graph(&[*graph], rank)?;
            value.rank = value.rank.max(rank);
            constant |= has_constant;
        }
        // An `If` whose condition is a constant gives what its branch does.
        if !node.graphs.is_empty() && !constant {
            value.constant = None;
        }
        self.count_constant(node, inputs, value)?;
        Ok(value)
    }

    /// What is known of the value `name`.
    fn look_up(&self, name: &&'a [u8]) -> Read<Value> {
        for scope in self.scopes.iter().skip(self.visible).rev() {
            if let Some(value) = scope.values.get(name) {
                return Ok(*value);
            }
            if scope.produced.contains(name) {
                let text = "the order of the nodes: expected each after those whose outputs it reads";
                return Err(Reason::Model(text.to_owned()));
            }
        }
        Ok(Value::default())
    }

    /// A constant that ONNX Runtime may compute.
    fn count_constant(&mut self, node: &Node<'_>, inputs: &[Value], value: Value) -> Outcome {
        let (_, operator, _) = node.key;
        let shapes = inputs.iter().filter(|input| input.is_unknown_shape()).count() as u64;
        let weight = match value.constant {
            // The dimensions of all that follows depend on it.
            _ if takes_shape(operator) => self.nodes,
            Some(_) => 1,
            // Nothing is carried along where an input is no constant.
            None => 0,
        };
        self.uses = self.uses.saturating_add(shapes.saturating_mul(weight));
        if operator == b"Constant" {
            return Ok(());
        }
        let Some(elements) = value.constant else { return Ok(()) };
        if inputs.iter().any(|input| input.texts) {
            let operator = String::from_utf8_lossy(operator);
            let text = format!("texts computed from constants: expected none, found a node {operator}");
            return Err(Reason::Limit(text));
        }
        let outputs = node.outputs.len() as u64;
        self.computed = self.computed.saturating_add(outputs);
        match elements {
            Elements::Known(_) => {
                self.known = self.known.saturating_add(value.bytes().saturating_mul(outputs));
                self.largest = self.largest.max(value.bytes());
            }
            Elements::Unknown => self.unknown = self.unknown.saturating_add(outputs),
        }
        Ok(())
    }

    /// Follows the body of `function`, and gives its outputs.
    fn call(&mut self, function: &'a [u8], node: &Node<'a>, inputs: &[Value]) -> Read<Vec<Value>> {
        self.calls += 1;
        if self.calls > MAX_CALLS {
            let text = format!("calls of functions in one another: expected at most {MAX_CALLS}, found more");
            return Err(Reason::Limit(text));
        }
        let mut scope = Scope::default();
        for field in fields(function) {
            self.count_dimensions(1)?;
            read_function_names(field?, self.argument, &mut scope)?;
        }
        for (index, name) in std::mem::take(&mut scope.inputs).into_iter().enumerate() {
            scope.values.insert(name, inputs.get(index).copied().unwrap_or_default());
        }
        let names = std::mem::take(&mut scope.outputs);
        let argument = self.argument.max(node.longest).max(scope.argument);
        let argument = std::mem::replace(&mut self.argument, argument);
        let visible = std::mem::replace(&mut self.visible, self.scopes.len());
        self.scopes.push(scope);
        let outcome = self.nodes(&[function], number::FUNCTION_NODE);
        let outputs = names.iter().map(|name| self.look_up(name)).collect();
        self.scopes.pop();
        (self.visible, self.argument) = (visible, argument);
        self.calls -= 1;
        outcome.and(outputs)
    }
}

/// What a node makes of its inputs.
fn made(node: &Node<'_>, inputs: &[Value]) -> Value {
    let (domain, operator, _) = node.key;
    let at = |index: usize| inputs.get(index).copied().unwrap_or_default();
    if operator == b"Constant" {
        return node.value;
    }
    let constant =
        inputs.iter().zip(&node.inputs).all(|(input, name)| name.is_empty() || input.constant.is_some());
    let widest = inputs.iter().map(|input| input.rank).max().unwrap_or_default().max(node.longest);
    let elements = |inputs: &[Value], join: fn(u64, u64) -> u64| {
        inputs.iter().try_fold(0, |sum, input| match input.constant {
            Some(Elements::Known(elements)) => Some(join(sum, elements)),
            _ => None,
        })
    };
    let sizes = match operator {
        b"Cast" | b"DequantizeLinear" | b"QuantizeLinear" | b"Identity" | b"Slice" | b"Neg" | b"Abs"
        | b"Sqrt" | b"Floor" | b"Ceil" | b"Not" | b"Sin" | b"Cos" | b"Exp" | b"Log" | b"Reciprocal"
        | b"Clip" => at(0).sizes(),
        b"Add" | b"Sub" | b"Mul" | b"Div" | b"Mod" | b"Pow" | b"Min" | b"Max" | b"Equal" | b"Where" => {
            inputs.iter().map(Value::sizes).reduce(|one, other| broadcast(one?, other?)).flatten()
        }
        _ => None,
    };
    let known = match operator {
        b"Shape" => Some(at(0).rank),
        b"Size" => Some(1),
        b"Concat" => elements(inputs, u64::saturating_add),
        b"Transpose" | b"Reshape" | b"Squeeze" | b"Unsqueeze" | b"Flatten" => elements(&[at(0)], u64::max),
        b"Gather" if at(0).rank <= 1 => elements(&[at(1)], u64::max),
        _ => sizes.map(|sizes| sizes.into_iter().fold(1, u64::saturating_mul)),
    };
    let shape = inputs.iter().map(Value::length).max().unwrap_or_default();
    let rank = match operator {
        b"Shape" | b"Range" => 1,
        b"Size" => 0,
        b"Reshape" | b"Expand" | b"ConstantOfShape" | b"Tile" => widest.max(shape),
        b"Col2Im" => widest.max(shape.saturating_add(2)),
        b"Unsqueeze" | b"ExpandDims" => at(0).rank.saturating_add(at(1).length().max(node.longest).max(1)),
        b"Squeeze" => at(0).rank,
        b"Gather" | b"GatherND" => at(0).rank.saturating_add(at(1).rank).saturating_sub(1),
        b"Einsum" => node.text,
        b"OneHot" | b"ConcatFromSequence" | b"Loop" | b"Scan" | b"LSTM" | b"GRU" | b"RNN" => {
            widest.saturating_add(1)
        }
        _ => widest,
    };
    let is_shape = matches!(operator, b"Shape" | b"Size");
    Value {
        rank,
        sizes,
        constant: (constant || is_shape).then(|| known.map_or(Elements::Unknown, Elements::Known)),
        integers: match operator {
            b"Shape" | b"Size" => true,
            b"Cast" => INTEGERS.contains(&node.to),
            b"DequantizeLinear" => false,
            // Of the value that it repeats; floats where there is none.
            b"ConstantOfShape" => node.value.integers,
            b"Reshape" | b"Expand" | b"Tile" | b"Gather" | b"Slice" | b"Squeeze" | b"Unsqueeze" | b"Pad" => {
                at(0).integers
            }
            b"NonZero" | b"ArgMax" | b"ArgMin" | b"TopK" | b"Unique" => true,
            _ => inputs.iter().any(|input| input.integers),
        },
        texts: inputs.iter().any(|input| input.texts)
            || domain == b"ai.onnx.ml"
            || (operator == b"Cast" && node.to == TEXTS),
    }
}

/// Sizes of what an operator for each element makes of two values.
fn broadcast(one: Sizes, other: Sizes) -> Option<Sizes> {
    let mut sizes = one;
    for (size, other) in sizes.iter_mut().zip(other) {
        *size = other.max(*size);
    }
    Some(sizes)
}

/// Whether the dimensions of its output are the values of an input.
fn takes_shape(operator: &[u8]) -> bool {
    matches!(
        operator,
        b"Reshape" | b"Expand" | b"ConstantOfShape" | b"Tile" | b"Col2Im" | b"Unsqueeze" | b"ExpandDims"
    )
}
