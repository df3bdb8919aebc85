"""A tiny model that keeps the contract, made without PyTorch, and ways to break it."""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

STEP, SPEAKERS, DIM = 640, 3, 8

PROPERTIES = {
    "contract": "1",
    "name": "tiny",
    "version": "1.0.0",
    "sample_rate": "16000",
    "window_samples": "16000",
    "hop_samples": "8000",
    "frame_step_samples": str(STEP),
    "frame_offset_samples": str(STEP // 2),
    "max_speakers": str(SPEAKERS),
    "embedding_dim": str(DIM),
    "thresholds": json.dumps({"onset": 0.5, "offset": 0.5, "clustering": 0.7}),
}


def write_tiny_model(
    path: Path,
    properties: dict[str, str | None] | None = None,
    batch: int | str = "batch",
    activity: str = "activity",
    squash: str = "Sigmoid",
    step: int = STEP,
    length: float = 1.0,
    mixes_rows: bool = False,
) -> Path:
    """Mean level of each frame as activity, one fixed voice for all; every argument is a way to
    break it."""
    graph = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["audio", "one"], ["channel"]),
            helper.make_node("AveragePool", ["channel"], ["mean"], kernel_shape=[step], strides=[step]),
            helper.make_node("Transpose", ["mean"], ["frames"], perm=[0, 2, 1]),
            helper.make_node("ReduceMean", ["frames"], ["rows"], axes=[0]),
            helper.make_node("Add", ["frames", "rows" if mixes_rows else "zero"], ["level"]),
            helper.make_node("MatMul", ["level", "gains"], ["scores"]),
            helper.make_node(squash, ["scores"], [activity]),
            helper.make_node("ReduceMean", ["scores"], ["whole"], axes=[1]),
            helper.make_node("Mul", ["whole", "zero"], ["nothing"]),
            helper.make_node("Transpose", ["nothing"], ["speakers"], perm=[0, 2, 1]),
            helper.make_node("Add", ["speakers", "voice"], ["embedding"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("audio", TensorProto.FLOAT, [batch, "samples"])],
        [
            helper.make_tensor_value_info(activity, TensorProto.FLOAT, [batch, "frames", SPEAKERS]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [batch, SPEAKERS, DIM]),
        ],
        [
            numpy_helper.from_array(np.array([1]), "one"),
            numpy_helper.from_array(np.zeros(1, np.float32), "zero"),
            numpy_helper.from_array(np.full((1, SPEAKERS), 1000, np.float32), "gains"),
            numpy_helper.from_array(np.full((1, 1, DIM), length * DIM**-0.5, np.float32), "voice"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    entries = {**PROPERTIES, **(properties or {})}
    kept = {f"voiceflow.{key}": value for key, value in entries.items() if value is not None}
    helper.set_model_props(model, kept)
    onnx.save(model, path)
    return path
