"""Time of one window on one thread, against segmentation-3.0 and variants of the model, in
alternation.

Alternation slows all of them alike where the machine is busy. What interrupts a long run misses a
short one, though: on a busy machine the ratio of the fastest rounds says more than that of the
medians.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from threadpoolctl import threadpool_limits

from ..layout import SAMPLE_RATE
from .multiply_adds import multiply_adds
from .operators import shares

WINDOW_S = 3
REFERENCE_S = 10
"""The window that segmentation-3.0 was made for."""

ROUNDS = 100
WARM_UP_ROUNDS = 5

PRODUCT = 1024
"""Rows and columns of the matrices whose product measures the peak: large enough to keep the core
busy."""

NOISE_RMS = 0.1


@dataclass
class Timed:
    """Times of one model file."""

    name: str
    role: str
    """"model", "reference" or "variant"."""
    window_s: int
    milliseconds: np.ndarray
    """Of each round [rounds]."""

    def report(self, reference: Timed | None) -> dict:
        """Figures in milliseconds, and ratios to the reference of the time for each second of the
        window."""
        least, median = float(self.milliseconds.min()), float(np.median(self.milliseconds))
        entry = {
            "file": self.name,
            "role": self.role,
            "window_s": self.window_s,
            "least_ms": least,
            "median_ms": median,
            "p99_ms": float(np.percentile(self.milliseconds, 99)),
            "median_ms_per_second": median / self.window_s,
        }
        if reference is not None:
            longer = self.window_s / reference.window_s
            entry["median_ratio"] = median / float(np.median(reference.milliseconds)) / longer
            entry["least_ratio"] = least / float(reference.milliseconds.min()) / longer
        return entry


@dataclass
class Latency:
    """The model first, then the reference where there is one, then the variants."""

    timed: list[Timed]
    operators: dict[str, float]
    """Share of the model's time by operator type."""
    counts: dict[str, int]
    """The model's multiply-adds by operator type, for one window."""
    peak_flops: float
    """Of one core in the fastest product, multiplications and additions each counted as one."""

    @property
    def peak_share(self) -> float:
        """Share of the peak that the model reaches in its fastest round."""
        seconds = float(self.timed[0].milliseconds.min()) / 1e3
        return 2 * sum(self.counts.values()) / seconds / self.peak_flops

    def report(self) -> dict:
        """For report.json."""
        reference = next((timed for timed in self.timed if timed.role == "reference"), None)
        return {
            "rounds": len(self.timed[0].milliseconds),
            "windows": [timed.report(reference) for timed in self.timed],
            "operator_shares": self.operators,
            "multiply_adds": self.counts,
            "peak_gflops": self.peak_flops / 1e9,
            "peak_share": self.peak_share,
        }


def alternate(runs: list[Callable[[], object]], rounds: int) -> list[np.ndarray]:
    """Milliseconds [rounds] of each, one after another in every round, after a warm-up."""
    times = np.empty((len(runs), WARM_UP_ROUNDS + rounds))
    for row in range(times.shape[1]):
        for index, run in enumerate(runs):
            begun = time.perf_counter()
            run()
            times[index, row] = (time.perf_counter() - begun) * 1e3
    return list(times[:, WARM_UP_ROUNDS:])


def noise(*shape: int) -> np.ndarray:
    """White noise, float32: no model is faster on it than on speech, for none skips silence."""
    return (np.random.default_rng(3).standard_normal(shape) * NOISE_RMS).astype(np.float32)


def runner(path: Path, audio: np.ndarray) -> Callable[[], object]:
    """One run of a model file on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, ["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: audio})


def measure(model: Path, segmentation: Path | None, variants: list[Path], rounds: int = ROUNDS) -> Latency:
    """Times one window of each file, and the peak of the core, in the same rounds."""
    window = noise(1, WINDOW_S * SAMPLE_RATE)
    files = [(model, "model", WINDOW_S, window)]
    if segmentation is not None:
        files.append((segmentation, "reference", REFERENCE_S, noise(1, 1, REFERENCE_S * SAMPLE_RATE)))
    files += [(variant, "variant", WINDOW_S, window) for variant in variants]
    left, right = noise(PRODUCT, PRODUCT), noise(PRODUCT, PRODUCT)
    with threadpool_limits(1):
        runs = [runner(path, audio) for path, _, _, audio in files]
        *times, product = alternate([*runs, lambda: left @ right], rounds)
    timed = [
        Timed(f"{path.parent.name}/{path.name}", role, seconds, milliseconds)
        for (path, role, seconds, _), milliseconds in zip(files, times, strict=True)
    ]
    peak = 2 * PRODUCT**3 / (float(product.min()) / 1e3)
    return Latency(timed, shares(model, window), multiply_adds(model, window.shape), peak)
