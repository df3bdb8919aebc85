"""How the voices of a model differ within and between speakers, for clustering by VBx.

Probabilistic linear discriminant analysis (Ioffe, ECCV 2006) in the form that VBx has it (Landini
et al., Computer Speech & Language 71, 2022): embeddings are centred and scaled, projected by linear
discriminant analysis, centred and scaled again, and rotated so that every direction has variance 1
within one speaker. It is estimated from voices as the model finds them in training windows, with
its own mistakes.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from scipy.linalg import eigh
from tqdm import tqdm

from ..data.shards import shards
from ..layout import FRAME_STEP, MAX_SPEAKERS, SAMPLE_RATE, WINDOW_FRAMES

KEY = "voiceflow.plda"

DIMENSIONS = 64
"""Directions that are kept: those in which speakers differ most."""

SHRINKAGE = 0.1
"""Share of the covariance within speakers that is taken to be the same in all directions."""

WINDOWS = 12_000
LEAST_SOLO_FRAMES = 30
LEAST_PURITY = 0.85
"""Of the frames of a local speaker, those of the speaker whose voice it is taken for."""

ACTIVE = 0.45

FACTORS = {"fa": 0.07, "fb": 0.6}
"""Weights of the voices, as in pyannote/speaker-diarization-community-1, and of the prior for few
speakers."""

LEAST_VARIANCE = 1e-4
DIGITS = 4
"""Significant digits in the file."""

Array = NDArray[np.float64]


def collect(
    model: Path, windows: Path, window_s: float, count: int = WINDOWS
) -> tuple[Array, NDArray[np.int64]]:
    """Embeddings [voices, dim] of local speakers in random training windows, and who they are
    [voices]."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    folders = shards(windows)
    arrays = [
        {name: np.load(path / f"{name}.npy", mmap_mode="r") for name in ("audio", "exact", "voices")}
        for path in folders
    ]
    if not arrays:
        raise SystemExit(f"{windows}: expected training windows (shard-*), found none")
    random = np.random.default_rng(0)
    frames = min(int(window_s * SAMPLE_RATE) // FRAME_STEP, WINDOW_FRAMES)
    found: list[Array] = []
    who: list[int] = []
    for _ in tqdm(range(count), unit="window", desc="voices"):
        shard = arrays[random.integers(len(arrays))]
        row, first = random.integers(len(shard["exact"])), int(random.integers(WINDOW_FRAMES - frames + 1))
        audio = shard["audio"][row, first * FRAME_STEP : (first + frames) * FRAME_STEP]
        samples = audio[None].astype(np.float32) / 32768
        activity, embedding = (
            output[0] for output in session.run(["activity", "embedding"], {"audio": samples})
        )
        exact, voices = shard["exact"][row, first : first + frames], shard["voices"][row]
        for local, voice in pure_local_speakers(activity, exact, voices):
            found.append(embedding[local].astype(float))
            who.append(voice)
    return np.array(found), np.array(who)


def pure_local_speakers(activity: np.ndarray, exact: np.ndarray, voices: np.ndarray) -> list[tuple[int, int]]:
    """Local speakers who are nearly always one speaker of the labels: their index and that
    speaker's voice.

    ``activity`` [frames, speakers], ``exact`` classes [frames], ``voices`` of the exact labels [3].
    """
    talking = activity > ACTIVE
    solo = talking & (talking.sum(axis=1, keepdims=True) == 1)
    shared = np.array([[np.sum(own & (exact == 1 + s)) for s in range(MAX_SPEAKERS)] for own in solo.T])
    pairs = []
    for local, frames in enumerate(solo.sum(axis=0)):
        speaker = int(shared[local].argmax())
        pure = shared[local, speaker] >= LEAST_PURITY * frames
        if frames >= LEAST_SOLO_FRAMES and pure and voices[speaker] >= 0:
            pairs.append((local, int(voices[speaker])))
    return pairs


def fit(embeddings: Array, speakers: NDArray[np.int64], dimensions: int = DIMENSIONS) -> dict[str, Array]:
    """The arrays by the names that VBx gives them; of ``tr`` each row is a direction."""
    mean1 = embeddings.mean(axis=0)
    centred = _scaled(embeddings - mean1)
    within, between = scatter(centred, speakers)
    values, vectors = eigh(between, within)
    lda = vectors[:, np.argsort(-values)[:dimensions]]
    projected = centred @ lda
    mean2 = projected.mean(axis=0)
    scaled = _scaled(projected - mean2)
    mu = scaled.mean(axis=0)
    values, vectors = eigh(*scatter(scaled, speakers)[::-1])
    order = np.argsort(-values)
    psi = np.maximum(values[order], LEAST_VARIANCE)
    return {"mean1": mean1, "lda": lda, "mean2": mean2, "mu": mu, "tr": vectors[:, order].T, "psi": psi}


def scatter(rows: Array, speakers: NDArray[np.int64]) -> tuple[Array, Array]:
    """Covariance within speakers, shrunk, and between them [dim, dim]; a speaker with one voice
    adds nothing within."""
    within, freedom = np.zeros((rows.shape[1], rows.shape[1])), 0
    for speaker in np.unique(speakers):
        own = rows[speakers == speaker]
        apart = own - own.mean(axis=0)
        within += apart.T @ apart
        freedom += len(own) - 1
    if freedom < rows.shape[1]:
        count = len(np.unique(speakers))
        raise SystemExit(f"PLDA: expected speakers with several voices, found {len(rows)} voices of {count}")
    within /= freedom
    between = np.cov(rows.T, bias=True) - within
    even = np.trace(within) / len(within) * np.eye(len(within))
    return (1 - SHRINKAGE) * within + SHRINKAGE * even, between


def _scaled(rows: Array) -> Array:
    """Every row at the length of a vector of ones."""
    return rows * (np.sqrt(rows.shape[1]) / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9))


def stamp(path: Path, arrays: dict[str, Array]) -> None:
    """Writes the arrays, row by row, and the factors of VBx into the file as a metadata
    property."""
    rounded = {
        name: [float(f"{value:.{DIGITS}g}") for value in array.ravel()] for name, array in arrays.items()
    }
    graph = onnx.load(path)
    entry = graph.metadata_props.add()
    entry.key, entry.value = KEY, json.dumps({**FACTORS, **rounded})
    onnx.save(graph, path)
