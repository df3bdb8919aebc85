"""pyannote segmentation-3.0 between ONNX and PyTorch: the layers above SincNet, which are trained
on, and the whole file, which ships."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper
from torch import Tensor
from voiceflow_public.segmentation import PyanNet

DIRECTIONS = ("", "_reverse")
"""Ends of the names of PyTorch's weights of an LSTM, in ONNX's order of directions."""

ONNX_GATES = (0, 2, 3, 1)
"""PyTorch's gates (input, forget, cell, output) among ONNX's (input, output, forget, cell)."""
TORCH_GATES = (0, 3, 1, 2)
"""ONNX's gates among PyTorch's."""


def _reordered(rows: np.ndarray, gates: tuple[int, ...]) -> np.ndarray:
    """Rows [4 x hidden, ...] of the gates in another order."""
    blocks = np.split(rows, 4)
    return np.concatenate([blocks[gate] for gate in gates])


def _nodes(model: ModelProto, kind: str) -> list[NodeProto]:
    return [node for node in model.graph.node if node.op_type == kind]


def _tensors(model: ModelProto) -> dict[str, TensorProto]:
    return {tensor.name: tensor for tensor in model.graph.initializer}


def load(published: Path) -> PyanNet:
    """The network with the published weights above SincNet, whose own stay untrained: the features
    come from ``teachers.segmentation.window_features``."""
    model, network = onnx.load(published), PyanNet()
    stored = {name: numpy_helper.to_array(tensor) for name, tensor in _tensors(model).items()}
    weights = network.state_dict()
    for layer, node in enumerate(_nodes(model, "LSTM")):
        inward, inner, biases = (stored[name] for name in node.input[1:4])
        for direction, end in enumerate(DIRECTIONS):
            first, second = np.split(biases[direction], 2)
            arrays = {
                "weight_ih": inward[direction],
                "weight_hh": inner[direction],
                "bias_ih": first,
                "bias_hh": second,
            }
            for name, array in arrays.items():
                weights[f"lstm.{name}_l{layer}{end}"] = _tensor(_reordered(array, ONNX_GATES))
    for name, (product, bias) in zip(_linears(network), _products(model), strict=True):
        weights[f"{name}.weight"] = _tensor(stored[product].T)
        weights[f"{name}.bias"] = _tensor(stored[bias])
    network.load_state_dict(weights)
    return network


def save(network: PyanNet, published: Path) -> ModelProto:
    """The published file with the network's weights above SincNet in place of its own."""
    model = onnx.load(published)
    tensors = _tensors(model)
    weights = {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}
    arrays = {}
    for layer, node in enumerate(_nodes(model, "LSTM")):

        def both(*names: str, layer: int = layer) -> np.ndarray:
            return np.stack(
                [
                    np.concatenate(
                        [_reordered(weights[f"lstm.{name}_l{layer}{end}"], TORCH_GATES) for name in names]
                    )
                    for end in DIRECTIONS
                ]
            )

        arrays[node.input[1]] = both("weight_ih")
        arrays[node.input[2]] = both("weight_hh")
        arrays[node.input[3]] = both("bias_ih", "bias_hh")
    for name, (product, bias) in zip(_linears(network), _products(model), strict=True):
        arrays[product] = weights[f"{name}.weight"].T
        arrays[bias] = weights[f"{name}.bias"]
    for name, array in arrays.items():
        tensors[name].CopyFrom(numpy_helper.from_array(np.ascontiguousarray(array), name))
    return model


def _linears(network: PyanNet) -> list[str]:
    return [*(f"linears.{index}" for index in range(len(network.linears))), "classifier"]


def _products(model: ModelProto) -> list[tuple[str, str]]:
    """Names of the weight and of the bias of each linear layer, in their order."""
    stored, sums = _tensors(model), {name: node for node in _nodes(model, "Add") for name in node.input}
    found = []
    for node in _nodes(model, "MatMul"):
        (bias,) = (name for name in sums[node.output[0]].input if name in stored)
        found.append((node.input[1], bias))
    return found


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.array(array))
