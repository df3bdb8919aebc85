"""Voices within a recording: are two stretches of one recording, each of one talker, the same
speaker?

Room, noise and microphone are those of the recording for both, as they are when a recording is
clustered.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..data.sources import read_source
from ..layout import SAMPLE_RATE
from .det import trade_off
from .diarization import recordings_of
from .rttm import Turn, read_folder
from .verification import Encoder

CUTS = 12
"""Stretches of each speaker of a recording, at most."""

LENGTHS_S = (1.0, 2.0)
"""Of the stretches that reports have."""

EDGE_S = 0.1
"""Nobody else talks this long before and after a stretch: references are not exact."""


@dataclass
class Stretches:
    """Pieces of recordings in which one speaker talks alone."""

    audio: list[np.ndarray]
    recording: np.ndarray
    """Index of the recording of each [stretches]."""
    speaker: np.ndarray
    """Index of the speaker of each, counted through all recordings [stretches]."""


def solo(turns: list[Turn], speaker: str, seconds: float) -> list[float]:
    """Where stretches of ``seconds`` begin in which ``speaker`` talks alone; they do not
    overlap."""
    begins: list[float] = []
    others = [(turn.start_s - EDGE_S, turn.end_s + EDGE_S) for turn in turns if turn.speaker != speaker]
    for turn in turns:
        if turn.speaker != speaker:
            continue
        at = turn.start_s
        while at + seconds <= turn.end_s:
            blocked = [end for start, end in others if start < at + seconds and end > at]
            if blocked:
                at = max(blocked)
                continue
            begins.append(at)
            at += seconds
    return begins


def stretches(folder: Path, seconds: float, seed: int = 0) -> Stretches:
    """Up to ``CUTS`` stretches of every speaker of every recording of a folder."""
    random = np.random.default_rng(seed)
    audio, recording, speaker, count = [], [], [], 0
    references = read_folder(folder)
    for index, path in enumerate(recordings_of(folder)):
        turns, sound = references.get(path.stem, []), read_source(path)
        for label in sorted({turn.speaker for turn in turns}):
            begins = np.array(solo(turns, label, seconds))
            for begin in random.permutation(begins)[:CUTS]:
                first = int(begin * SAMPLE_RATE)
                audio.append(sound[first : first + int(seconds * SAMPLE_RATE)])
                recording.append(index)
                speaker.append(count)
            count += 1
    return Stretches(audio, np.array(recording), np.array(speaker))


def equal_error(encode: Encoder, cuts: Stretches) -> float | None:
    """The equal error rate over pairs of one recording, see :func:`equal_error_of`."""
    return equal_error_of(np.array([encode(audio) for audio in cuts.audio]), cuts)


def equal_error_of(embeddings: np.ndarray, cuts: Stretches) -> float | None:
    """The equal error rate over pairs of one recording, every speaker and every pair of speakers
    alike; none where there are not both kinds of pairs."""
    if not len(embeddings):
        return None
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-9)
    first, second = np.triu_indices(len(unit), k=1)
    together = cuts.recording[first] == cuts.recording[second]
    first, second = first[together], second[together]
    same = cuts.speaker[first] == cuts.speaker[second]
    if same.all() or not same.any():
        return None
    cosine = np.einsum("ij,ij->i", unit[first], unit[second])
    pair = cuts.speaker[first] * (cuts.speaker.max(initial=0) + 1) + cuts.speaker[second]
    weights = [1 / np.bincount(pair[kind])[pair[kind]] for kind in (same, ~same)]
    return trade_off(cosine[same], cosine[~same], *weights).equal_error()[0]
