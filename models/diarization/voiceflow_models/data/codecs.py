"""What codecs leave of speech: encoded and decoded in memory by libsndfile, in time with what went
in."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import soundfile
from scipy.signal import correlate, resample_poly

from ..layout import SAMPLE_RATE

LONGEST_DELAY = 4096
"""Encoders may delay the sound by this many samples at most; MP3 does so by 1105."""


@dataclass(frozen=True)
class Codec:
    """A container and a subtype of libsndfile, with the sample rate they work at."""

    name: str
    container: str
    subtype: str
    rate: int
    compression: tuple[float, float] | None = None
    """libsndfile's level of compression is drawn from here, where a codec has one: 1 is the
    smallest file."""


CODECS = (
    Codec("G.711 mu-law", "WAV", "ULAW", 8_000),
    Codec("G.711 A-law", "WAV", "ALAW", 8_000),
    Codec("GSM full rate", "WAV", "GSM610", 8_000),
    Codec("Opus", "OGG", "OPUS", 16_000, (0.3, 0.97)),
    Codec("MP3", "MP3", "MPEG_LAYER_III", 16_000, (0.2, 0.95)),
)


def through(random: np.random.Generator, audio: np.ndarray, codec: Codec) -> np.ndarray:
    """[samples], float [-1, 1], at 16 kHz, as the codec leaves it: as many samples, at the same
    time."""
    narrow = resample_poly(audio, codec.rate, SAMPLE_RATE) if codec.rate != SAMPLE_RATE else audio
    options = {} if codec.compression is None else {"compression_level": random.uniform(*codec.compression)}
    file = io.BytesIO()
    soundfile.write(
        file, np.clip(narrow, -1, 1), codec.rate, subtype=codec.subtype, format=codec.container, **options
    )
    file.seek(0)
    decoded, rate = soundfile.read(file, dtype="float32")
    if rate != SAMPLE_RATE:
        decoded = resample_poly(decoded, SAMPLE_RATE, rate)
    return _in_time(audio, decoded)


def _in_time(audio: np.ndarray, decoded: np.ndarray) -> np.ndarray:
    """``decoded`` moved to where it agrees with ``audio`` best, and as long."""
    likeness = correlate(decoded, audio, method="fft")
    at_zero = len(audio) - 1
    last = min(LONGEST_DELAY, len(decoded) - 1)
    delay = int(np.argmax(likeness[at_zero : at_zero + last + 1]))
    moved = np.zeros(len(audio), np.float32)
    rest = decoded[delay : delay + len(audio)]
    moved[: len(rest)] = rest
    return moved
