"""Writes a trained network as a model folder: model.onnx that keeps the contract, and what stands beside it.

``python -m voiceflow_models.export --checkpoint FILE --out models/fast-cnn/0.1.0 --version 0.1.0``
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from .golden import write_golden
from .layout import FRAME_STEP, MAX_SPEAKERS, SAMPLE_RATE, WINDOW_SAMPLES
from .model import FastCnn, frames_of

OPSET = 17
TOLERANCE = 1e-4
"""Largest difference between PyTorch and ONNX Runtime."""

LARGEST_BYTES = 10_000_000


def export(model: FastCnn, path: Path) -> None:
    """Writes the graph with both axes of ``audio`` dynamic."""
    model.eval()
    torch.onnx.export(
        model,
        (torch.randn(2, WINDOW_SAMPLES) * 0.05,),
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


@dataclass
class Properties:
    """What the file says of itself beside its fixed layout."""

    name: str
    version: str
    window_s: float
    hop_s: float
    thresholds: dict[str, float]
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
        },
    )
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def compare(model: FastCnn, path: Path) -> dict[str, float]:
    """Largest difference between the network and the file, for several shapes; fails above the tolerance."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    random = np.random.default_rng(5)
    worst = 0.0
    for batch, samples in ((1, WINDOW_SAMPLES), (3, 48_000), (2, 12_345), (1, FRAME_STEP)):
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


def main() -> None:
    """Exports, compares, and writes golden.json, metadata.json, checksum.sha256, validation_report.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--name", default="fast-cnn")
    parser.add_argument("--version", required=True)
    parser.add_argument("--window", type=float, default=4.0, help="window at inference in seconds")
    parser.add_argument("--hop", type=float, default=2.0, help="window hop in seconds")
    parser.add_argument("--onset", type=float, default=0.5)
    parser.add_argument("--offset", type=float, default=0.4)
    parser.add_argument("--clustering", type=float, default=0.7)
    parser.add_argument("--facts", type=Path, help="JSON merged into metadata.json: data, measured figures")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    state = torch.load(options.checkpoint, weights_only=True)
    model = FastCnn()
    model.load_state_dict(state["model"])
    path = options.out / "model.onnx"
    export(model, path)
    thresholds = {"onset": options.onset, "offset": options.offset, "clustering": options.clustering}
    stamp(
        path,
        Properties(
            options.name, options.version, options.window, options.hop, thresholds, model.embedding_dim
        ),
    )
    report = compare(model, path)
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise SystemExit(f"{path}: {size} bytes, allowed {LARGEST_BYTES}")
    write_golden(path, options.out / "golden.json")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    metadata = {
        "name": options.name,
        "version": options.version,
        "sha256": digest,
        "bytes": size,
        "opset": OPSET,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "training_steps": state["step"],
        "training_seconds": round(state["elapsed"]),
        "thresholds": thresholds,
        **(json.loads(options.facts.read_text()) if options.facts else {}),
    }
    (options.out / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n")
    (options.out / "checksum.sha256").write_text(f"{digest}  model.onnx\n")
    (options.out / "validation_report.json").write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
