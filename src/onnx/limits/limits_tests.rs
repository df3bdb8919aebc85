//! Models that ask for too much, made field by field.

use prost::encoding::{self, WireType};

use super::super::fields::append;
use super::tensors::EXTERNAL;
use super::*;
use crate::call::Call;
use crate::config::{Config, ModelSource};
use crate::model::Session;

fn node(operator: &str, domain: &str, attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut node = Vec::new();
    append(1, b"x", &mut node);
    append(2, b"y", &mut node);
    append(number::NODE_OPERATOR, operator.as_bytes(), &mut node);
    append(number::NODE_DOMAIN, domain.as_bytes(), &mut node);
    for attribute in attributes {
        append(number::NODE_ATTRIBUTE, attribute, &mut node);
    }
    node
}

fn graph(nodes: &[Vec<u8>]) -> Vec<u8> {
    let mut graph = Vec::new();
    for node in nodes {
        append(number::GRAPH_NODE, node, &mut graph);
    }
    graph
}

fn function(name: &str, nodes: &[Vec<u8>]) -> Vec<u8> {
    let mut function = Vec::new();
    append(number::FUNCTION_NAME, name.as_bytes(), &mut function);
    append(number::FUNCTION_DOMAIN, b"own", &mut function);
    for node in nodes {
        append(number::FUNCTION_NODE, node, &mut function);
    }
    function
}

fn model(graph: &[u8], functions: &[Vec<u8>]) -> Vec<u8> {
    let mut model = Vec::new();
    append(number::MODEL_GRAPH, graph, &mut model);
    for function in functions {
        append(number::MODEL_FUNCTION, function, &mut model);
    }
    model
}

fn tensor(sizes: &[u64], bytes: usize) -> Vec<u8> {
    let mut tensor = Vec::new();
    for size in sizes {
        encoding::encode_key(number::TENSOR_SIZE, WireType::Varint, &mut tensor);
        encoding::encode_varint(*size, &mut tensor);
    }
    append(number::TENSOR_RAW_DATA, &vec![0; bytes], &mut tensor);
    tensor
}

fn refusal(model: &[u8]) -> String {
    check(model, &"m.onnx").unwrap_err().to_string()
}

/// Functions of which each calls the one before twice.
fn doubling(times: usize) -> Vec<u8> {
    let call = |level: usize| node(&format!("f{level}"), "own", &[]);
    let mut functions = vec![function("f0", &[node("Identity", "", &[])])];
    for level in 1..=times {
        functions.push(function(&format!("f{level}"), &[call(level - 1), call(level - 1)]));
    }
    model(&graph(&[call(times)]), &functions)
}

#[test]
fn functions_that_double_are_counted_and_not_expanded() {
    check(&doubling(13), &"m").unwrap();
    let forty = doubling(40);
    assert!(forty.len() < 7_000, "{}", forty.len());
    let expected = "m.onnx: nodes, with those of the functions called: expected at most 50000, found ";
    assert!(refusal(&forty).starts_with(expected), "{}", refusal(&forty));
    assert!(refusal(&doubling(90)).ends_with("more than can be counted"));
}

#[test]
fn a_session_is_refused_at_once_what_its_file_would_ask_for() {
    for (bytes, expected) in [
        (doubling(40), "functions called"),
        (model(&graph(&vec![node("Identity", "", &[]); 100_000]), &[]), "nodes: expected at most 50000"),
    ] {
        let mut config = Config::default();
        config.set_model(ModelSource::Memory(bytes.into()));
        let start = std::time::Instant::now();
        let error = Session::load(&config, &Call::none()).unwrap_err();
        assert!(matches!(error, Error::Limit(_)) && error.to_string().contains(expected), "{error}");
        assert!(start.elapsed() < std::time::Duration::from_secs(120), "{:?}", start.elapsed());
    }
}

