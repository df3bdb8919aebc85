"""Training windows for tests, in which a network learns nothing of use."""

from pathlib import Path

import numpy as np
from voiceflow_models.layout import POWERSET, WINDOW_FRAMES, WINDOW_SAMPLES


def write_tiny_windows(folder: Path) -> Path:
    """Four windows in which one speaker's noise comes and goes."""
    random = np.random.default_rng(0)
    shard = folder / "shard-00000"
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
    np.savez(folder / "voices.npz", names=["a", "b"], embeddings=embeddings)
    return folder
