"""A recorded conversation with its reference: who talks when."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ...layout import SAMPLE_RATE
from . import audio
from .reference import Turn

OVERHANG_S = 5.0
"""A reference may end this much after the sound; beyond it the sound has been cut off, or is
another's."""


@dataclass(frozen=True)
class Recording:
    """Sound with labels by a human listener."""

    name: str
    corpus: str
    split: str
    """train, dev or test, as the corpus is published."""
    path: Path
    turns: list[Turn]
    stretches: list[tuple[float, float]]
    """Parts with a reference, in seconds: what the UEM names, or everything."""
    lasting_names: bool
    """Whether a speaker's name means the same speaker in the other recordings of the corpus."""

    def activity(self, speakers: list[str], start: int, frames: int, step: int) -> np.ndarray:
        """Who of ``speakers`` talks [frames, speakers] in frames of ``step`` samples from sample
        ``start``.

        A frame is talked in when its middle lies in a turn.
        """
        columns = {speaker: column for column, speaker in enumerate(speakers)}
        active = np.zeros((frames, len(speakers)), bool)
        for turn in self.turns:
            if turn.speaker in columns:
                # Frame k has its middle at (k + 1/2) step.
                edges = (np.array([turn.start, turn.end]) * SAMPLE_RATE - start) / step - 0.5
                first, last = np.clip(np.ceil(edges), 0, frames).astype(int)
                active[first:last, columns[turn.speaker]] = True
        return active


def stretches(
    path: Path, turns: list[Turn], uem: list[tuple[float, float]] | None
) -> list[tuple[float, float]]:
    """The labelled parts of a sound file, in seconds within its length; refuses sound that ends too
    early."""
    seconds = audio.length_s(path)
    last = max((turn.end for turn in turns), default=0.0)
    if last > seconds + OVERHANG_S:
        raise ValueError(f"{path}: expected {last:.1f} s as in its reference, got {seconds:.1f} s")
    parts = [(0.0, seconds)] if uem is None else [(begin, min(end, seconds)) for begin, end in uem]
    return [(begin, end) for begin, end in parts if end > begin]
