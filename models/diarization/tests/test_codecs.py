"""Codecs: what they leave is in time with what went in, and has lost something."""

import numpy as np
import pytest
from voiceflow_models.data.codecs import CODECS, through
from voiceflow_models.layout import SAMPLE_RATE


def sweep() -> np.ndarray:
    """Two seconds from 200 Hz to 6 kHz, after a quarter of a second of silence."""
    time = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    tone = 0.3 * np.sin(2 * np.pi * (200 * time + 1450 * time**2))
    return np.concatenate([np.zeros(SAMPLE_RATE // 4), tone]).astype(np.float32)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_a_codec_keeps_time_and_length_and_not_every_sample(codec):
    audio = sweep()
    coded = through(np.random.default_rng(0), audio, codec)
    assert coded.shape == audio.shape and coded.dtype == np.float32
    # Up to 3 kHz, which all of them carry, at the very same time.
    low = slice(SAMPLE_RATE // 4, SAMPLE_RATE // 4 + 28 * SAMPLE_RATE // 30)
    likeness = np.corrcoef(audio[low], coded[low])[0, 1]
    assert likeness > 0.8
    moved = np.corrcoef(audio[low], np.roll(coded, 3)[low])[0, 1]
    assert moved < likeness
    assert np.abs(coded - audio).max() > 1e-3


@pytest.mark.parametrize("codec", [codec for codec in CODECS if codec.rate == 8_000], ids=lambda c: c.name)
def test_telephone_codecs_lose_what_is_above_4_khz(codec):
    coded = through(np.random.default_rng(0), sweep(), codec)
    high = slice(-SAMPLE_RATE // 3, None)
    assert np.std(coded[high]) < 0.2 * np.std(sweep()[high])
