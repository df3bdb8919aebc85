"""Makes the model files that single contenders need out of the two public ones; weights are never
touched.

sherpa-onnx wants metadata in the segmentation model. The crate `diarization` wants the speaker's
frames as a second input of the embedding model, `weights`, as its own export of the same network
has it.
"""

from pathlib import Path

import numpy
import onnx
import onnx.version_converter
from onnx import TensorProto, helper, numpy_helper

# Geometry of pyannote segmentation-3.0, under the names that sherpa-onnx reads.
SEGMENTATION_METADATA = {
    "model_type": "pyannote-segmentation-3.0",
    "num_speakers": 3,
    "powerset_max_classes": 2,
    "num_classes": 7,
    "sample_rate": 16000,
    "window_size": 160000,
    "receptive_field_size": 991,
    "receptive_field_shift": 270,
}
# Added to the variance under the root, by wespeaker's statistics pooling (pooling_layers.py, TSTP).
VARIANCE_FLOOR = 1e-7
# Added to both divisors, by pyannote.audio (models/blocks/pooling.py, StatsPool).
DIVISOR_FLOOR = 1e-8
# The first operator set whose ReduceSum and Unsqueeze take their axes as an input.
LEAST_OPSET = 13


def with_metadata(source: Path, target: Path) -> Path:
    """The segmentation model with the metadata of sherpa-onnx; the file itself where it has it
    already."""
    model = onnx.load(source)
    present = {entry.key: entry.value for entry in model.metadata_props}
    if SEGMENTATION_METADATA.keys() <= present.keys():
        return source
    helper.set_model_props(model, present | {key: str(value) for key, value in SEGMENTATION_METADATA.items()})
    onnx.save(model, target)
    return target


def with_weights(source: Path, target: Path) -> Path:
    """The wespeaker embedding model with inputs `fbank` [N, T, 80] and `weights` [N, W]; the file
    itself where it has them already.

    The plain statistics pooling over time becomes a weighted one, as in pyannote's copy of the
    network: W weights stretched to the frames of the pooled layer by nearest neighbour, mean m =
    sum(w x) / sum(w), variance sum(w (x - m)^2) / (sum(w) - sum(w^2) / sum(w)). Weights of one give
    what the source gives. A speaker who has no frame or one left after the stretching gives finite
    values, by the small number in both divisors.
    """
    model = onnx.load(source)
    if max(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")) < LEAST_OPSET:
        model = onnx.version_converter.convert_version(model, LEAST_OPSET)
    graph = model.graph
    names = [tensor.name for tensor in graph.input]
    if names == ["fbank", "weights"]:
        return source
    if len(names) != 1:
        raise SystemExit(f"{source}: expected one input (wespeaker) or fbank and weights, found {names}")
    joined, pooled = _pooling(graph, source)
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == names[0]:
                node.input[index] = "fbank"
    graph.input[0].name = "fbank"
    graph.input.append(helper.make_tensor_value_info("weights", TensorProto.FLOAT, ["N", "W"]))
    nodes = _weighted_statistics(graph, pooled, joined.output[0])
    place = list(graph.node).index(joined)
    graph.node.remove(joined)
    for offset, node in enumerate(nodes):
        graph.node.insert(place + offset, node)
    _drop_unused(graph)
    onnx.checker.check_model(model)
    onnx.save(model, target)
    return target


def _pooling(graph: onnx.GraphProto, source: Path) -> tuple[onnx.NodeProto, str]:
    """The node that joins mean and deviation, and the name of the tensor [N, C, F, T] that they are
    of."""
    makers = {name: node for node in graph.node for name in node.output}
    for joined in reversed(graph.node):
        if joined.op_type != "Concat" or len(joined.input) != 2:
            continue
        node = makers.get(joined.input[0])
        while node is not None and node.op_type in ("Flatten", "Reshape", "Squeeze"):
            node = makers.get(node.input[0])
        if node is not None and node.op_type == "ReduceMean":
            return joined, node.input[0]
    raise SystemExit(f"{source}: expected a statistics pooling (mean and deviation joined), found none")


def _weighted_statistics(graph: onnx.GraphProto, pooled: str, output: str) -> list[onnx.NodeProto]:
    """The nodes that make `output` [N, 2 C F] of `pooled` [N, C, F, T] and the input `weights`."""
    nodes = []

    def constant(name: str, value: numpy.ndarray) -> str:
        graph.initializer.append(numpy_helper.from_array(value, f"weighted/{name}"))
        return f"weighted/{name}"

    def add(kind: str, inputs: list[str], name: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [f"weighted/{name}"], f"weighted/{name}", **attributes))
        return f"weighted/{name}"

    last = constant("last", numpy.array([-1], numpy.int64))

    def total(value: str, name: str) -> str:
        return add("ReduceSum", [value, last], name, keepdims=1)

    axis = constant("axis", numpy.array([1], numpy.int64))
    shape = add("Shape", [pooled], "shape")
    frames = add("Gather", [shape, constant("time", numpy.array([3], numpy.int64))], "frames", axis=0)
    rows = add("Gather", [shape, constant("batch", numpy.array([0], numpy.int64))], "rows", axis=0)
    sizes = add("Concat", [rows, axis, frames], "sizes", axis=0)
    raised = add("Unsqueeze", ["weights", axis], "raised")
    stretched = add(
        "Resize",
        [raised, "", "", sizes],
        "stretched",
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
    w = add("Unsqueeze", [stretched, axis], "w")
    tiny = constant("tiny", numpy.array(DIVISOR_FLOOR, numpy.float32))
    sum_w = add("Add", [total(w, "plain_sum_w"), tiny], "sum_w")
    mean = add("Div", [total(add("Mul", [pooled, w], "wx"), "sum_wx"), sum_w], "mean")
    away = add("Sub", [pooled, mean], "away")
    spread = total(add("Mul", [add("Mul", [away, away], "square"), w], "w_square"), "spread")
    sum_w2 = total(add("Mul", [w, w], "w2"), "sum_w2")
    kept = add("Sub", [sum_w, add("Div", [sum_w2, sum_w], "lost")], "kept")
    freedom = add("Add", [kept, tiny], "freedom")
    floor = constant("floor", numpy.array(VARIANCE_FLOOR, numpy.float32))
    variance = add("Add", [add("Div", [spread, freedom], "ratio"), floor], "variance")
    deviation = add("Sqrt", [variance], "deviation")
    flat = [
        add("Flatten", [value], f"flat_{name}", axis=1) for name, value in (("m", mean), ("d", deviation))
    ]
    nodes.append(helper.make_node("Concat", flat, [output], "weighted/statistics", axis=1))
    return nodes


def _drop_unused(graph: onnx.GraphProto) -> None:
    """Removes the nodes and constants that no output is made of any more."""
    needed = {tensor.name for tensor in graph.output}
    for node in reversed(list(graph.node)):
        if needed.isdisjoint(node.output):
            graph.node.remove(node)
        else:
            needed.update(node.input)
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in needed]:
        graph.initializer.remove(tensor)