#[test]
fn recursion_is_refused() {
    let call = |name: &str| node(name, "own", &[]);
    let own = model(&graph(&[call("f")]), &[function("f", &[call("f")])]);
    assert!(refusal(&own).contains("a function calls itself"), "{}", refusal(&own));
    let ring = [function("f", &[call("g")]), function("g", &[call("h")]), function("h", &[call("f")])];
    assert!(refusal(&model(&graph(&[]), &ring)).contains("calls itself"));
    let names: Vec<String> = (0..=MAX_FUNCTIONS).map(|index| format!("f{index}")).collect();
    let many: Vec<Vec<u8>> = names.iter().map(|name| function(name, &[])).collect();
    assert_eq!(refusal(&model(&[], &many)), "m.onnx: functions: expected at most 2000, found more");
}

#[test]
fn nested_graphs_are_counted_in_depth_and_number() {
    let nested = |inner: &[u8]| {
        let mut attribute = Vec::new();
        append(number::ATTRIBUTE_GRAPH, inner, &mut attribute);
        graph(&[node("If", "", &[attribute])])
    };
    let deep = |levels: u64| (0..levels).fold(graph(&[node("Identity", "", &[])]), |inner, _| nested(&inner));
    check(&model(&deep(MAX_DEPTH), &[]), &"m").unwrap();
    let text = refusal(&model(&deep(MAX_DEPTH + 1), &[]));
    assert_eq!(text, "m.onnx: graphs in one another: expected at most 16, found more");
    // Deeper than any stack.
    assert!(refusal(&model(&deep(1_000), &[])).contains("graphs in one another"));
    let mut attribute = Vec::new();
    for _ in 0..=MAX_GRAPHS {
        append(number::ATTRIBUTE_GRAPHS, &[], &mut attribute);
    }
    let wide = model(&graph(&[node("If", "", &[attribute])]), &[]);
    assert_eq!(refusal(&wide), "m.onnx: graphs within graphs: expected at most 2000, found more");
}

#[test]
fn a_tensor_has_no_more_elements_than_its_bytes_can_hold() {
    let with = |tensor: &[u8]| {
        let mut graph = Vec::new();
        append(number::GRAPH_INITIALIZER, tensor, &mut graph);
        model(&graph, &[])
    };
    check(&with(&tensor(&[4, 16], 256)), &"m").unwrap();
    check(&with(&tensor(&[], 4)), &"m").unwrap();
    check(&with(&tensor(&[0, 1 << 40], 0)), &"m").unwrap();
    for sizes in [vec![1 << 60], vec![1 << 40, 1 << 40], vec![u64::MAX], vec![2_000]] {
        let text = refusal(&with(&tensor(&sizes, 16)));
        assert!(text.contains("elements of a tensor of"), "{text}");
    }
    let mut packed = Vec::new();
    let mut sizes = Vec::new();
    encoding::encode_varint(1 << 60, &mut sizes);
    append(number::TENSOR_SIZE, &sizes, &mut packed);
    assert!(refusal(&with(&packed)).contains("found 1152921504606846976"));
    // The same in the attribute of a constant.
    let mut attribute = Vec::new();
    append(number::ATTRIBUTE_TENSOR, &tensor(&[1 << 50], 4), &mut attribute);
    let constant = model(&graph(&[node("Constant", "", &[attribute])]), &[]);
    assert!(refusal(&constant).contains("elements of a tensor"));
}

#[test]
fn tensors_in_other_files_are_refused() {
    let mut by_key = tensor(&[1], 0);
    append(number::TENSOR_EXTERNAL_DATA, b"", &mut by_key);
    let mut by_location = tensor(&[1], 0);
    encoding::encode_key(number::TENSOR_LOCATION, WireType::Varint, &mut by_location);
    encoding::encode_varint(EXTERNAL, &mut by_location);
    for tensor in [by_key, by_location] {
        let mut graph = Vec::new();
        append(number::GRAPH_INITIALIZER, &tensor, &mut graph);
        let error = check(&model(&graph, &[]), &"m").unwrap_err();
        assert!(matches!(error, Error::Model(_)) && error.to_string().contains("in another file"), "{error}");
    }
}

