"""The passes over an exported graph, each on a small graph made for it: same results, and what is
gone."""

import numpy as np
import pytest

onnxruntime = pytest.importorskip("onnxruntime", reason="ONNX Runtime runs the graphs")
pytest.importorskip("onnxslim", reason="onnxslim is needed to export; install models/diarization")

import onnx  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from voiceflow_models.export.passes import fold_norms, settle_pads, settle_reshapes  # noqa: E402
from voiceflow_models.export.widen import widen  # noqa: E402

RANDOM = np.random.default_rng(1)


def model_of(nodes, constants, shape, outputs=("y",)):
    """A model with input x of ``shape`` and outputs of as many dimensions."""
    rank = len(shape)
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None] * rank) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model, x):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})


def floats(*shape):
    return RANDOM.standard_normal(shape).astype(np.float32)


def operators(model):
    return [node.op_type for node in model.graph.node]


def norm(name, channels):
    """Constants of a batch norm."""
    parts = {"weight": floats(channels), "bias": floats(channels), "mean": floats(channels)}
    parts["variance"] = np.abs(floats(channels)) + 0.1
    return {f"{name}.{part}": values for part, values in parts.items()}


def norm_node(name, source, target):
    places = [f"{name}.{part}" for part in ("weight", "bias", "mean", "variance")]
    return helper.make_node("BatchNormalization", [source, *places], [target], name, epsilon=1e-3)


@pytest.mark.parametrize("transposed", [0, 1])
def test_norms_around_a_gemm_are_folded(transposed):
    weight = floats(5, 6) if transposed else floats(6, 5)
    constants = {**norm("before", 6), **norm("after", 5), "weight": weight, "bias": floats(5)}
    model = model_of(
        [
            norm_node("before", "x", "a"),
            helper.make_node("Gemm", ["a", "weight", "bias"], ["b"], "gemm", transB=transposed),
            norm_node("after", "b", "y"),
        ],
        constants,
        ["rows", 6],
    )
    x = floats(4, 6)
    expected = run(model, x)
    fold_norms(model.graph)
    assert operators(model) == ["Gemm"]
    assert len(model.graph.initializer) == 2
    assert np.allclose(run(model, x), expected, atol=1e-4)


def test_a_norm_that_others_read_stays():
    model = model_of(
        [
            norm_node("before", "x", "a"),
            helper.make_node("Gemm", ["a", "weight", "bias"], ["b"], "gemm"),
            helper.make_node("Relu", ["a"], ["z"]),
            helper.make_node("Relu", ["b"], ["y"]),
        ],
        {**norm("before", 6), "weight": floats(6, 5), "bias": floats(5)},
        ["rows", 6],
        ("y", "z"),
    )
    x = floats(4, 6)
    expected = run(model, x)
    fold_norms(model.graph)
    assert "BatchNormalization" in operators(model)
    for found, wanted in zip(run(model, x), expected, strict=True):
        assert np.allclose(found, wanted, atol=1e-4)


def test_an_amount_of_padding_is_computed_in_its_place():
    constants = {"others": [3], "zeros": [0, 0], "pairs": [-1, 2], "flat": [-1]}
    constants |= {
        "start": [-1],
        "end": [-(2**62)],
        "axis": [0],
        "step": [-1],
        "columns": np.array(1),
        "front": [0],
    }
    nodes = [
        helper.make_node("Shape", ["x"], ["shape"]),
        helper.make_node("Gather", ["shape", "columns"], ["width"]),
        helper.make_node("Unsqueeze", ["width", "front"], ["amount"]),
        # As PyTorch has them: (3, width) of the last axis, then (0, 0) of the first.
        helper.make_node("Concat", ["others", "amount", "zeros"], ["all"], axis=0),
        helper.make_node("Reshape", ["all", "pairs"], ["by axis"]),
        helper.make_node("Slice", ["by axis", "start", "end", "axis", "step"], ["reversed"]),
        helper.make_node("Transpose", ["reversed"], ["turned"], perm=[1, 0]),
        helper.make_node("Reshape", ["turned", "flat"], ["pads"]),
        helper.make_node("Pad", ["x", "pads"], ["y"], "pad"),
    ]
    model = model_of(nodes, constants, ["rows", "columns"])
    x = floats(2, 5)
    (expected,) = run(model, x)
    assert expected.shape == (2, 13)
    settle_pads(model.graph)
    assert operators(model) == ["Shape", "Gather", "Unsqueeze", "Concat", "Pad"]
    assert np.array_equal(run(model, x)[0], expected)


def reshape_of(data, axis, tail):
    """x -> Relu -> Reshape to [size of ``data`` along ``axis``, -1, tail]."""
    return model_of(
        [
            helper.make_node("Relu", ["x"], ["a"]),
            helper.make_node("Shape", [data], ["shape"]),
            helper.make_node("Gather", ["shape", "axis"], ["size"]),
            helper.make_node("Unsqueeze", ["size", "zero"], ["first"]),
            helper.make_node("Concat", ["first", "rest", "tail"], ["target"], axis=0),
            helper.make_node("Reshape", ["a", "target"], ["y"], "reshape"),
        ],
        {"axis": axis, "zero": [0], "rest": [-1], "tail": [tail]},
        ["batch", "frames", 6],
    )


def test_a_shape_taken_over_becomes_a_constant():
    model = reshape_of("a", 0, 3)
    settle_reshapes(model.graph)
    assert operators(model) == ["Relu", "Reshape"]
    assert run(model, floats(2, 5, 6))[0].shape == (2, 10, 3)


@pytest.mark.parametrize(("data", "axis"), [("x", 0), ("a", 1)])
def test_a_shape_of_another_tensor_or_axis_stays(data, axis):
    model = reshape_of(data, axis, 3)
    x = floats(2, 4, 6)
    expected = run(model, x)[0].shape
    settle_reshapes(model.graph)
    assert "Shape" in operators(model)
    assert run(model, x)[0].shape == expected


@pytest.mark.parametrize("frames", [1, 2, 7, 8])
def test_a_chain_of_convolutions_becomes_an_image(frames):
    model = model_of(
        [
            helper.make_node("Conv", ["x", "v", "b"], ["a"], kernel_shape=[4], strides=[1], pads=[1, 2]),
            helper.make_node("Relu", ["a"], ["r"]),
            helper.make_node(
                "Conv", ["r", "w"], ["c"], kernel_shape=[3], strides=[1], dilations=[2], pads=[2, 2]
            ),
            helper.make_node("Add", ["r", "c"], ["s"]),
            helper.make_node("Concat", ["s", "r"], ["j"], axis=1),
            helper.make_node(
                "AveragePool", ["j"], ["p"], kernel_shape=[2], strides=[2], pads=[0, 0], ceil_mode=1
            ),
            helper.make_node("Transpose", ["p"], ["y"], perm=[0, 2, 1]),
            helper.make_node("Tanh", ["s"], ["z"]),
        ],
        {"v": floats(16, 8, 4), "b": floats(16), "w": floats(16, 16, 3)},
        ["batch", 8, "frames"],
        ("y", "z", "s"),
    )
    x = floats(2, 8, frames)
    expected = run(model, x)
    widen(model.graph)
    onnx.checker.check_model(model, full_check=True)
    assert operators(model).count("Unsqueeze") == 1
    assert operators(model).count("Squeeze") == 2
    for found, wanted in zip(run(model, x), expected, strict=True):
        assert found.shape == wanted.shape
        assert np.allclose(found, wanted, atol=1e-5)
