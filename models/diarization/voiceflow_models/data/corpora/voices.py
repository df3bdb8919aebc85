"""The speakers of recorded conversations one by one: what each says while nobody else talks."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from ...layout import SAMPLE_RATE
from ..sources import VAD_STEP, Speaker, keep
from . import audio
from .recording import Recording

LEAST_RUN_S = 1.0
"""Shorter solo speech is left out: it is mostly "yes" and the edges of overlaps."""

SOLO_S = 120.0
"""Solo speech taken of one speaker."""

GAP_S = 0.6
"""Silence between two runs: more than a pause that counts as speech."""


def voice_name(recording: Recording, speaker: str) -> str:
    """What a speaker of a recording is called among all voices."""
    return f"{recording.corpus}-{speaker}"


def solo_speakers(recordings: list[Recording], cache: Path) -> list[Speaker]:
    """Everybody whose name lasts through the corpus and who talks alone for 3 s or more, by
    name."""
    runs: dict[str, list[tuple[Path, float, float]]] = {}
    for recording in recordings:
        if recording.lasting_names:
            for speaker, start, length in _solo_runs(recording):
                runs.setdefault(voice_name(recording, speaker), []).append((recording.path, start, length))
    corpora = {voice_name(one, turn.speaker): one.corpus for one in recordings for turn in one.turns}
    kept = (keep(cache, name, corpora[name], partial(_join, parts)) for name, parts in runs.items())
    return sorted((speaker for speaker in kept if speaker is not None), key=lambda speaker: speaker.name)


def _solo_runs(recording: Recording) -> list[tuple[str, float, float]]:
    """Speaker, start and length in seconds of every run of LEAST_RUN_S or more in the labelled
    parts."""
    speakers = sorted({turn.speaker for turn in recording.turns})
    runs = []
    for begin, end in recording.stretches:
        frames = int((end - begin) * SAMPLE_RATE) // VAD_STEP
        active = recording.activity(speakers, round(begin * SAMPLE_RATE), frames, VAD_STEP)
        alone = active & (active.sum(axis=1, keepdims=True) == 1)
        for column, speaker in enumerate(speakers):
            edges = np.flatnonzero(np.diff(alone[:, column].astype(np.int8), prepend=0, append=0))
            for first, last in edges.reshape(-1, 2):
                length = (last - first) * VAD_STEP / SAMPLE_RATE
                if length >= LEAST_RUN_S:
                    runs.append((speaker, begin + first * VAD_STEP / SAMPLE_RATE, length))
    return runs


def _join(runs: list[tuple[Path, float, float]]) -> np.ndarray:
    gap = np.zeros(int(GAP_S * SAMPLE_RATE), np.float32)
    pieces: list[np.ndarray] = []
    for path, start, length in runs:
        pieces += [audio.read(path, start, length), gap]
        if sum(map(len, pieces)) >= SOLO_S * SAMPLE_RATE:
            break
    return np.concatenate(pieces)[: int(SOLO_S * SAMPLE_RATE)]
