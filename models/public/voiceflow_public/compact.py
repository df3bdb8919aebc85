"""Stores the weights of a network as int8: nearly a quarter of the size, the same arithmetic. In
the place of each weight stand a tensor of int8, float32 scales, and the nodes Cast, Mul and
Reshape, which make float32 of them. They cost nothing when the network runs: ONNX Runtime folds
them when it loads the file.

``DequantizeLinear`` would say the same in one node, but ONNX Runtime leaves it in the graph, for
kernels that calculate with int8, and runs it each time where there is none.

A scale holds for at most `GROUP` weights that lie side by side in the row of one output channel (of
an LSTM: of one gate of one cell). One scale for a whole row makes CAM++ 0.4 MB smaller, and three
times as far from what it was: some rows have a few weights that are much larger than the rest.
"""

from __future__ import annotations

from collections import Counter
from math import prod

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, load_from_string, numpy_helper

GROUP = 64
"""Most weights that share a scale."""
LEAST_GROUP = GROUP // 4
"""A row that divides into smaller groups only, as one of a prime number of weights, stays as it
is."""
LEAST_ELEMENTS = 2048
"""Smaller tensors stay as they are: what they weigh is next to nothing."""
LARGEST = 127
"""int8 from -127 to 127: the same on both sides of zero."""


def _row(node: NodeProto, axes: int) -> dict[int, tuple[int, int]]:
    """Which inputs of a layer are weights, and from which axis to which each has those of one
    output."""
    match node.op_type:
        # Two-dimensional ones have few weights, each used in many places: their errors count, not
        # their size.
        case "Conv" if axes == 3:
            return {1: (1, 3)}
        case "Gemm":
            transposed = any(each.name == "transB" and each.i for each in node.attribute)
            return {1: (1, 2) if transposed else (0, 1)}
        case "MatMul" if axes > 1:
            return {1: (axes - 2, axes - 1)}
        case "LSTM":
            return {1: (2, 3), 2: (2, 3)}
    return {}


def quantize(weights: np.ndarray, start: int, stop: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Weights as int8 and the scales by which these are multiplied. The axes from `start` to
    `stop`, a row, have become two: groups, and weights in a group, which share a scale. `None`
    where no row divides well."""
    length = prod(weights.shape[start:stop])
    group = next(size for size in range(min(GROUP, length), 0, -1) if length % size == 0)
    if group < LEAST_GROUP:
        return None
    grouped = weights.reshape(*weights.shape[:start], -1, group, *weights.shape[stop:])
    largest = np.abs(grouped).max(axis=start + 1, keepdims=True)
    scales = np.where(largest > 0, largest / LARGEST, 1).astype(np.float32)
    rounded = np.rint(grouped / scales.astype(np.float64))
    return np.clip(rounded, -LARGEST, LARGEST).astype(np.int8), scales


def _rows(model: ModelProto) -> dict[str, tuple[int, int]]:
    """The tensors that are weights of one layer and read by nothing else, and the axes of a row of
    each."""
    readers = Counter(name for node in model.graph.node for name in node.input)
    axes = {
        tensor.name: len(tensor.dims)
        for tensor in model.graph.initializer
        if tensor.data_type == TensorProto.FLOAT and prod(tensor.dims) >= LEAST_ELEMENTS
    }
    return {
        node.input[index]: row
        for node in model.graph.node
        for index, row in _row(node, axes.get(node.input[1], 0) if len(node.input) > 1 else 0).items()
        if node.input[index] in axes and readers[node.input[index]] == 1
    }


def _stored(
    name: str, quantized: np.ndarray, scales: np.ndarray, shape: tuple[int, ...]
) -> tuple[list, list]:
    """The tensors and the nodes that take the place of the tensor `name` of this shape."""
    arrays = {"int8": quantized, "scales": scales, "shape": np.asarray(shape, np.int64)}
    tensors = [numpy_helper.from_array(array, f"{name}.{kind}") for kind, array in arrays.items()]
    number, scaled = f"{name}.float", f"{name}.scaled"
    nodes = [
        helper.make_node("Cast", [tensors[0].name], [number], number, to=TensorProto.FLOAT),
        helper.make_node("Mul", [number, tensors[1].name], [scaled], scaled),
        helper.make_node("Reshape", [scaled, tensors[2].name], [name], f"{name}.reshaped"),
    ]
    return tensors, nodes


def compact(data: bytes) -> bytes:
    """The ONNX file of the same network with its large weights as int8; biases and norms stay
    float32."""
    model = load_from_string(data)
    rows = _rows(model)
    kept, stored, made = [], [], {}
    for tensor in model.graph.initializer:
        weights = numpy_helper.to_array(tensor)
        parts = quantize(weights, *rows[tensor.name]) if tensor.name in rows else None
        if parts is None:
            kept.append(tensor)
            continue
        tensors, made[tensor.name] = _stored(tensor.name, *parts, weights.shape)
        stored += tensors
    # Each before its layer: ONNX wants nodes in an order in which each comes after those it needs.
    nodes = []
    for node in model.graph.node:
        nodes += [part for name in node.input for part in made.get(name, [])]
        nodes.append(node)
    graph = helper.make_graph(
        nodes,
        model.graph.name,
        model.graph.input,
        model.graph.output,
        [*kept, *stored],
        doc_string=model.graph.doc_string or None,
    )
    model.graph.CopyFrom(graph)
    checker.check_model(model, full_check=True)
    return model.SerializeToString(deterministic=True)