#[test]
fn what_is_no_onnx_is_left_to_onnx_runtime() {
    for bytes in [&b""[..], b"no model at all", &[0xff; 40], &[0x3a, 0x7f]] {
        check(bytes, &"m").unwrap();
    }
    let whole = doubling(20);
    for length in 0..whole.len() {
        _ = check(&whole[..length], &"m");
    }
}

/// A chain of as many nodes as are allowed, which takes ONNX Runtime seconds to load; what it gives
/// is no model of ours.
fn slow() -> Vec<u8> {
    let value = |name: &str| {
        let mut tensor = vec![8, 1];
        append(2, &[], &mut tensor);
        let (mut kind, mut info) = (Vec::new(), Vec::new());
        append(1, &tensor, &mut kind);
        append(1, name.as_bytes(), &mut info);
        append(2, &kind, &mut info);
        info
    };
    let mut graph = Vec::new();
    for index in 0..MAX_NODES {
        let mut node = Vec::new();
        append(1, format!("t{index}").as_bytes(), &mut node);
        append(2, format!("t{}", index + 1).as_bytes(), &mut node);
        append(number::NODE_OPERATOR, b"Sin", &mut node);
        append(number::GRAPH_NODE, &node, &mut graph);
    }
    append(2, b"g", &mut graph);
    append(11, &value("t0"), &mut graph);
    append(12, &value(&format!("t{MAX_NODES}")), &mut graph);
    // `ir_version` 8 and operators of version 17.
    let mut model = vec![8, 8];
    append(number::MODEL_GRAPH, &graph, &mut model);
    append(number::MODEL_OPERATOR_SET, &[16, 17], &mut model);
    model
}

#[test]
fn a_slow_load_ends_at_its_deadline_and_keeps_no_other_waiting() {
    let mut config = Config::default();
    config.set_model(ModelSource::Memory(slow().into()));
    // Whether the model of the library is there before the slow one beside it.
    let overtakes = || {
        let _alone = crate::loading::alone();
        let slow = std::thread::spawn({
            let config = config.clone();
            move || Session::new(&config).unwrap_err().to_string()
        });
        let call = Call::none().with_deadline(Some(std::time::Duration::from_millis(100)));
        let error = Session::load(&config, &call).unwrap_err();
        assert!(matches!(error, Error::Deadline { .. }), "{error}");
        Session::new(&Config::default()).unwrap();
        let first = !slow.is_finished();
        let text = slow.join().unwrap();
        assert!(text.contains("breaks the model contract"), "{text}");
        first
    };
    // A machine that does other work may hold it up once, and not each time.
    assert!((0..5).any(|_| overtakes()));
}

/// A node with names.
fn named(operator: &str, inputs: &[&str], output: &str) -> Vec<u8> {
    let mut node = Vec::new();
    for input in inputs {
        append(number::NODE_INPUT, input.as_bytes(), &mut node);
    }
    append(number::NODE_OUTPUT, output.as_bytes(), &mut node);
    append(number::NODE_OPERATOR, operator.as_bytes(), &mut node);
    node
}

/// A model of `nodes` and vectors of 64-bit integers, by name and length.
fn with_vectors(nodes: &[Vec<u8>], vectors: &[(&str, u64)]) -> Vec<u8> {
    let mut graph = graph(nodes);
    for (name, length) in vectors {
        let mut vector = tensor(&[*length], 8 * *length as usize);
        encoding::encode_key(number::TENSOR_TYPE, WireType::Varint, &mut vector);
        encoding::encode_varint(7, &mut vector);
        append(number::TENSOR_NAME, name.as_bytes(), &mut vector);
        append(number::GRAPH_INITIALIZER, &vector, &mut graph);
    }
    model(&graph, &[])
}

