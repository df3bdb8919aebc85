"""Rewrites of an exported graph that keep its results and make it faster in ONNX Runtime on a
processor.

::

    traced graph ─> onnxslim (shapes, constants) ─> settle_reshapes ─> settle_pads ─> fold_norms ─> widen

Our passes change a graph in place and expect all constants as initializers, as onnxslim leaves
them.
"""

from __future__ import annotations

import numpy as np
import onnx
import onnxslim
from onnx import GraphProto, NodeProto, numpy_helper

from .widen import widen


def optimize(model: onnx.ModelProto) -> onnx.ModelProto:
    """All passes, in their order."""
    model = onnxslim.slim(model)
    settle_reshapes(model.graph)
    settle_pads(model.graph)
    fold_norms(model.graph)
    widen(model.graph)
    # Shapes that were inferred before the passes.
    del model.graph.value_info[:]
    onnx.checker.check_model(model, full_check=True)
    return model


def settle_reshapes(graph: GraphProto) -> None:
    """A target shape that takes over axes of the tensor itself becomes a constant, with 0 for each
    axis."""
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    makers = {name: node for node in graph.node for name in node.output}

    def entry(name: str, axis: int, data: str) -> int | None:
        """The constant that entry ``axis`` of the shape comes to, if it is one."""
        if name in values:
            return int(values[name].item()) if values[name].size == 1 else None
        chain = [name]
        for kind in ("Unsqueeze", "Gather", "Shape"):
            node = makers.get(chain[-1])
            if node is None or node.op_type != kind:
                return None
            if kind == "Gather" and values.get(node.input[1], np.array(-1)).item() != axis:
                return None
            chain.append(node.input[0])
        return 0 if chain[-1] == data else None

    for reshape in [node for node in graph.node if node.op_type == "Reshape"]:
        concat = makers.get(reshape.input[1])
        if concat is None or concat.op_type != "Concat":
            continue
        shape = [entry(name, axis, reshape.input[0]) for axis, name in enumerate(concat.input)]
        if None not in shape:
            reshape.input[1] = f"{reshape.name}.shape"
            graph.initializer.append(numpy_helper.from_array(np.array(shape), reshape.input[1]))
    _drop_unused(graph)


def settle_pads(graph: GraphProto) -> None:
    """An amount of padding that has to be computed goes straight into the list of all amounts.

    The tracer writes the amounts as PyTorch has them, of the last axis first, and reorders them by
    operators.
    """
    makers = {name: node for node in graph.node for name in node.output}
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for pad in [node for node in graph.node if node.op_type == "Pad"]:
        chain = [pad.input[1]]
        for kind in ("Reshape", "Transpose", "Slice", "Reshape"):
            node = makers.get(chain[-1])
            if node is None or node.op_type != kind:
                break
            chain.append(node.input[0])
        concat = makers.get(chain[-1])
        if len(chain) < 5 or concat is None or concat.op_type != "Concat":
            continue
        amounts = []
        for name in concat.input:
            amounts += [name] if name not in values else [int(amount) for amount in values[name]]
        turned = np.array(amounts, dtype=object).reshape(-1, 2)[::-1].T.ravel()
        for place, amount in enumerate(turned):
            if not isinstance(amount, str):
                turned[place] = f"{pad.name}.amount.{place}"
                graph.initializer.append(numpy_helper.from_array(np.array([amount]), turned[place]))
        concat.input[:] = list(turned)
        pad.input[1] = concat.output[0]
    _drop_unused(graph)


def fold_norms(graph: GraphProto) -> None:
    """Batch norms around a ``Gemm`` become part of its weights; the tracer does so for convolutions
    only."""
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for gemm in [node for node in graph.node if node.op_type == "Gemm"]:
        weight, bias = (values[name].astype(np.float64) for name in gemm.input[1:])
        if any(attribute.name == "transB" and attribute.i for attribute in gemm.attribute):
            weight = weight.T
        before = next((node for node in graph.node if gemm.input[0] in node.output), None)
        if _is_norm(before) and _consumers(graph, gemm.input[0]) == [gemm]:
            scale, shift = _affine(before, values)
            weight, bias = scale[:, None] * weight, bias + shift @ weight
            gemm.input[0] = before.input[0]
            graph.node.remove(before)
        after = _consumers(graph, gemm.output[0])
        if len(after) == 1 and _is_norm(after[0]):
            scale, shift = _affine(after[0], values)
            weight, bias = weight * scale, bias * scale + shift
            gemm.output[0] = after[0].output[0]
            graph.node.remove(after[0])
        gemm.ClearField("attribute")
        for place, name, value in ((1, "weight", weight), (2, "bias", bias)):
            gemm.input[place] = f"{gemm.name}.{name}"
            graph.initializer.append(numpy_helper.from_array(value.astype(np.float32), gemm.input[place]))
    _drop_unused(graph)


def _drop_unused(graph: GraphProto) -> None:
    """Removes the nodes and constants that no output needs."""
    needed = {output.name for output in graph.output}
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
    for field, unused in (
        (graph.node, [node for node in graph.node if not needed.intersection(node.output)]),
        (graph.initializer, [tensor for tensor in graph.initializer if tensor.name not in needed]),
    ):
        for item in unused:
            field.remove(item)


def _is_norm(node: NodeProto | None) -> bool:
    return node is not None and node.op_type == "BatchNormalization"


def _consumers(graph: GraphProto, name: str) -> list[NodeProto]:
    return [node for node in graph.node if name in node.input]


def _affine(norm: NodeProto, values: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Scale and shift that a batch norm comes to."""
    weight, bias, mean, variance = (values[name].astype(np.float64) for name in norm.input[1:])
    epsilon = next((attribute.f for attribute in norm.attribute if attribute.name == "epsilon"), 1e-5)
    scale = weight / np.sqrt(variance + epsilon)
    return scale, bias - mean * scale
