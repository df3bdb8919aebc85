"""What voice trunks of other widths cost, before any is trained: parameters, multiply-adds,
processor time.

``python -m voiceflow_models.evaluation.trunks`` times the published network, the stages of the
distillation and others side by side, in float32, on a crop of three seconds. Time is that of the
thread, not of the clock: other programs may run. Weights are random; ONNX Runtime takes as long for
any.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from ..networks.voice_trunk import VoiceTrunk, Widths, uniform
from ..training.distillation import STAGES
from .multiply_adds import multiply_adds

SHAPE = (1, 300, 80)
"""Features of three seconds."""

OTHERS = {
    "16 | 4, 8, 6 of 64": uniform(16, 96, (4, 8, 6), 64, 32, whole_crop=False, segment=50),
    "16 early 1 | 4, 8, 6 of 64": uniform(16, 96, (4, 8, 6), 64, 32, whole_crop=False, segment=50, halving=1),
    "16 early 0 | 3, 6, 4 of 64": uniform(16, 96, (3, 6, 4), 64, 32, whole_crop=False, segment=50, halving=0),
    "8 | 3, 6, 4 of 48": uniform(8, 64, (3, 6, 4), 48, 32, whole_crop=False, segment=50),
}
"""Channels of the head, where it halves the frames, layers of each dense block and their
bottleneck."""


@dataclass
class Cost:
    """What one run takes."""

    parameters: int
    multiply_adds: int
    milliseconds: list[float]


def costs(plans: dict[str, Widths], runs: int) -> dict[str, Cost]:
    """The cost of each plan; runs of all plans take turns."""
    found, sessions = {}, {}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        for name, widths in plans.items():
            network, path = VoiceTrunk(widths).eval(), Path(folder) / "trunk.onnx"
            torch.onnx.export(
                network,
                (torch.zeros(SHAPE),),
                str(path),
                input_names=["features"],
                output_names=["embedding"],
                opset_version=17,
                dynamo=False,
            )
            parameters = sum(values.numel() for values in network.parameters())
            found[name] = Cost(parameters, sum(multiply_adds(path, SHAPE).values()), [])
            sessions[name] = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    features = np.random.default_rng(0).standard_normal(SHAPE).astype(np.float32)
    for _ in range(runs):
        for name, session in sessions.items():
            before = time.thread_time()
            session.run(None, {"features": features})
            found[name].milliseconds.append(1e3 * (time.thread_time() - before))
    return found


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    options = parser.parse_args()
    plans = {"published": Widths()} | {f"stage {i}": widths for i, widths in enumerate(STAGES)} | OTHERS
    print("| trunk | parameters, M | multiply-adds, M | least, ms | median, ms |\n|---|---|---|---|---|")
    for name, cost in costs(plans, options.runs).items():
        least, median = min(cost.milliseconds), float(np.median(cost.milliseconds))
        numbers = f"{cost.parameters / 1e6:.2f} | {cost.multiply_adds / 1e6:.0f} | {least:.1f} | {median:.1f}"
        print(f"| {name} | {numbers} |")


if __name__ == "__main__":
    main()
