"""Counts the multiply-adds of an ONNX graph at one input shape, from the shapes alone.

Counted are convolutions, matrix products and recurrent layers, also their 8-bit forms; everything
else is element by element and costs less than its memory traffic.
"""

from __future__ import annotations

import tempfile
from math import prod
from pathlib import Path

import onnx
import onnxruntime

RECURRENT = ("RNN", "GRU", "LSTM")


def multiply_adds(path: Path, shape: tuple[int, ...]) -> dict[str, int]:
    """Multiply-adds by operator type for one run of the file, its only input having ``shape``."""
    graph = _static(path, shape).graph
    shapes = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for value in (*graph.input, *graph.value_info, *graph.output):
        sizes = value.type.tensor_type.shape.dim
        # Without the field the number of axes is unknown, which is not a scalar.
        if value.type.tensor_type.HasField("shape") and all(size.HasField("dim_value") for size in sizes):
            shapes[value.name] = tuple(size.dim_value for size in sizes)
    counts: dict[str, int] = {}
    for node in graph.node:
        needed = _needed(node)
        for name in needed:
            if name not in shapes:
                raise ValueError(
                    f"{path.name}: expected a fixed shape of {name} ({node.op_type}), found none"
                )
        if needed:
            count = _count(node, [shapes[name] for name in needed])
            counts[node.op_type] = counts.get(node.op_type, 0) + count
    return counts


def _static(path: Path, shape: tuple[int, ...]) -> onnx.ModelProto:
    """The graph at a fixed input shape, branches and shape arithmetic folded, with shapes of all
    values."""
    model = onnx.load(path)
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    if len(sizes) != len(shape):
        raise ValueError(f"{path.name}: expected an input with {len(shape)} axes, found {len(sizes)}")
    for size, value in zip(sizes, shape, strict=True):
        size.dim_value = value
    options = onnxruntime.SessionOptions()
    # The basic level folds constants and stays within ONNX's own operators, whose shapes can be
    # inferred.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        folded = Path(folder) / "folded.onnx"
        options.optimized_model_filepath = str(folded)
        onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
        return onnx.shape_inference.infer_shapes(onnx.load(folded), data_prop=True)


def _needed(node: onnx.NodeProto) -> list[str]:
    """The values whose shapes say what a node costs; none for a node that is not counted."""
    inputs, output = node.input, node.output[0]
    match node.op_type:
        case "Conv" | "ConvInteger":
            return [inputs[1], output]
        case "QLinearConv":
            return [inputs[3], output]
        case "ConvTranspose":
            return [inputs[0], inputs[1]]
        case "MatMul" | "MatMulInteger" | "Gemm" | "QLinearMatMul":
            return [inputs[0], output]
        case kind if kind in RECURRENT:
            return [inputs[0], inputs[1], inputs[2]]
    return []


def _count(node: onnx.NodeProto, shapes: list[tuple[int, ...]]) -> int:
    match node.op_type:
        case "Conv" | "ConvInteger" | "QLinearConv":
            # Each output value is a sum over the kernel [outputs, inputs / groups, width ...].
            kernel, output = shapes
            return prod(output) * prod(kernel[1:])
        case "ConvTranspose":
            # Each input value goes into a patch of the kernel [inputs, outputs / groups, width
            # ...].
            inputs, kernel = shapes
            return prod(inputs) * prod(kernel[1:])
        case kind if kind in RECURRENT:
            # Inward [directions, gates x hidden, input] and recurrent
            # [directions, gates x hidden, hidden].
            (steps, batch, _), inward, recurrent = shapes
            return steps * batch * (prod(inward) + prod(recurrent))
    inputs, output = shapes
    flipped = node.op_type == "Gemm" and any(a.name == "transA" and a.i for a in node.attribute)
    return prod(output) * inputs[-2 if flipped else -1]
