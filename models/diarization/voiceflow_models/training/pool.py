"""Batches out of a folder of training windows, which may still grow."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..data.shards import shards
from ..layout import FRAME_STEP, POWERSET, SAMPLE_RATE, WINDOW_FRAMES, WINDOW_S
from ..powerset import settle_identity

TEACHER_SHARE = 0.5
"""Weight of the teacher's classes in the target; the rest is the exact label."""

MUTED_SHARE = 0.1
"""Windows of which a stretch is replaced by digital silence, as gates, padding and muted channels
make it."""

LENGTHS_S = (10, 6, 4)
LENGTH_SHARES = (0.5, 0.25, 0.25)
"""Batches of whole windows, and of cuts out of more windows: at inference windows may be as
short."""

REFRESH_BATCHES = 50
"""Batches between two looks for new shards."""

AHEAD = 4
"""Batches that are prepared while the network trains."""


@dataclass
class Batch:
    """Training windows, ready for the network."""

    audio: Tensor
    """[batch, samples], [-1, 1]."""
    target: Tensor
    """Probability of the classes [batch, frames, 7]."""
    exact: Tensor
    """Exact class [batch, frames]."""
    voices: Tensor
    """Label of each local speaker's voice, or -1 [batch, 3]."""

    def to(self, device: torch.device) -> Batch:
        """The same on another device."""
        return Batch(*(getattr(self, field.name).to(device, non_blocking=True) for field in fields(self)))


def cut(window: dict[str, np.ndarray], first: int, frames: int) -> dict[str, np.ndarray]:
    """``frames`` frames of a window's arrays from frame ``first`` on; the voices are the same."""
    return {
        "audio": window["audio"][first * FRAME_STEP : (first + frames) * FRAME_STEP],
        "exact": window["exact"][first : first + frames],
        "voices": window["voices"],
        "teacher": window["teacher"][first : first + frames],
    }


class WindowPool:
    """Draws random windows from all shards of a folder."""

    def __init__(self, folder: Path, seed: int, teacher_share: float = TEACHER_SHARE):
        self._folder = folder
        self._seed, self._random = seed, np.random.default_rng(seed)
        self._teacher_share = teacher_share
        self._open: dict[Path, dict[str, np.ndarray]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Looks for new shards."""
        for path in shards(self._folder):
            if path not in self._open:
                names = ("audio", "exact", "voices", "teacher")
                self._open[path] = {name: np.load(path / f"{name}.npy", mmap_mode="r") for name in names}
        if not self._open:
            raise SystemExit(
                f"{self._folder}: no shard-* folder; make them with voiceflow_models.data.windows"
            )

    def windows(self) -> int:
        """How many there are by now."""
        return sum(len(shard["exact"]) for shard in self._open.values())

    def draw(self, size: int) -> Batch:
        """A batch as long as ``size`` windows: so many, or more that are cut to one shorter
        length."""
        paths = list(self._open)
        seconds = int(self._random.choice(LENGTHS_S, p=LENGTH_SHARES))
        frames = seconds * SAMPLE_RATE // FRAME_STEP
        rows = []
        for _ in range(size * WINDOW_S // seconds):
            shard = self._open[paths[self._random.integers(len(paths))]]
            row = int(self._random.integers(len(shard["exact"])))
            window = {name: np.array(values[row]) for name, values in shard.items()}
            self._mute(window)
            rows.append(cut(window, int(self._random.integers(WINDOW_FRAMES - frames + 1)), frames))
        audio, exact, voices, teacher = (np.stack([row[name] for row in rows]) for name in rows[0])
        hard = np.eye(len(POWERSET), dtype=np.float32)[exact]
        soft = settle_identity(teacher.astype(np.float32) / 255, exact)
        target = self._teacher_share * soft + (1 - self._teacher_share) * hard
        return Batch(
            torch.from_numpy(audio.astype(np.float32) / 32768),
            torch.from_numpy(target),
            torch.from_numpy(exact.astype(np.int64)),
            torch.from_numpy(voices.astype(np.int64)),
        )

    def batches(self, size: int, first: int = 0) -> Iterator[Batch]:
        """Endless batches, drawn by a thread; what is in one follows from its number, ``first`` and
        so on."""
        ready: queue.Queue[Batch] = queue.Queue(AHEAD)

        def prepare() -> None:
            for number in itertools.count(first):
                if number % REFRESH_BATCHES == 0:
                    self.refresh()
                self._random = np.random.default_rng((self._seed, number))
                ready.put(self.draw(size))

        threading.Thread(target=prepare, daemon=True).start()
        while True:
            yield ready.get()

    def _mute(self, window: dict[str, np.ndarray]) -> None:
        if self._random.random() > MUTED_SHARE:
            return
        begin, end = sorted(self._random.integers(0, WINDOW_FRAMES + 1, 2))
        if self._random.random() < 0.5:
            begin, end = (0, end) if self._random.random() < 0.5 else (begin, WINDOW_FRAMES)
        window["audio"][begin * FRAME_STEP : end * FRAME_STEP] = 0
        window["exact"][begin:end] = 0
        window["teacher"][begin:end] = np.eye(len(POWERSET), dtype=np.uint8)[0] * 255
