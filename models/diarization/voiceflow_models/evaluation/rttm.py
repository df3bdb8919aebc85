"""Reads RTTM, the annotation format of NIST's Rich Transcription evaluations (2009), SPEAKER lines
only."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment

FIELDS = 8
"""A line has ten fields; some writers leave out the last two, which say nothing of a speaker."""


@dataclass(frozen=True)
class Turn:
    """One speaker talks in one recording, from ``start_s`` to ``end_s`` seconds."""

    recording: str
    speaker: str
    start_s: float
    end_s: float


def read(path: Path) -> list[Turn]:
    """The turns of a file in its order; other kinds of lines and comments are passed over."""
    turns = []
    for number, line in enumerate(path.read_text().splitlines(), 1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":
            continue
        if len(fields) < FIELDS:
            raise ValueError(f"{path.name}:{number}: expected at least {FIELDS} fields, got {len(fields)}")
        try:
            start, length = float(fields[3]), float(fields[4])
        except ValueError:
            raise ValueError(
                f"{path.name}:{number}: expected start and duration in seconds, got {fields[3:5]}"
            ) from None
        if not (math.isfinite(start) and math.isfinite(length) and start >= 0 and length >= 0):
            raise ValueError(
                f"{path.name}:{number}: expected start and duration of at least 0 s, got {start}, {length}"
            )
        turns.append(Turn(fields[1], fields[7], start, start + length))
    return turns


def read_folder(folder: Path) -> dict[str, list[Turn]]:
    """The turns of all ``.rttm`` files of a folder by recording; a file without turns stands for
    its name."""
    recordings: dict[str, list[Turn]] = {}
    for path in sorted(folder.glob("*.rttm")):
        turns = read(path)
        if not turns:
            recordings.setdefault(path.stem, [])
        for turn in turns:
            recordings.setdefault(turn.recording, []).append(turn)
    return recordings


def speakers(turns: list[Turn]) -> list[str]:
    """The speakers in the order in which they first speak."""
    return list(dict.fromkeys(turn.speaker for turn in sorted(turns, key=lambda turn: turn.start_s)))


def paired(reference: list[Turn], hypothesis: list[Turn]) -> dict[str, str]:
    """Speakers of the hypothesis and whom of the reference each stands for, by most time in
    common."""
    known, found = speakers(reference), speakers(hypothesis)
    shared = np.zeros((len(found), len(known)))
    for mine in hypothesis:
        for theirs in reference:
            together = min(mine.end_s, theirs.end_s) - max(mine.start_s, theirs.start_s)
            shared[found.index(mine.speaker), known.index(theirs.speaker)] += max(together, 0.0)
    rows, columns = linear_sum_assignment(shared, maximize=True)
    return {
        found[row]: known[column] for row, column in zip(rows, columns, strict=True) if shared[row, column]
    }