#[test]
fn dimensions_that_add_up_are_refused() {
    let chain = |number: usize| -> Vec<Vec<u8>> {
        (0..number).map(|i| named("Unsqueeze", &[&format!("c{i}"), "axis"], &format!("c{}", i + 1))).collect()
    };
    check(&with_vectors(&chain(1_000), &[("axis", 1)]), &"m").unwrap();
    let text = refusal(&with_vectors(&chain(10_000), &[("axis", 1)]));
    assert!(text.starts_with("m.onnx: dimensions of all values: expected at most 4"), "{text}");
    // A long vector that is read often.
    let reads: Vec<Vec<u8>> = (0..100).map(|i| named("Add", &["v", "v"], &format!("r{i}"))).collect();
    check(&with_vectors(&reads[..10], &[("v", 100_000)]), &"m").unwrap();
    assert!(refusal(&with_vectors(&reads, &[("v", 100_000)])).contains("dimensions of all values"));
}

#[test]
fn constants_that_functions_copy_are_counted_as_often_as_they_are_called() {
    let mut attribute = Vec::new();
    append(number::ATTRIBUTE_NAME, b"value", &mut attribute);
    append(number::ATTRIBUTE_TENSOR, &tensor(&[250_000], 1_000_000), &mut attribute);
    let body = function("f", &[node("Constant", "", &[attribute])]);
    let calls =
        |times: usize| model(&graph(&vec![node("f", "own", &[]); times]), std::slice::from_ref(&body));
    check(&calls(50), &"m").unwrap();
    assert!(refusal(&calls(200)).contains("bytes of nodes, with those of the functions called"));
}

#[test]
fn nodes_stand_after_those_that_they_read() {
    let sorted = [named("Relu", &["x"], "a"), named("Relu", &["a"], "b")];
    check(&with_vectors(&sorted, &[]), &"m").unwrap();
    let [first, second] = sorted;
    assert!(refusal(&with_vectors(&[second, first], &[])).contains("the order of the nodes"));
}

#[test]
fn constants_are_bounded_where_the_file_does_not_tell_their_size() {
    let limit = |nodes: &[Vec<u8>]| check(&with_vectors(nodes, &[("v", 4)]), &"m").unwrap();
    // No larger than what they are made of.
    assert_eq!(limit(&[named("Identity", &["v"], "a"), named("Concat", &["a", "v"], "b")]), None);
    // Nothing but the input of the model.
    assert_eq!(limit(&[named("Expand", &["x", "v"], "a"), named("Relu", &["a"], "b")]), None);
    let one = limit(&[named("ConstantOfShape", &["v"], "a")]).unwrap();
    assert!((64 << 20..65 << 20).contains(&one), "{one}");
    // Two share it, and what is made of unknown sizes is unknown.
    let two = limit(&[named("ConstantOfShape", &["v"], "a"), named("Relu", &["a"], "b")]).unwrap();
    assert!((32 << 20..33 << 20).contains(&two), "{two}");
    // A shape may be one.
    let shape = [named("Shape", &["x"], "s"), named("ConstantOfShape", &["s"], "a")];
    assert!(limit(&shape).is_some());
}

#[test]
fn models_in_use_keep_their_constants() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut models = 0;
    for folder in [
        "tests/data/families",
        "tests/data/models",
        "models/fast-cnn/1.0.1",
        ".models/accurate",
        ".models/public",
    ] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let file = entry.unwrap().path();
            if file.extension().is_some_and(|extension| extension == "onnx") {
                let limit = check(&std::fs::read(&file).unwrap(), &file.display()).unwrap();
                assert!(limit.is_none_or(|limit| limit >= 10_000), "{}: {limit:?}", file.display());
                models += 1;
            }
        }
    }
    assert!(models > 20, "{models}");
}
