"""Lets the tests import the packages where they are not installed, and makes windows for them to
train on."""

import sys
from pathlib import Path

import numpy as np
import pytest

MODELS = Path(__file__).parents[2]
sys.path[:0] = [str(MODELS / "diarization"), str(MODELS / "public")]


@pytest.fixture
def windows(tmp_path: Path) -> Path:
    """A folder of four training windows in which one speaker's noise comes and goes."""
    from voiceflow_models.layout import POWERSET, WINDOW_FRAMES, WINDOW_SAMPLES

    random = np.random.default_rng(0)
    shard = tmp_path / "windows" / "shard-00000"
    shard.mkdir(parents=True)
    exact = random.integers(0, 2, (4, WINDOW_FRAMES // 50)).repeat(50, axis=1).astype(np.uint8)
    loud = exact.repeat(WINDOW_SAMPLES // WINDOW_FRAMES, axis=1)
    audio = random.standard_normal((4, WINDOW_SAMPLES)) * np.where(loud, 3000, 30)
    arrays = {
        "audio": audio.astype(np.int16),
        "exact": exact,
        "voices": np.array([[0, -1, -1]] * 4),
        "teacher": (np.eye(len(POWERSET))[exact] * 255).astype(np.uint8),
    }
    for name, values in arrays.items():
        np.save(shard / f"{name}.npy", values)
    embeddings = np.eye(2, 8, dtype=np.float32)
    np.savez(tmp_path / "windows" / "voices.npz", names=["a", "b"], embeddings=embeddings)
    return tmp_path / "windows"
