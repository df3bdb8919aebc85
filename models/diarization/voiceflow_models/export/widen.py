"""Convolutions over sequences, written as convolutions over images of height one.

ONNX Runtime has its blocked kernels (NCHWc) for images only. It hands blocked tensors from one convolution to
the next through Relu, Add, Concat and pooling, so that a chain stays an image from end to end.
"""

from __future__ import annotations

import numpy as np
from onnx import AttributeProto, GraphProto, NodeProto, TensorProto, helper, numpy_helper

HEIGHT_AXIS = 2
"""Where a sequence [batch, channels, frames] gets its height."""

ELEMENTWISE = ("Relu", "Add", "Concat")
"""What gives the same for images as for sequences; of ``Concat``, that of channels."""


def widen(graph: GraphProto) -> None:
    """Rewrites every Conv and AveragePool of one dimension, and what joins them."""
    chain = _Chain(graph)
    for node in graph.node:
        chain.add(node)
    for output in graph.output:
        chain.narrow(output.name)
    del graph.node[:]
    graph.node.extend(chain.nodes)


class _Chain:
    """The rewritten nodes, and which tensors they give as sequences or as images."""

    def __init__(self, graph: GraphProto):
        self.nodes: list[NodeProto] = []
        self._weights = {tensor.name: tensor for tensor in graph.initializer}
        self._images: dict[str, str] = {}
        self._sequences = {value.name for value in (*graph.input, *graph.initializer)}
        self._axis = "height_axis"
        graph.initializer.append(numpy_helper.from_array(np.array([HEIGHT_AXIS]), self._axis))

    def add(self, node: NodeProto) -> None:
        """Takes over the next node of the graph."""
        attributes = {attribute.name: attribute for attribute in node.attribute}
        windowed = node.op_type in ("Conv", "AveragePool") and len(attributes["kernel_shape"].ints) == 1
        if windowed:
            node.input[0] = self._image(node.input[0])
            if node.op_type == "Conv":
                _lift_weight(self._weights[node.input[1]])
            else:
                _pad_for_ceiling(attributes)
            _lift_window(attributes)
        elif self._joins(node, attributes):
            node.input[:] = [self._images[name] for name in node.input]
        else:
            for name in node.input:
                self.narrow(name)
            self._sequences.update(node.output)
            self.nodes.append(node)
            return
        image = f"{node.output[0]}.image"
        self._images[node.output[0]] = image
        node.output[0] = image
        self.nodes.append(node)

    def narrow(self, name: str) -> None:
        """Makes sure that the tensor exists as a sequence, as the graph had it."""
        if name in self._images and name not in self._sequences:
            self.nodes.append(helper.make_node("Squeeze", [self._images[name], self._axis], [name], name))
            self._sequences.add(name)

    def _image(self, name: str) -> str:
        if name not in self._images:
            image = self._images[name] = f"{name}.image"
            self.nodes.append(helper.make_node("Unsqueeze", [name, self._axis], [image], image))
        return self._images[name]

    def _joins(self, node: NodeProto, attributes: dict[str, AttributeProto]) -> bool:
        if node.op_type == "Concat" and attributes["axis"].i != 1:
            return False
        return node.op_type in ELEMENTWISE and all(name in self._images for name in node.input)


def _lift_window(attributes: dict[str, AttributeProto]) -> None:
    """Kernel, strides, dilations and pads, each with its value for the height put before it."""
    for name, height in (("kernel_shape", 1), ("strides", 1), ("dilations", 1)):
        if name in attributes:
            attributes[name].ints.insert(0, height)
    if "pads" in attributes:
        before, after = attributes["pads"].ints
        attributes["pads"].ints[:] = [0, before, 0, after]


def _pad_for_ceiling(attributes: dict[str, AttributeProto]) -> None:
    """A last window that is not full, as padding that does not count: the blocked kernel knows only this."""
    (width,) = attributes["kernel_shape"].ints
    if attributes["ceil_mode"].i and list(attributes["strides"].ints) == [width]:
        attributes["ceil_mode"].i = attributes["count_include_pad"].i = 0
        attributes["pads"].ints[1] += width - 1


def _lift_weight(weight: TensorProto) -> None:
    """[outputs, inputs, width] -> [outputs, inputs, 1, width]; the values lie as they did."""
    weight.dims.insert(HEIGHT_AXIS, 1)
