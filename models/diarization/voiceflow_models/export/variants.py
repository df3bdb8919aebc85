"""The smaller copies beside a model, and how far they are from it in results and in time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime

from ..data.shards import shards
from ..layout import SAMPLE_RATE
from .golden import golden_input
from .half import write_float16
from .quantize import write_int8

CALIBRATION_WINDOWS = 64
UNSEEN_WINDOWS = 32
"""Windows on which a variant is compared with the model; none of them serves the calibration."""

TIMED_SECONDS = (3, 10)
TIMED_RUNS = 100
LISTENED_ROWS = 2
"""Windows in one run of a comparison."""


@dataclass
class Variants:
    """Which copies are wanted, and the training windows for them."""

    fp16: bool = False
    int8: bool = False
    windows: Path | None = None
    """Folder with shards: ranges for int8, comparisons for both. Without it, fp16 alone can be
    made."""


def training_windows(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Windows for calibration and other ones, drawn from all shards: float32 [windows, samples]
    each."""
    audio = [np.load(path / "audio.npy", mmap_mode="r") for path in shards(folder)]
    places = [(shard, row) for shard, rows in enumerate(audio) for row in range(len(rows))]
    wanted = CALIBRATION_WINDOWS + UNSEEN_WINDOWS
    if len(places) < wanted:
        raise SystemExit(f"{folder}: expected at least {wanted} windows in shard-*, found {len(places)}")
    chosen = np.random.default_rng(0).permutation(len(places))[:wanted]
    windows = np.stack([audio[shard][row] for shard, row in (places[place] for place in chosen)])
    windows = windows.astype(np.float32) / 32768
    return windows[:CALIBRATION_WINDOWS], windows[CALIBRATION_WINDOWS:]


def write_variants(model: Path, wanted: Variants) -> dict[str, dict]:
    """Writes model.fp16.onnx and model.int8.onnx as ``wanted``.

    Gives for each its size, its differences from the model, and the times of both. Without windows
    the differences are those on the golden input.
    """
    if wanted.int8 and wanted.windows is None:
        raise ValueError("int8: expected a folder of training windows to take the ranges from, found none")
    seen, unseen = training_windows(wanted.windows) if wanted.windows else (None, golden_input()[None])
    files = {}
    if wanted.fp16:
        files["fp16"] = model.with_suffix(".fp16.onnx")
        write_float16(model, files["fp16"])
    if wanted.int8:
        files["int8"] = model.with_suffix(".int8.onnx")
        write_int8(model, files["int8"], seen)
    if not files:
        # Of a large network the times alone take minutes.
        return {}
    sessions = {name: open_on_one_thread(path) for name, path in {"fp32": model, **files}.items()}
    times = milliseconds(sessions)
    return {
        name: {
            "bytes": path.stat().st_size,
            **differences(sessions["fp32"], sessions[name], unseen),
            "milliseconds": times[name],
            "milliseconds_of_fp32": times["fp32"],
        }
        for name, path in files.items()
    }


def open_on_one_thread(path: Path) -> onnxruntime.InferenceSession:
    """The model on one core of the processor."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def differences(
    model: onnxruntime.InferenceSession, variant: onnxruntime.InferenceSession, audio: np.ndarray
) -> dict[str, float]:
    """Of activity, largest and mean difference; of embeddings, cosine; where only one of the two is
    silent.

    ``audio`` float32 [windows, samples].
    """
    activity, embedding = _outputs(model, audio)
    other_activity, other_embedding = _outputs(variant, audio)
    apart = np.abs(activity - other_activity)
    speaking, other_speaking = (np.linalg.norm(each, axis=2) > 0.5 for each in (embedding, other_embedding))
    likeness = (embedding * other_embedding).sum(axis=2)[speaking & other_speaking]
    return {
        "activity_largest_difference": float(apart.max()),
        "activity_mean_difference": float(apart.mean()),
        # Where nobody speaks, nothing differs.
        "embedding_lowest_cosine": float(likeness.min(initial=1.0)),
        "embedding_mean_cosine": float(likeness.mean()) if likeness.size else 1.0,
        "speakers_heard_by_one_only": int((speaking != other_speaking).sum()),
        "speakers_heard": int(speaking.sum()),
    }


def milliseconds(sessions: dict[str, onnxruntime.InferenceSession]) -> dict[str, dict[str, float]]:
    """Median time of one window, for each length; the models take turns, so that noise falls on all
    alike."""
    noise = np.random.default_rng(3).standard_normal((1, max(TIMED_SECONDS) * SAMPLE_RATE)) * 0.05
    medians: dict[str, dict[str, float]] = {name: {} for name in sessions}
    for seconds in TIMED_SECONDS:
        audio = {"audio": noise[:, : seconds * SAMPLE_RATE].astype(np.float32)}
        taken: dict[str, list[float]] = {name: [] for name in sessions}
        for _ in range(TIMED_RUNS):
            for name, session in sessions.items():
                start = time.perf_counter()
                session.run(None, audio)
                taken[name].append(time.perf_counter() - start)
        for name in sessions:
            medians[name][f"{seconds}_s"] = round(float(np.median(taken[name])) * 1000, 3)
    return medians


def _outputs(session: onnxruntime.InferenceSession, audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Activity and embeddings of all windows."""
    parts = [audio[start : start + LISTENED_ROWS] for start in range(0, len(audio), LISTENED_ROWS)]
    found = [session.run(["activity", "embedding"], {"audio": part}) for part in parts]
    return np.concatenate([each[0] for each in found]), np.concatenate([each[1] for each in found])
