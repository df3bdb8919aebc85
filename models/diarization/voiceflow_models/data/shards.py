"""The folder of training windows: shards of arrays, and the voices that their labels number.

A shard is a folder of ``.npy`` files: ``audio`` int16 [N, samples], ``exact`` class uint8
[N, frames], ``voices`` int16 [N, 3] (-1: no class), ``teacher`` uint8 [N, frames, 7] (255 is
certain). It appears whole or not at all, so that a trainer may read the folder while it grows.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..layout import POWERSET, WINDOW_FRAMES
from ..powerset import exact_classes
from ..teachers.segmentation import SegmentationTeacher, align
from ..teachers.voices import VoiceTeacher
from .simulate import Voice

SHARD_WINDOWS = 256
TEACHER_BATCH = 8


def label(
    audio: np.ndarray, activity: np.ndarray, voices: np.ndarray, teacher: SegmentationTeacher | None
) -> dict[str, np.ndarray]:
    """The arrays of a shard for audio int16 [N, samples], activity [N, frames, 3] and voices
    [N, 3]."""
    exact = np.stack([exact_classes(window) for window in activity])
    soft = np.eye(len(POWERSET))[exact]
    if teacher is not None:
        for first in range(0, len(audio), TEACHER_BATCH):
            rows = slice(first, first + TEACHER_BATCH)
            soft_labels = teacher.classes(audio[rows].astype(np.float32) / 32768, WINDOW_FRAMES)
            soft[rows] = [align(*pair) for pair in zip(soft_labels, activity[rows], strict=True)]
    return {
        "audio": audio,
        "exact": exact,
        "voices": voices,
        "teacher": (soft * 255).round().astype(np.uint8),
    }


def shards(folder: Path) -> list[Path]:
    """The finished shards of a folder."""
    return sorted(path for path in folder.glob("shard-*") if path.is_dir())


def write_shard(folder: Path, name: str, arrays: dict[str, np.ndarray]) -> None:
    """Leaves ``shard-<name>`` in the folder."""
    unfinished = folder / f"partial-{name}"
    unfinished.mkdir(exist_ok=True)
    for field, values in arrays.items():
        np.save(unfinished / f"{field}.npy", values)
    os.rename(unfinished, folder / f"shard-{name}")


def name_voices(folder: Path, voices: list[Voice]) -> list[str]:
    """The names of all voices by label; refuses a folder whose shards number other voices."""
    names = [f"{voice.speaker.name}@{voice.speed}" for voice in voices]
    path = folder / "voices.npz"
    if path.exists():
        with np.load(path) as stored:
            before = stored["names"].tolist()
        if before != names[: len(before)]:
            raise ValueError(
                f"{path}: expected its {len(before)} voices to come first among the {len(names)} of this "
                f"data, got others; give the same data as before, or another folder"
            )
    return names


def write_voices(folder: Path, voices: list[Voice], encoder: Path | None) -> None:
    """``voices.npz``: the name of every voice, and the encoder's embedding of each (none without
    encoder)."""
    names = name_voices(folder, voices)
    embeddings = np.zeros((len(voices), 0), np.float32)
    if encoder is not None:
        embeddings = VoiceTeacher(encoder).voices(voices, seed=1)
    np.savez(folder / "voices.npz", names=names, embeddings=embeddings)
