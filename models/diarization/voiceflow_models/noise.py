"""Background sound: recorded environments and generated noise, at unit RMS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from .layout import SAMPLE_RATE


class NoiseBank:
    """Draws stretches of noise: recorded (``noise/`` of the data folder), coloured, or mains hum."""

    def __init__(self, data: Path):
        self._recorded = []
        for path in sorted((data / "noise").glob("*.ogg")):
            audio, rate = soundfile.read(path, dtype="float32")
            if rate != SAMPLE_RATE:
                raise ValueError(f"{path.name}: expected 16000 Hz, got {rate} Hz")
            self._recorded.append(audio)

    def draw(self, random: np.random.Generator, samples: int) -> np.ndarray:
        """A stretch of ``samples`` samples, RMS 1 (all zeros where the recording is silent)."""
        kind = random.random()
        if kind < 0.5:
            audio = self._recorded[random.integers(len(self._recorded))]
            start = random.integers(len(audio))
            noise = audio.take(np.arange(start, start + samples), mode="wrap")
        elif kind < 0.95:
            noise = _coloured(random, samples, exponent=random.uniform(0.0, 2.2))
        else:
            noise = _hum(random, samples)
        rms = np.sqrt(np.mean(noise**2))
        return noise / rms if rms > 1e-6 else np.zeros(samples, np.float32)


def _coloured(random: np.random.Generator, samples: int, exponent: float) -> np.ndarray:
    """Gaussian noise with a power spectrum of 1/f^exponent (0 white, 1 pink, 2 brown) above 30 Hz."""
    spectrum = np.fft.rfft(random.standard_normal(samples).astype(np.float32))
    frequency = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE)
    return np.fft.irfft(spectrum / np.maximum(frequency, 30.0) ** (exponent / 2), samples).astype(np.float32)


def _hum(random: np.random.Generator, samples: int) -> np.ndarray:
    time = np.arange(samples) / SAMPLE_RATE
    base = random.choice([50.0, 60.0]) * random.uniform(0.995, 1.005)
    harmonics = range(1, random.integers(3, 12))
    return sum(random.random() / k * np.sin(2 * np.pi * base * k * time) for k in harmonics).astype(
        np.float32
    )
