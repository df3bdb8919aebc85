"""Writes the small files of all families and what PyTorch computes with them.

``python -m voiceflow_public.make_fixtures [--out tests/data/families]``

``golden.json`` holds, for each file, the recipe of one input and the result. The input comes from a
linear congruential generator: state = (1664525 * state + 1013904223) mod 2^32 from ``seed`` on;
each number is (state >> 8) / 2^23 - 1. Features are ``scale`` times the numbers, filled in
row-major order of ``shape``. Audio is the numbers times 1/4 and 1/64 in turns of 4,000 samples.
``embedding`` is that of the only item of the batch; ``log_probabilities`` those of ``frames``.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from .export import build, compare, export, result
from .registry import FAMILIES, Family
from .toolkits import GOLDEN_SCALE

FIXTURES = Path(__file__).parents[3] / "tests" / "data" / "families"

WEIGHT_SEED = 0
INPUT_SEED = 1
FRAMES = 200
SAMPLES = 32_000

GOLDEN_FRAMES = (0, 20, 40, 60, 80, 100)
"""Segmentation frames whose classes are kept."""

DIGITS = 7
"""Significant digits kept, about those of float32."""


def rounded(values: list[float]) -> list[float]:
    return [float(f"{value:.{DIGITS}g}") for value in values]


def golden(model: torch.nn.Module, family: Family) -> dict[str, Any]:
    """One input's recipe and what the network makes of it."""
    toolkit = family.toolkit
    inputs = toolkit.golden(FRAMES if toolkit.embeds else SAMPLES, INPUT_SEED)
    with torch.no_grad():
        output = result(model(*inputs), toolkit)[0]
    entry: dict[str, Any] = {
        "input": toolkit.inputs[0],
        "output": toolkit.outputs[toolkit.result],
        "shape": list(inputs[0].shape),
        "seed": INPUT_SEED,
    }
    if toolkit.embeds:
        return entry | {"scale": GOLDEN_SCALE, "embedding": rounded(output.tolist())}
    chosen = [rounded(output[frame].tolist()) for frame in GOLDEN_FRAMES]
    return entry | {"count": len(output), "frames": list(GOLDEN_FRAMES), "log_probabilities": chosen}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=FIXTURES)
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    entries: dict[str, Any] = {}
    for name, family in FAMILIES.items():
        path = out / f"{name}.onnx"
        model = build(family, small=True, seed=WEIGHT_SEED)
        export(model, family.toolkit, path)
        worst = compare(model, family.toolkit, path)
        entries[name] = golden(model, family)
        print(f"{name}: {path.stat().st_size:,} bytes, PyTorch within {worst:.1e}")
    lines = ",\n".join(f'"{name}": {json.dumps(entry)}' for name, entry in entries.items())
    (out / "golden.json").write_text(f"{{\n{lines}\n}}\n")


if __name__ == "__main__":
    main()
