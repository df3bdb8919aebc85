"""Builds ONNX graphs node by node, without PyTorch."""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper

OPSET = 17
IR_VERSION = 8


class Graph:
    """Nodes and constants in the order they are made."""

    def __init__(self) -> None:
        self.nodes: list = []
        self.constants: list = []

    def constant(self, name: str, value: object, kind: type = np.float32) -> str:
        """A tensor that the graph brings; returns its name."""
        self.constants.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        """A node with one output, named like it; returns its name."""
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def model(self, name: str, source: tuple[str, list], result: tuple[str, list]) -> ModelProto:
        """The checked model, from the name and axes of its float32 input and of its output."""
        tensors = [
            helper.make_tensor_value_info(each, TensorProto.FLOAT, axes) for each, axes in (source, result)
        ]
        model = helper.make_model(
            helper.make_graph(self.nodes, name, tensors[:1], tensors[1:], self.constants),
            producer_name="voiceflow-public",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        checker.check_model(model, full_check=True)
        return model
