"""Weights stored as int8: what they become again, and that nothing is left of it when the network
runs."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, numpy_helper
from voiceflow_public import accurate, compact
from voiceflow_public.graph import Graph
from voiceflow_public.packages import MODELS

FRAMES = 12


@pytest.fixture(scope="module")
def network():
    """Each kind of layer: [N, 48, T] -> [N, T, 96], with random weights."""
    random = np.random.default_rng(3)
    graph = Graph()

    def weight(name, *shape):
        return graph.constant(name, 0.1 * random.standard_normal(shape))

    graph.node("Conv", ["x", weight("kernel", 64, 48, 3), weight("bias", 64)], "convolved", pads=[1, 1])
    graph.node("Transpose", ["convolved"], "frames_first", perm=[2, 0, 1])
    recurrent = ["frames_first", weight("gates", 1, 128, 64), weight("recurrence", 1, 128, 32)]
    graph.node("LSTM", recurrent, "hidden", hidden_size=32)
    graph.node("Squeeze", ["hidden", graph.constant("directions", [1], np.int64)], "rows")
    graph.node("MatMul", ["rows", weight("matrix", 32, 128)], "wide")
    shape = graph.constant("flat", [-1, 128], np.int64)
    graph.node(
        "Gemm",
        [graph.node("Reshape", ["wide", shape], "flattened"), weight("rows_out", 96, 128)],
        "out",
        transB=1,
    )
    graph.node("Reshape", ["out", graph.constant("batched", [1, -1, 96], np.int64)], "y")
    return graph.model("layers", ("x", [1, 48, "frames"]), ("y", [1, "frames", 96]))


WEIGHTS = {"kernel", "gates", "recurrence", "matrix", "rows_out"}


def tensors(model):
    """The arrays of a graph by their names."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}


def output(data, name, value):
    """The first output of an ONNX file."""
    return onnxruntime.InferenceSession(data).run(None, {name: value})[0]


def restored(found, name):
    """The weights that int8 and scales stand for."""
    scaled = found[f"{name}.int8"].astype(np.float32) * found[f"{name}.scales"]
    return scaled.reshape(found[f"{name}.shape"])


@pytest.mark.parametrize(("shape", "row"), [((5, 96), (1, 2)), ((80, 7), (0, 1)), ((3, 8, 5, 9), (2, 4))])
def test_a_weight_is_at_most_half_a_step_off(shape, row):
    weights = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    quantized, scales = compact.quantize(weights, *row)
    groups = quantized.shape[row[0]]
    assert quantized.shape[row[0] + 1] * groups == np.prod(shape[row[0] : row[1]])
    assert compact.LEAST_GROUP <= quantized.shape[row[0] + 1] <= compact.GROUP
    error = np.abs(quantized * scales - weights.reshape(quantized.shape))
    assert (error <= scales * 0.5001).all()
    assert np.abs(quantized).max(axis=row[0] + 1).min() == compact.LARGEST


def test_zeros_stay_zeros_and_rows_that_cannot_be_divided_are_left():
    quantized, scales = compact.quantize(np.zeros((2, 64), np.float32), 1, 2)
    assert not quantized.any()
    assert np.isfinite(scales).all()
    assert compact.quantize(np.ones((80, 251), np.float32), 1, 2) is None


def test_every_kind_of_layer_gives_what_its_restored_weights_give(network):
    data = compact.compact(network.SerializeToString())
    found = tensors(onnx.load_from_string(data))
    assert {name.removesuffix(".int8") for name in found if name.endswith(".int8")} == WEIGHTS
    assert len(data) < 0.4 * network.ByteSize()
    expected = onnx.ModelProto.FromString(network.SerializeToString())
    for tensor in expected.graph.initializer:
        if tensor.name in WEIGHTS:
            tensor.CopyFrom(numpy_helper.from_array(restored(found, tensor.name), tensor.name))
    x = np.random.default_rng(2).standard_normal((1, 48, FRAMES)).astype(np.float32)
    np.testing.assert_array_equal(output(data, "x", x), output(expected.SerializeToString(), "x", x))
    float32 = output(network.SerializeToString(), "x", x)
    assert np.linalg.norm(output(data, "x", x) - float32) < 0.02 * np.linalg.norm(float32)


def test_the_runtime_folds_what_it_loads(network, tmp_path):
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    data = compact.compact(network.SerializeToString())
    onnxruntime.InferenceSession(data, options)
    optimized = onnx.load(options.optimized_model_filepath)
    assert not {node.op_type for node in optimized.graph.node} & {"Cast", "Mul", "DequantizeLinear"}
    assert not [each for each in optimized.graph.initializer if each.data_type == TensorProto.INT8]


def test_a_tensor_that_is_more_than_the_weight_of_one_layer_stays(network):
    twice = onnx.ModelProto.FromString(network.SerializeToString())
    twice.graph.node.append(onnx.helper.make_node("Identity", ["matrix"], ["copy"]))
    found = tensors(onnx.load_from_string(compact.compact(twice.SerializeToString())))
    assert found["matrix"].dtype == np.float32
    assert "matrix.int8" not in found


def test_equal_networks_are_equal_files(network):
    data = network.SerializeToString()
    assert compact.compact(data) == compact.compact(data)


@pytest.mark.skipif(not (MODELS / accurate.WHEEL.file).exists(), reason="run `make models-accurate`")
def test_the_published_voices_stay_where_they_are():
    float32 = accurate.embedding(MODELS / accurate.WHEEL.file)
    data = compact.compact(float32)
    assert len(data) < 0.3 * len(float32)
    features = np.random.RandomState(1).uniform(-4, 4, (1, 300, 80)).astype(np.float32)
    found, expected = (output(each, "x", features)[0] for each in (data, float32))
    assert found @ expected > 0.999 * np.linalg.norm(found) * np.linalg.norm(expected)
    parts = accurate.parts(data)
    frames = output(parts["embedding.frames.onnx"], "x", features)
    whole = output(parts["embedding.pooling.onnx"], accurate.CUT, frames)[0]
    np.testing.assert_allclose(whole, found, atol=1e-4 * np.abs(found).max())
    assert sum(len(each) for name, each in parts.items() if name.endswith(".onnx")) < 1.05 * len(data)
