"""Reference files of NIST's Rich Transcription: RTTM (turns) and UEM (labelled parts)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OTHER_TYPES = {
    *(
        "SEGMENT",
        "NOSCORE",
        "NO_RT_METADATA",
        "LEXEME",
        "NON-LEX",
        "NON-SPEECH",
        "FILLER",
        "EDIT",
        "IP",
        "SU",
    ),
    *("CB", "A/P", "SPKR-INFO"),
}
"""Lines of an RTTM file that say nothing about turns (RT-09 evaluation plan, appendix A)."""


@dataclass(frozen=True)
class Turn:
    """Somebody talks from ``start`` to ``end``, in seconds."""

    start: float
    end: float
    speaker: str


def read_rttm(path: Path, name: str) -> list[Turn]:
    """The turns of recording ``name`` in their order of time; errors name file and line."""
    turns = []
    for place, fields in _lines(path):
        if fields[0] in OTHER_TYPES:
            continue
        if fields[0] != "SPEAKER":
            raise ValueError(f"{place}: expected a line that begins with SPEAKER, got {fields[0]!r}")
        if len(fields) < 8:
            raise ValueError(f"{place}: expected at least 8 fields, got {len(fields)}")
        if fields[1] != name:
            raise ValueError(f"{place}: expected recording {name!r}, got {fields[1]!r}")
        start, length = (_seconds(place, what, fields[at]) for what, at in (("start", 3), ("duration", 4)))
        if length > 0:
            turns.append(Turn(start, start + length, fields[7]))
    return sorted(turns, key=lambda turn: (turn.start, turn.end, turn.speaker))


def read_uem(path: Path, name: str) -> list[tuple[float, float]]:
    """Start and end of every labelled part of recording ``name``; errors name file and line."""
    parts = []
    for place, fields in _lines(path):
        if len(fields) != 4:
            raise ValueError(f"{place}: expected recording, channel, start and end, got {len(fields)} fields")
        if fields[0] != name:
            raise ValueError(f"{place}: expected recording {name!r}, got {fields[0]!r}")
        start, end = (_seconds(place, what, fields[at]) for what, at in (("start", 2), ("end", 3)))
        if end <= start:
            raise ValueError(f"{place}: expected an end after the start at {start} s, got {end} s")
        parts.append((start, end))
    return parts


def _lines(path: Path) -> Iterator[tuple[str, list[str]]]:
    """``file:line`` and the fields of every line that is neither empty nor a comment."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such reference")
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip() and not line.startswith(";;"):
            yield f"{path}:{number}", line.split()


def _seconds(place: str, what: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"{place}: expected {what} in seconds, 0 or more, got {text!r}")
    return value
