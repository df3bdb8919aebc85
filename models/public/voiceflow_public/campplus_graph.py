"""CAM++ (Wang et al., "CAM++: A fast and efficient network for speaker verification using
context-aware masking", Interspeech 2023) as 3D-Speaker trained it, as one ONNX graph in the layout
of 3D-Speaker's exports: `x` [N, T, 80], Kaldi's log filterbank less its mean over time ->
`embedding` [N, 192].

The network is `families.campplus`, from a published checkpoint and without PyTorch. Batch norms
that follow a convolution are folded into it. A layer's mask is computed once for each segment of
100 frames, where the published code computes it for each frame: it is the same for all frames of a
segment.
"""

from __future__ import annotations

from itertools import count

import numpy as np
from onnx import ModelProto, TensorProto

from .graph import Graph

SEGMENT_FRAMES = 100
"""Length of a pooled segment, in frames of the dense blocks (20 ms each)."""
DILATIONS = (1, 2, 2)
"""Dilation of each dense block."""
BINS = 80
EPSILON = 1e-5
"""Added to the variance by PyTorch's batch norm."""

Weights = dict[str, np.ndarray]


def _scale_and_shift(weights: Weights, norm: str) -> tuple[np.ndarray, np.ndarray]:
    """What a batch norm multiplies by and adds, [C]; the last one of the network is not affine."""
    mean, variance = (weights[f"{norm}.running_{name}"].astype(np.float64) for name in ("mean", "var"))
    scale = weights.get(f"{norm}.weight", np.ones_like(mean)) / np.sqrt(variance + EPSILON)
    return scale, weights.get(f"{norm}.bias", np.zeros_like(mean)) - mean * scale


