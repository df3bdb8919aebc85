"""Who spoke when in real meetings, as plans for simulated ones.

Owns reading ``turns/`` of the data folder (RTTM by forced alignment, no audio) and which of those
meetings train nothing. Does not choose voices or make sound.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..layout import SAMPLE_RATE
from .corpora.reference import Turn, read_rttm
from .simulate import Voice, speech_from
from .sources import VAD_STEP
from .turns import Placement

HELD_OUT_EVERY = 6
"""Every sixth series of meetings trains nothing."""

SERIES_CHARACTERS = {"ami": 6, "alimeeting": 5}
"""Meetings whose names begin alike are a series: of AMI the same speakers (ES2002a to ES2002d), of
AliMeeting the same room (R0008_M0050)."""

WORD_GAP_S = 0.3
"""The alignment ends a turn at each pause between words; shorter ones are left to the speech that
is laid."""

LEAST_PIECE_S = 0.1

LEAST_TALK = 0.5
"""Share of a stretch in which somebody talks, at least: what is nearly silent tests and teaches
little."""

DRAWS = 50
"""Stretches looked at before the one with most talk is taken."""


@dataclass(frozen=True)
class Meeting:
    """The turns of one real meeting, in seconds, in their order of time."""

    name: str
    series: str
    turns: list[Turn]


def load_meetings(folder: Path) -> list[Meeting]:
    """Every meeting of ``folder/<corpus>/<name>.rttm``, in the order of corpus and name."""
    meetings = []
    for corpus, characters in SERIES_CHARACTERS.items():
        for path in sorted((folder / corpus).glob("*.rttm")):
            meetings.append(Meeting(path.stem, path.stem[:characters], read_rttm(path, path.stem)))
    if not meetings:
        places = " or ".join(f"{corpus}/" for corpus in SERIES_CHARACTERS)
        raise FileNotFoundError(f"{folder}: expected turns of meetings (.rttm) in {places}, found none")
    return meetings


def split_meetings(meetings: list[Meeting]) -> tuple[list[Meeting], list[Meeting]]:
    """Parts the meetings into those that train and those of the held-out series."""
    held = set(sorted({meeting.series for meeting in meetings})[::HELD_OUT_EVERY])
    return [m for m in meetings if m.series not in held], [m for m in meetings if m.series in held]


def pieces(turns: list[Turn]) -> list[Turn]:
    """The turns with pauses under ``WORD_GAP_S`` inside one speaker's talk closed, in their order
    of time."""
    closed: list[Turn] = []
    last: dict[str, int] = {}
    for turn in sorted(turns, key=lambda turn: turn.start):
        at = last.get(turn.speaker)
        if at is not None and turn.start - closed[at].end < WORD_GAP_S:
            end = max(turn.end, closed[at].end)
            closed[at] = Turn(closed[at].start, end, turn.speaker)
        else:
            last[turn.speaker] = len(closed)
            closed.append(turn)
    return [piece for piece in closed if piece.end - piece.start >= LEAST_PIECE_S]


def plan_stretch(
    random: np.random.Generator, meeting: Meeting, seconds: float, most: int
) -> tuple[list[Placement], int]:
    """Placements of a stretch of the meeting, and how many speakers have one: 1 to ``most``.

    A meeting of fewer seconds is taken whole. Of more than ``most`` speakers those who talk longest
    stay. Voices are numbered by who talks first. Raises ValueError for a meeting without turns.
    """
    talk = pieces(meeting.turns)
    if not talk:
        raise ValueError(f"{meeting.name}: expected turns, found none")
    latest = max(piece.end for piece in talk) - seconds
    best: list[Turn] = []
    for _ in range(DRAWS):
        start = random.uniform(0, latest) if latest > 0 else 0.0
        inside = _cut(talk, start, seconds)
        if _talk(inside) > _talk(best):
            best = inside
        if _talk(best) >= LEAST_TALK * seconds:
            break
    spoken: dict[str, float] = {}
    for piece in best:
        spoken[piece.speaker] = spoken.get(piece.speaker, 0.0) + piece.end - piece.start
    chosen = set(sorted(spoken, key=lambda name: -spoken[name])[:most])
    number: dict[str, int] = {}
    places = []
    for piece in best:
        if piece.speaker in chosen:
            voice = number.setdefault(piece.speaker, len(number))
            length = int((piece.end - piece.start) * SAMPLE_RATE)
            places.append(Placement(voice, int(piece.start * SAMPLE_RATE), length))
    return places, len(number)


def _cut(talk: list[Turn], start: float, seconds: float) -> list[Turn]:
    """What lies in ``seconds`` from ``start``, with time counted from there."""
    cut = (
        Turn(max(piece.start - start, 0.0), min(piece.end - start, seconds), piece.speaker) for piece in talk
    )
    return [piece for piece in cut if piece.end - piece.start >= LEAST_PIECE_S]


def _talk(talk: list[Turn]) -> float:
    """Seconds in which anybody talks."""
    total = reached = 0.0
    for piece in talk:
        total += max(piece.end - max(piece.start, reached), 0.0)
        reached = max(reached, piece.end)
    return total


class Readings:
    """Gives each voice its speech in the order it was recorded: nothing comes twice before all was
    said."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def cut(self, random: np.random.Generator, voice: Voice, length: int) -> tuple[np.ndarray, np.ndarray]:
        """Up to ``length`` samples from where the voice stopped, as ``simulate.cut_speech``."""
        speech = voice.speaker.speech
        talking = np.flatnonzero(speech)
        frames = int(length * voice.speed) // VAD_STEP + 1
        begun = self._next.get(voice.speaker.name)
        if begun is None:
            onsets = voice.speaker.onsets
            begun = int(onsets[random.integers(len(onsets))])
        after = talking[np.searchsorted(talking, begun) :]
        # From the beginning again where the rest is too short for this piece.
        start = int(after[0]) if len(after) and after[0] + frames <= len(speech) else int(talking[0])
        self._next[voice.speaker.name] = start + frames
        return speech_from(voice, start, length)
