"""What the networks are fed here: repeatable features and audio, and noise that resembles them."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

BLOCK_SAMPLES = 4_000
"""Golden audio is loud and soft in turns of 250 ms, so that its frames differ."""

LOUD = 0.25
SOFT = 1 / 64


def lcg(count: int, seed: int) -> np.ndarray:
    """``count`` float32 numbers in [-1, 1), the same on every machine.

    state = (1664525 * state + 1013904223) mod 2^32, starting from ``seed``; each number is (state >> 8) /
    2^23 - 1, which float32 holds exactly. The multiplier is that of Press et al., "Numerical
    recipes", section 7.1.
    """
    state, numbers = seed, np.empty(count, dtype=np.float32)
    for index in range(count):
        state = (1_664_525 * state + 1_013_904_223) & 0xFFFF_FFFF
        numbers[index] = (state >> 8) / 2**23 - 1
    return numbers


def golden_features(shape: tuple[int, ...], seed: int, scale: float) -> Tensor:
    """Features of ``shape``, filled in row-major order: ``scale`` times the numbers of
    :func:`lcg`."""
    return torch.from_numpy(lcg(int(np.prod(shape)), seed) * np.float32(scale)).reshape(shape)


def golden_audio(samples: int, seed: int) -> Tensor:
    """Audio [1, 1, samples]: the numbers of :func:`lcg` times 1/4 and 1/64 in turns of 4,000
    samples."""
    loud = (np.arange(samples) // BLOCK_SAMPLES) % 2 == 0
    gain = np.where(loud, np.float32(LOUD), np.float32(SOFT))
    return torch.from_numpy(lcg(samples, seed) * gain).reshape(1, 1, samples)


def features_like_speech(batch: int, frames: int, bins: int, generator: torch.Generator) -> Tensor:
    """Noise [B, T, bins] that varies as log-mel features do: smooth in both axes.

    Every bin has mean 0 over time, as all recipes' normalization gives.
    """
    noise = torch.randn(batch, 1, frames, bins, generator=generator)
    smooth = F.avg_pool2d(noise, (9, 5), stride=1, padding=(4, 2)) * 9
    spectrum = torch.exp(0.5 * torch.randn(batch, 1, 1, bins, generator=generator))
    features = (smooth * spectrum + torch.randn(batch, 1, frames, bins, generator=generator)).squeeze(1)
    return features - features.mean(dim=1, keepdim=True)


def audio_like_speech(batch: int, samples: int, generator: torch.Generator) -> Tensor:
    """Noise [B, 1, samples] whose loudness changes every 250 ms."""
    turns = -(-samples // BLOCK_SAMPLES)
    gain = 0.3 * torch.rand(batch, 1, turns, generator=generator).repeat_interleave(BLOCK_SAMPLES, dim=2)
    return torch.randn(batch, 1, samples, generator=generator).clamp(-3, 3) * gain[..., :samples]
