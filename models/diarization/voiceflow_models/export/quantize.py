"""A smaller and faster copy of an exported model: eight bits where nearly all the arithmetic is.

That is in convolutions and in products with large matrices of weights. What stays in float32, and
why:

- the front end, whose powers span more than eight bits hold;
- the pooling over frames and what makes embeddings of it: differences of squares, three rows a
  window;
- the classifier, attention's products of two activations, and norms: there is little to gain.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, NodeProto
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

LARGE_WEIGHT = 1 << 14
"""Fewer weights than this in a product are not worth the conversion of what goes in and comes
out."""

CALIBRATION_BATCH = 2


PRODUCTS = ("MatMul", "Gemm")

PROJECTION = "/voice_project/Gemm"
"""What makes embeddings of the pooled statistics."""


def heavy_nodes(graph: GraphProto) -> list[NodeProto]:
    """Convolutions, and products over frames with a large constant matrix on their right."""
    sizes = {tensor.name: int(np.prod(tensor.dims)) for tensor in graph.initializer}

    def is_heavy(node: NodeProto) -> bool:
        if node.op_type == "Conv":
            return True
        if node.op_type not in PRODUCTS or node.name == PROJECTION:
            return False
        return sizes.get(node.input[1], 0) >= LARGE_WEIGHT

    return [node for node in graph.node if is_heavy(node)]


def write_int8(source: Path, target: Path, windows: np.ndarray) -> None:
    """Heavy nodes in eight bits, activations unsigned, weights signed with a scale for each output
    channel.

    The ranges of activations are those met in ``windows``, float32 [windows, samples]. Written as
    pairs of QuantizeLinear and DequantizeLinear, from which ONNX Runtime makes its integer kernels:
    with VNNI if activations are unsigned and weights signed. With AVX2 alone, sums of two products
    may saturate.
    """
    model = onnx.load(source)
    graph = model.graph
    # ReLUs are named for them to become the lower end of the range of the convolution before them.
    relus = [node for node in graph.node if node.op_type == "Relu"]
    quantize_static(
        source,
        target,
        _Windows(windows),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv", *PRODUCTS, "Relu"],
        nodes_to_quantize=[node.name for node in (*heavy_nodes(graph), *relus)],
        # A product gives float32 at no cost, and goes on to a bias, a norm or a residual path.
        extra_options={"OpTypesToExcludeOutputQuantization": list(PRODUCTS)},
    )
    quantized = onnx.load(target)
    # The quantizer leaves a property of its own.
    onnx.helper.set_model_props(quantized, {entry.key: entry.value for entry in model.metadata_props})
    onnx.save(quantized, target)


class _Windows(CalibrationDataReader):
    """Windows in small batches, as the calibration asks for them."""

    def __init__(self, windows: np.ndarray):
        starts = range(0, len(windows), CALIBRATION_BATCH)
        self._batches = iter([windows[start : start + CALIBRATION_BATCH] for start in starts])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next batch, or None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {"audio": batch}