class _Network:
    """The graph in the making."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.graph = Graph()
        self.fills: set[str] = set()
        self.axis = {number: self.graph.constant(f"axis_{number}", [number], np.int64) for number in (1, 2)}

    def convolve(self, x: str, layer: str, norm: str | None = None, **attributes: object) -> str:
        """A convolution with the batch norm that follows it."""
        kernel = self.weights[f"{layer}.weight"].astype(np.float64)
        bias = self.weights.get(f"{layer}.bias")
        if norm:
            scale, bias = _scale_and_shift(self.weights, norm)
            kernel = kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1))
        inputs = [x, self.graph.constant(f"{layer}.kernel", kernel)]
        if bias is not None:
            inputs.append(self.graph.constant(f"{layer}.offset", bias))
        return self.graph.node("Conv", inputs, layer, kernel_shape=list(kernel.shape[2:]), **attributes)

    def relu(self, x: str) -> str:
        return self.graph.node("Relu", [x], f"{x}.relu")

    def normalize(self, x: str, norm: str) -> str:
        """A batch norm that no convolution can take in, and ReLU."""
        scale, shift = _scale_and_shift(self.weights, norm)
        inputs = [
            self.graph.constant(f"{norm}.{name}", value)
            for name, value in (("scale", scale), ("shift", shift))
        ]
        inputs += [self.filled(len(scale), value) for value in (0, 1)]
        # One pass over the data, where Mul and Add are two. Mean and variance are in the scale and
        # the shift.
        return self.relu(self.graph.node("BatchNormalization", [x, *inputs], norm, epsilon=0.0))

    def filled(self, size: int, value: int) -> str:
        """A tensor of this size with the same number everywhere, one for all that need it."""
        name = f"{size}_times_{value}"
        if name not in self.fills:
            self.fills.add(name)
            self.graph.constant(name, np.full(size, value))
        return name

    def block(self, x: str, name: str) -> str:
        """A residual block; the first of a stage halves the bins."""
        halves = f"{name}.shortcut.0.weight" in self.weights
        strides = [2, 1] if halves else [1, 1]
        first = self.convolve(x, f"{name}.conv1", f"{name}.bn1", strides=strides, pads=[1] * 4)
        second = self.convolve(self.relu(first), f"{name}.conv2", f"{name}.bn2", pads=[1] * 4)
        if halves:
            x = self.convolve(x, f"{name}.shortcut.0", f"{name}.shortcut.1", strides=strides)
        return self.relu(self.graph.node("Add", [second, x], f"{name}.sum"))

    def head(self) -> str:
        """2-D convolutions that divide frequency by 8 and keep time: [N, T, 80] -> [N, 10 C, T]."""
        graph = self.graph
        graph.node("Transpose", ["x"], "bins_first", perm=[0, 2, 1])
        image = graph.node("Unsqueeze", ["bins_first", self.axis[1]], "image")
        image = self.relu(self.convolve(image, "head.conv1", "head.bn1", pads=[1] * 4))
        for stage in ("layer1", "layer2"):
            for index in range(2):
                image = self.block(image, f"head.{stage}.{index}")
        image = self.relu(self.convolve(image, "head.conv2", "head.bn2", strides=[2, 1], pads=[1] * 4))
        channels = len(self.weights["head.bn2.weight"]) * BINS // 8
        shape = graph.constant("rows_of_channels", [0, channels, -1], np.int64)
        return graph.node("Reshape", [image, shape], "head")

    def segments(self, x: str) -> tuple[str, str]:
        """Two matrices: [N, C, T] times [T, S], the first, is the mean of each segment plus that of
        all; [N, C, S] times [S, T], the second, gives each frame what its segment has. AveragePool
        and Gather take longer."""
        graph = self.graph
        numbers = {"zero": 0, "one": 1, "segment_frames": SEGMENT_FRAMES, "all_but_one": SEGMENT_FRAMES - 1}
        zero, one, length, rest = (graph.constant(name, value, np.int64) for name, value in numbers.items())
        graph.node("Shape", [x], "frames", start=2, end=3)
        graph.node("Squeeze", ["frames"], "frame_count")
        graph.node("Range", [zero, "frame_count", one], "frame_numbers")
        graph.node("Div", ["frame_numbers", length], "segment_of_frame")
        graph.node("Div", [graph.node("Add", ["frame_count", rest], "rounded_up"), length], "segment_count")
        membership = ["segment_of_frame", "segment_count", graph.constant("off_and_on", [0, 1])]
        graph.node("OneHot", membership, "spread", axis=0)
        graph.node("ReduceMean", ["spread"], "shares", axes=[1], keepdims=1)
        graph.node("Cast", ["frame_count"], "frame_count_float", to=TensorProto.FLOAT)
        graph.node("Div", ["spread", "shares"], "of_segments")
        graph.node("Add", ["of_segments", graph.constant("of_all", 1)], "weights")
        graph.node("Div", ["weights", "frame_count_float"], "weights_by_segment")
        return graph.node("Transpose", ["weights_by_segment"], "means"), "spread"

    def dense_layer(self, x: str, name: str, dilation: int, segments: tuple[str, str]) -> str:
        """A bottleneck and a dilated convolution, masked by context: [N, C, T] ->
        [N, growth, T]."""
        graph, masking = self.graph, f"{name}.cam_layer"
        means, spread = segments
        narrow = self.convolve(
            self.normalize(x, f"{name}.nonlinear1.batchnorm"),
            f"{name}.linear1",
            f"{name}.nonlinear2.batchnorm",
        )
        narrow = self.relu(narrow)
        local = self.convolve(narrow, f"{masking}.linear_local", dilations=[dilation], pads=[dilation] * 2)
        context = graph.node("MatMul", [narrow, means], f"{masking}.context")
        context = self.convolve(self.relu(self.convolve(context, f"{masking}.linear1")), f"{masking}.linear2")
        mask = graph.node("Sigmoid", [context], f"{masking}.segment_mask")
        mask = graph.node("MatMul", [mask, spread], f"{masking}.mask")
        return graph.node("Mul", [local, mask], f"{masking}.masked")

    def dense_blocks(self, x: str) -> str:
        """Layers that each see the outputs of all before them; their channels are halved after each
        block."""
        segments = self.segments(x)
        for number, dilation in enumerate(DILATIONS, start=1):
            for layer in count(1):
                name = f"xvector.block{number}.tdnnd{layer}"
                if f"{name}.linear1.weight" not in self.weights:
                    break
                added = self.dense_layer(x, name, dilation, segments)
                x = self.graph.node("Concat", [x, added], f"{name}.all", axis=1)
            transit = f"xvector.transit{number}"
            x = self.convolve(self.normalize(x, f"{transit}.nonlinear.batchnorm"), f"{transit}.linear")
        return self.normalize(x, "xvector.out_nonlinear.batchnorm")

    def pool(self, x: str) -> str:
        """Mean and unbiased standard deviation over time: [N, C, T] -> [N, 2 C, 1]."""
        graph = self.graph
        mean = graph.node("ReduceMean", [x], "pooled_mean", axes=[2], keepdims=1)
        graph.node("Sub", [x, mean], "centred")
        graph.node("Mul", ["centred", "centred"], "squares")
        graph.node("ReduceSum", ["squares", self.axis[2]], "square_sum", keepdims=1)
        graph.node("Sub", ["frames", graph.constant("ones", [1], np.int64)], "degrees")
        graph.node("Cast", ["degrees"], "degrees_of_freedom", to=1)
        graph.node("Div", ["square_sum", "degrees_of_freedom"], "variance")
        deviation = graph.node("Sqrt", ["variance"], "deviation")
        return graph.node("Concat", [mean, deviation], "statistics", axis=1)


def build(weights: Weights) -> ModelProto:
    """The graph from the weights of a checkpoint of 3D-Speaker."""
    network = _Network(weights)
    tdnn = network.convolve(
        network.head(), "xvector.tdnn.linear", "xvector.tdnn.nonlinear.batchnorm", strides=[2], pads=[2] * 2
    )
    frames = network.dense_blocks(network.relu(tdnn))
    voice = network.convolve(
        network.pool(frames), "xvector.dense.linear", "xvector.dense.nonlinear.batchnorm"
    )
    network.graph.node("Squeeze", [voice, network.axis[2]], "embedding")
    dimension = len(weights["xvector.dense.linear.weight"])
    return network.graph.model("campplus", ("x", ["N", "T", BINS]), ("embedding", ["N", dimension]))
