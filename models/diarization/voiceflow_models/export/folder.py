"""The model folder: model.onnx and, beside it, what says where it comes from and whether it is
intact."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from ..networks.checkpoint import Trained
from . import plda
from .golden import golden_path, write_golden
from .graph import OPSET, Properties, compare, export, stamp
from .variants import Variants, write_variants

LARGEST_BYTES = {"fast-cnn": 10_000_000}
"""What a file may come to, for the networks that have to be small."""

TOLERANCES = {"fp32": 1e-3, "fp16": 1e-2, "int8": 5e-2}
"""How far results may be from the golden vector on other processors: what is rounded to eight bits
may be rounded the other way where sums have another order."""


def write_folder(
    trained: Trained, properties: Properties, out: Path, facts: dict, wanted: Variants, shipped: str = "fp32"
) -> None:
    """Writes model.onnx, its variants, golden vectors, metadata.json with ``facts``, checksums,
    report.

    ``shipped`` is the precision of model.onnx; the other files are named model.<precision>.onnx.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / "model.onnx"
    export(trained.network, path)
    stamp(path, properties)
    if wanted.windows is not None:
        plda.stamp(path, plda.fit(*plda.collect(path, wanted.windows, properties.window_s)))
    report = compare(trained.network, path)
    report["variants"] = write_variants(path, wanted)
    if shipped != "fp32":
        path.rename(out / "model.fp32.onnx")
        (out / f"model.{shipped}.onnx").rename(path)
    size = path.stat().st_size
    allowed = LARGEST_BYTES.get(trained.kind)
    if allowed is not None and size > allowed:
        raise SystemExit(f"{path}: {size} bytes, allowed {allowed}")
    parameters = sum(parameter.numel() for parameter in trained.network.parameters())
    print(f"{path}: {parameters / 1e6:.2f} million parameters, {size / 1e6:.1f} MB")
    metadata = {
        "name": properties.name,
        "version": properties.version,
        "precision": shipped,
        "sha256": _sha256(path),
        "bytes": size,
        "opset": OPSET,
        "parameters": parameters,
        "training_steps": trained.steps,
        "training_seconds": round(trained.seconds),
        "thresholds": properties.thresholds,
        "tuning": properties.tuning,
        **facts,
    }
    (out / "metadata.json").write_text(json.dumps(metadata, indent=2) + "\n")
    others = {"fp32", *report["variants"]} - {shipped}
    files = {out / "model.onnx": shipped} | {
        out / f"model.{precision}.onnx": precision for precision in sorted(others)
    }
    for file, precision in files.items():
        write_golden(file, golden_path(file), TOLERANCES[precision])
    checksums = [f"{_sha256(file)}  {file.name}\n" for file in files]
    (out / "checksum.sha256").write_text("".join(checksums))
    (out / "validation_report.json").write_text(json.dumps(report, indent=2) + "\n")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
