"""A trained network as an ONNX file that keeps the model contract."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from ..layout import FRAME_STEP, MAX_SPEAKERS, SAMPLE_RATE, WINDOW_SAMPLES, frames_of
from .passes import optimize

OPSET = 17
TRACED_SAMPLES = WINDOW_SAMPLES + FRAME_STEP
"""An odd number of frames: with an even one the tracer takes the case of a missing partner for
impossible."""

TOLERANCE = 1e-4
"""Largest difference between PyTorch and ONNX Runtime."""


def export(model: nn.Module, path: Path) -> None:
    """Writes the graph with both axes of ``audio`` dynamic."""
    model.eval()
    torch.onnx.export(
        model,
        (torch.randn(2, TRACED_SAMPLES) * 0.05,),
        str(path),
        input_names=["audio"],
        output_names=["activity", "embedding"],
        dynamic_axes={
            "audio": {0: "batch", 1: "samples"},
            "activity": {0: "batch", 1: "frames"},
            "embedding": {0: "batch"},
        },
        opset_version=OPSET,
        dynamo=False,
    )
    onnx.save(optimize(onnx.load(path)), path)


@dataclass
class Properties:
    """What the file says of itself beside its fixed layout."""

    name: str
    version: str
    window_s: float
    hop_s: float
    thresholds: dict[str, float]
    tuning: dict[str, str | float | None]
    """What else diarization by it was tuned to; the library has defaults for what is not said."""
    embedding_dim: int


def stamp(path: Path, properties: Properties) -> None:
    """Writes the contract's metadata properties into the file."""
    graph = onnx.load(path)
    onnx.helper.set_model_props(
        graph,
        {
            "voiceflow.contract": "1",
            "voiceflow.name": properties.name,
            "voiceflow.version": properties.version,
            "voiceflow.sample_rate": str(SAMPLE_RATE),
            "voiceflow.window_samples": str(int(properties.window_s * SAMPLE_RATE)),
            "voiceflow.hop_samples": str(int(properties.hop_s * SAMPLE_RATE)),
            "voiceflow.frame_step_samples": str(FRAME_STEP),
            "voiceflow.frame_offset_samples": str(FRAME_STEP // 2),
            "voiceflow.max_speakers": str(MAX_SPEAKERS),
            "voiceflow.embedding_dim": str(properties.embedding_dim),
            "voiceflow.thresholds": json.dumps(properties.thresholds),
            "voiceflow.tuning": json.dumps(properties.tuning),
        },
    )
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def compare(model: nn.Module, path: Path) -> dict[str, float]:
    """Largest difference between the network and the file, for several shapes; fails above the
    tolerance."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(5)
    worst = 0.0
    for batch, samples in ((1, WINDOW_SAMPLES), (3, 48_000), (2, 12_345), (1, 12_780), (1, FRAME_STEP)):
        audio = (random.standard_normal((batch, samples)) * 0.05).astype(np.float32)
        found = session.run(["activity", "embedding"], {"audio": audio})
        if found[0].shape != (batch, frames_of(samples), MAX_SPEAKERS):
            raise SystemExit(f"activity: expected {frames_of(samples)} frames, found shape {found[0].shape}")
        with torch.no_grad():
            expected = model(torch.from_numpy(audio))
        worst = max(
            worst, *(float(np.abs(a - b.numpy()).max()) for a, b in zip(found, expected, strict=True))
        )
    if worst > TOLERANCE:
        raise SystemExit(f"{path}: ONNX differs from PyTorch by {worst:.2g}, allowed {TOLERANCE:.2g}")
    return {"largest_difference_from_pytorch": worst, "allowed": TOLERANCE}
