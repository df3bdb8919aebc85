"""Sound files of any rate and channel count as mono 16 kHz."""

from __future__ import annotations

from math import gcd
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from ...layout import SAMPLE_RATE

LOWEST_RATE = 8_000
"""Recordings below the rate of a telephone line are refused: they are no speech, or their header is
wrong."""


def length_s(path: Path) -> float:
    """Seconds of sound in a file; an error names the file when it is missing or no sound."""
    rate, frames = _describe(path)
    return frames / rate


def read(path: Path, start_s: float = 0.0, seconds: float | None = None) -> np.ndarray:
    """Samples float32 [samples], [-1, 1], at 16 kHz, from ``start_s`` for ``seconds`` or to the
    end.

    Channels are averaged and other rates resampled (polyphase filter). With ``seconds`` the length
    is exact: what the file lacks at its end is zero.
    """
    rate, _ = _describe(path)
    frames = -1 if seconds is None else round(seconds * rate)
    audio, _ = soundfile.read(path, frames, round(start_s * rate), dtype="float32", always_2d=True)
    mono = audio.mean(axis=1)
    if rate != SAMPLE_RATE and len(mono):
        shared = gcd(rate, SAMPLE_RATE)
        mono = resample_poly(mono, SAMPLE_RATE // shared, rate // shared).astype(np.float32)
    if seconds is None:
        return mono
    whole = np.zeros(round(seconds * SAMPLE_RATE), np.float32)
    kept = min(len(whole), len(mono))
    whole[:kept] = mono[:kept]
    return whole


def _describe(path: Path) -> tuple[int, int]:
    """Rate in Hz and frames of a file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such recording")
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path}: expected a sound file, got {error.error_string}") from error
    if info.samplerate < LOWEST_RATE:
        raise ValueError(f"{path}: expected at least {LOWEST_RATE} Hz, got {info.samplerate} Hz")
    return info.samplerate, info.frames
