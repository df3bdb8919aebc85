"""What microphones and lines do to sound: tilt, band limits, level, clipping."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.signal import butter, lfilter, sosfilt

from ..layout import SAMPLE_RATE


@lru_cache
def _band(low_hz: int, high_hz: int) -> np.ndarray:
    return butter(4, [low_hz, high_hz], "bandpass", fs=SAMPLE_RATE, output="sos")


def telephone(audio: np.ndarray) -> np.ndarray:
    """Narrows to the telephone band, 300 to 3400 Hz."""
    return sosfilt(_band(300, 3400), audio).astype(np.float32)


def narrow(random: np.random.Generator, audio: np.ndarray) -> np.ndarray:
    """Loses the lowest and the highest tones, as small microphones and codecs do."""
    low, high = int(random.choice([80, 150, 220])), int(random.choice([3800, 5000, 6500, 7600]))
    return sosfilt(_band(low, high), audio).astype(np.float32)


def tilt(random: np.random.Generator, audio: np.ndarray) -> np.ndarray:
    """Darker or brighter by up to about 6 dB from the lowest to the highest tones, level kept."""
    amount = random.uniform(-0.35, 0.35)
    tilted = lfilter([1.0, amount], [1.0], audio).astype(np.float32)
    before, after = np.sqrt(np.mean(audio**2)), np.sqrt(np.mean(tilted**2))
    return tilted * np.float32(before / after) if after > 0 else tilted


def record(random: np.random.Generator, audio: np.ndarray, usual_rms: float) -> np.ndarray:
    """As a recorder leaves it, sometimes clipped, always in [-1, 1].

    Speech at ``usual_rms`` comes out at -50 to -14 dBFS RMS. Who is farther is quieter, and so is a
    window in which nobody talks: a recorder is not turned up for a few seconds.
    """
    audio = audio * np.float32(10 ** (random.uniform(-50, -14) / 20) / usual_rms)
    limit = np.float32(random.uniform(0.1, 0.5)) if random.random() < 0.03 else np.float32(1.0)
    return np.clip(audio, -limit, limit)
