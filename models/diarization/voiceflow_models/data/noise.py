"""Background sound: recorded environments and generated noise, at unit RMS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from ..layout import SAMPLE_RATE

COLOURED_COUNT = 12
COLOURED_S = 60
COLOURED_SEED = 11
"""Coloured noise is made once and cut from then on: a transform of its own for each window would
take longer than all the rest."""


class NoiseBank:
    """Draws stretches of noise: recorded (``noise/`` of the data folder), coloured, knocks, or
    mains hum."""

    def __init__(self, data: Path):
        self._recorded = []
        for path in sorted((data / "noise").glob("*.ogg")):
            audio, rate = soundfile.read(path, dtype="float32")
            if rate != SAMPLE_RATE:
                raise ValueError(f"{path.name}: expected 16000 Hz, got {rate} Hz")
            self._recorded.append(audio)
        if not self._recorded:
            raise FileNotFoundError(f"{data / 'noise'}: expected recordings of noise (.ogg), found none")
        random = np.random.default_rng(COLOURED_SEED)
        exponents = np.linspace(0.0, 2.2, COLOURED_COUNT)
        self._coloured = [_coloured(random, COLOURED_S * SAMPLE_RATE, exponent) for exponent in exponents]

    def draw(self, random: np.random.Generator, samples: int) -> np.ndarray:
        """A stretch of ``samples`` samples, RMS 1 (all zeros where the recording is silent)."""
        kind = random.random()
        if kind < 0.45:
            audio = self._recorded[random.integers(len(self._recorded))]
            start = random.integers(len(audio))
            noise = audio.take(np.arange(start, start + samples), mode="wrap")
        elif kind < 0.85:
            bank = self._coloured[random.integers(len(self._coloured))]
            noise = bank.take(np.arange(samples) + random.integers(len(bank)), mode="wrap")
        elif kind < 0.93:
            noise = _knocks(random, samples)
        else:
            noise = _hum(random, samples)
        return _unit(noise)

    def music(self, random: np.random.Generator, samples: int) -> np.ndarray:
        """Chords of plucked or bowed tones, one after another, RMS 1."""
        total = np.zeros(samples, np.float32)
        beat = int(random.uniform(0.2, 0.8) * SAMPLE_RATE)
        decay = random.uniform(0.1, 2.0) * SAMPLE_RATE
        scale = random.choice([110.0, 146.8, 196.0, 220.0])
        for start in range(0, samples, beat):
            length = min(2 * beat, samples - start)
            time = np.arange(length, dtype=np.float32)
            envelope = np.minimum(time / 200, 1) * np.exp(-time / np.float32(decay))
            for _ in range(random.integers(1, 4)):
                pitch = scale * 2 ** (random.integers(0, 25) / 12)
                for harmonic in range(1, random.integers(2, 6)):
                    phase = np.float32(2 * np.pi * pitch * harmonic / SAMPLE_RATE) * time
                    total[start : start + length] += envelope * np.sin(phase) / np.float32(harmonic)
        return _unit(total)


def _unit(audio: np.ndarray) -> np.ndarray:
    rms = np.sqrt(np.mean(audio**2))
    return (audio / rms if rms > 1e-6 else np.zeros_like(audio)).astype(np.float32)


def _coloured(random: np.random.Generator, samples: int, exponent: float) -> np.ndarray:
    """Gaussian noise with a power spectrum of 1/f^exponent (0 white, 1 pink, 2 brown) above 30
    Hz."""
    spectrum = np.fft.rfft(random.standard_normal(samples))
    frequency = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
    return _unit(np.fft.irfft(spectrum / np.maximum(frequency, 30.0) ** (exponent / 2), samples))


def _knocks(random: np.random.Generator, samples: int) -> np.ndarray:
    """Keys, cups and doors: short bursts of noise that ring at some pitch."""
    total = np.zeros(samples, np.float32)
    for _ in range(random.integers(2, 30)):
        length = int(random.uniform(0.005, 0.12) * SAMPLE_RATE)
        start = int(random.integers(max(samples - length, 1)))
        time = np.arange(min(length, samples - start), dtype=np.float32)
        burst = random.standard_normal(len(time)) * np.exp(-6 * time / length)
        ring = np.cos(np.float32(2 * np.pi * random.uniform(100, 4000) / SAMPLE_RATE) * time)
        loud = random.exponential()
        total[start : start + len(time)] += (burst * (ring if random.random() < 0.5 else 1) * loud).astype(
            np.float32
        )
    return total


def _hum(random: np.random.Generator, samples: int) -> np.ndarray:
    time = np.arange(samples) / SAMPLE_RATE
    base = random.choice([50.0, 60.0]) * random.uniform(0.995, 1.005)
    harmonics = range(1, random.integers(3, 12))
    return sum(random.random() / k * np.sin(2 * np.pi * base * k * time) for k in harmonics).astype(
        np.float32
    )
