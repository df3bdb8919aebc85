"""A copy of an exported model at half the size: float16 from the first convolution to the last
large product.

The front end stays in float32, since its powers span more than float16 holds, and so do the pooling
over frames, the embeddings and the classifier. Inputs and outputs are float32 as the contract
demands. (``onnxruntime.transformers.float16`` would round the audio itself before a front end that
is kept.)
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

from .quantize import heavy_nodes


def write_float16(source: Path, target: Path) -> None:
    """Writes the copy; the metadata properties are the same."""
    model = onnx.load(source)
    typed = onnx.shape_inference.infer_shapes(model).graph
    tensors = (*typed.input, *typed.value_info, *typed.output)
    floats = {value.name for value in tensors if value.type.tensor_type.elem_type == TensorProto.FLOAT}
    floats |= {value.name for value in typed.initializer if value.data_type == TensorProto.FLOAT}
    _convert(model.graph, core(model.graph), floats)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, target)


def core(graph: GraphProto) -> set[str]:
    """Names of the heavy nodes and of all that lies between two of them."""
    heavy = {node.name for node in heavy_nodes(graph)}
    after, before, outputs, inputs = set(), set(), set(), set()
    for node in graph.node:
        if node.name in heavy or outputs.intersection(node.input):
            after.add(node.name)
            outputs.update(node.output)
    for node in reversed(graph.node):
        if node.name in heavy or inputs.intersection(node.output):
            before.add(node.name)
            inputs.update(node.input)
    return after & before


def _convert(graph: GraphProto, inside: set[str], floats: set[str]) -> None:
    """Nodes named in ``inside`` compute in float16; those of ``floats`` that cross the border are
    cast."""
    constants = {tensor.name: tensor for tensor in graph.initializer}
    made = {name for node in graph.node if node.name in inside for name in node.output}
    halves: dict[str, str] = {}
    singles: set[str] = set()
    nodes: list[NodeProto] = []

    def half(name: str) -> str:
        if name not in floats:
            return name
        if name not in halves:
            halves[name] = f"{name}.float16"
            if name in constants:
                values = numpy_helper.to_array(constants[name]).astype(np.float16)
                graph.initializer.append(numpy_helper.from_array(values, halves[name]))
            elif name not in made:
                nodes.append(_cast(name, halves[name], TensorProto.FLOAT16))
        return halves[name]

    def single(name: str) -> None:
        if name in made & floats - singles:
            singles.add(name)
            nodes.append(_cast(half(name), name, TensorProto.FLOAT))

    for node in graph.node:
        if node.name in inside:
            node.input[:] = [half(name) for name in node.input]
            node.output[:] = [half(name) for name in node.output]
        else:
            for name in node.input:
                single(name)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)


def _cast(source: str, target: str, kind: int) -> NodeProto:
    return helper.make_node("Cast", [source], [target], f"{source} to {target}", to=kind)
