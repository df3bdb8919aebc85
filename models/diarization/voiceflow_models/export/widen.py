"""Convolutions over sequences, written as convolutions over images of height one.

ONNX Runtime has its blocked kernels (NCHWc) for images only. It hands blocked tensors from one
convolution to the next through Relu, Add, Concat and pooling, so that a chain stays an image from
end to end.
"""

from __future__ import annotations

import numpy as np
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

CHANNEL_AXIS = 1
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
        if _is_windowed(node):
            node.input[0] = self._image(node.input[0])
            if node.op_type == "Conv":
                _lift_weight(self._weights[node.input[1]])
            else:
                _pad_for_ceiling(node)
            _lift_window(node)
        elif self._joins(node):
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

    def _joins(self, node: NodeProto) -> bool:
        if node.op_type == "Concat" and node.attribute[0].i != CHANNEL_AXIS:
            return False
        return node.op_type in ELEMENTWISE and all(name in self._images for name in node.input)


def _is_windowed(node: NodeProto) -> bool:
    """Whether it slides a window along one dimension."""
    return node.op_type in ("Conv", "AveragePool") and any(
        attribute.name == "kernel_shape" and len(attribute.ints) == 1 for attribute in node.attribute
    )


def _lift_window(node: NodeProto) -> None:
    """Kernel, strides, dilations and pads, each with its value for the height put before it."""
    for attribute in node.attribute:
        if attribute.name in ("kernel_shape", "strides", "dilations"):
            attribute.ints.insert(0, 1)
        elif attribute.name == "pads":
            before, after = attribute.ints
            attribute.ints[:] = [0, before, 0, after]


def _pad_for_ceiling(node: NodeProto) -> None:
    """A last window that is not full, as padding that does not count: the blocked kernel knows only
    this."""
    attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    (width,) = attributes["kernel_shape"]
    if attributes.get("ceil_mode") and list(attributes["strides"]) == [width]:
        before, after = attributes.get("pads", [0, 0])
        attributes |= {"ceil_mode": 0, "count_include_pad": 0, "pads": [before, after + width - 1]}
        del node.attribute[:]
        node.attribute.extend(helper.make_attribute(name, value) for name, value in attributes.items())


def _lift_weight(weight: TensorProto) -> None:
    """[outputs, inputs, width] -> [outputs, inputs, 1, width]; the values lie as they did."""
    weight.dims.insert(HEIGHT_AXIS, 1)
