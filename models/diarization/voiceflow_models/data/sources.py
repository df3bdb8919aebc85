"""Single-speaker recordings, cached as int16 with their stretches of speech.

Owns reading ``train/`` of the data folder. Does not mix or change audio.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import soundfile
from scipy.ndimage import uniform_filter1d

from ..layout import SAMPLE_RATE

VAD_STEP = 160
"""Samples of one voice-activity frame (10 ms)."""

HELD_OUT_EVERY = 20
"""Every 20th LibriSpeech speaker trains nothing: they are the voices of the held-out tests."""

CROWD = "picovoice_s2i"
CROWD_HELD_OUT_EVERY = 3
"""Every third of the crowd-sourced speakers trains nothing either: of the held-out LibriSpeech
speakers all but one have 10 s of speech, too little for a meeting of ten minutes."""

PAUSE_FRAMES = 50
"""Pauses shorter than 0.5 s belong to the speech around them: references have turns of 20 s in one
piece."""

LEAST_SPEECH_FRAMES = 300
"""Who talks for less than 3 s is no use."""


@dataclass
class Speaker:
    """One speaker's speech: samples and a voice-activity label for every 10 ms."""

    name: str
    corpus: str
    audio: np.ndarray
    speech: np.ndarray

    @cached_property
    def onsets(self) -> np.ndarray:
        """Voice-activity frames at which a stretch of speech begins."""
        return np.flatnonzero(np.diff(self.speech.astype(np.int8), prepend=0) == 1)


def speech_frames(audio: np.ndarray) -> np.ndarray:
    """Marks speech every 10 ms by energy against the talker's own level and noise floor.

    Meant for recordings of one near talker. ``audio`` is float, [-1, 1]. Pauses under 0.5 s are
    filled and bursts under 60 ms dropped.
    """
    count = len(audio) // VAD_STEP
    power = (audio[: count * VAD_STEP].reshape(count, VAD_STEP) ** 2).mean(axis=1)
    level = 10 * np.log10(uniform_filter1d(power, 5) + 1e-10)
    voiced = level[level > -80]
    if len(voiced) == 0:
        return np.zeros(count, bool)
    talker, floor = np.percentile(voiced, 90), np.percentile(voiced, 5)
    threshold = min(max(talker - 30, floor + 6), talker - 12)
    speech = level > threshold
    speech = _drop_runs(speech, False, PAUSE_FRAMES)
    return _drop_runs(speech, True, 6)


def _drop_runs(mask: np.ndarray, value: bool, shorter_than: int) -> np.ndarray:
    """Flips the runs of ``value`` that are shorter than ``shorter_than``, except at the edges for
    silence."""
    out = mask.copy()
    edges = np.flatnonzero(np.diff(mask.astype(np.int8), prepend=~mask[0] if len(mask) else 0, append=2))
    starts = np.unique(np.concatenate([[0], edges]))
    for start, end in zip(starts[:-1], starts[1:], strict=True):
        inner = start > 0 and end < len(mask)
        if mask[start] == value and end - start < shorter_than and (inner or value):
            out[start:end] = not value
    return out


def keep(cache: Path, name: str, corpus: str, read: Callable[[], np.ndarray]) -> Speaker | None:
    """A speaker out of ``cache``, or of the samples that ``read`` gives (float, [-1, 1]), kept
    there then.

    None for less than 3 s of speech.
    """
    cache.mkdir(parents=True, exist_ok=True)
    stored = cache / f"{name}.npz"
    if stored.exists():
        with np.load(stored) as arrays:
            audio, speech = arrays["audio"], arrays["speech"]
    else:
        samples = read()
        speech = speech_frames(samples)
        audio = np.clip(samples * 32768, -32768, 32767).astype(np.int16)
        # Several processes may fill the cache: nobody must see half a file.
        unfinished = cache / f"{name}.{os.getpid()}.partial.npz"
        np.savez(unfinished, audio=audio, speech=speech)
        os.replace(unfinished, stored)
    return Speaker(name, corpus, audio, speech) if speech.sum() >= LEAST_SPEECH_FRAMES else None


def list_speakers(data: Path) -> list[tuple[str, str, str]]:
    """File, name and corpus of every speaker of ``data/train``."""
    with open(data / "train" / "index.csv", newline="") as file:
        rows = {row["file"]: (row["speaker"], row["corpus"]) for row in csv.DictReader(file)}
    return [(filename, *row) for filename, row in sorted(rows.items())]


def read_source(path: Path) -> np.ndarray:
    """Samples of a file of ``data/train``, float [samples]."""
    audio, rate = soundfile.read(path, dtype="float32")
    if rate != SAMPLE_RATE or audio.ndim != 1:
        raise ValueError(f"{path.name}: expected 16000 Hz mono, got {rate} Hz, shape {audio.shape}")
    return audio


def load_speakers(data: Path, cache: Path) -> list[Speaker]:
    """Reads every speaker of ``data/train``, from ``cache`` where an earlier run left them."""
    kept = (
        keep(cache, name, corpus, partial(read_source, data / "train" / filename))
        for filename, name, corpus in list_speakers(data)
    )
    return [speaker for speaker in kept if speaker is not None]


def split(speakers: list[Speaker]) -> tuple[list[Speaker], list[Speaker]]:
    """Parts the speakers into those who train and those who are held out for verification and
    sim-test.

    The held-out crowd (``held_out_crowd``) is in neither part.
    """
    libri = [speaker.name for speaker in speakers if speaker.name.startswith("ls-")]
    held = set(libri[::HELD_OUT_EVERY])
    never = held | {speaker.name for speaker in held_out_crowd(speakers)}
    return [s for s in speakers if s.name not in never], [s for s in speakers if s.name in held]


def held_out_crowd(speakers: list[Speaker]) -> list[Speaker]:
    """The crowd-sourced speakers who train nothing, each recorded in a room of their own."""
    return [speaker for speaker in speakers if speaker.corpus == CROWD][::CROWD_HELD_OUT_EVERY]
