"""Two filterbanks over the same frames, and the matrix that turns the power of one into that of the
other.

Frames are 25 ms every 10 ms of 16 kHz audio. Kaldi's bank (what embedding models of WeSpeaker get)
has 80 triangles on the mel scale of HTK; librosa's (what the GE2E encoder was trained on) has 40 on
the scale of Slaney's Auditory Toolbox (1998), each of unit area.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

SAMPLE_RATE = 16_000
FRAME = 400
SHIFT = 160
KALDI_BANDS = 80
LIBROSA_BANDS = 40
KALDI_FFT = 512
PREEMPHASIS = 0.97
SCALE = 32_768.0
"""Kaldi's samples are 16-bit integers."""
EDGES_HZ = (20.0, 7_600.0)
"""The span of sherpa-onnx's bank: 400 Hz below half the sample rate."""

QUIET = 1e-4
"""40 dB below the loudest frame: what is quieter says nothing of speech."""


def triangles(points: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Filters [bands, places] that rise from each point to the next and fall to the one after."""
    low, middle, high = (points[i : len(points) - 2 + i, None] for i in range(3))
    return np.maximum(0.0, np.minimum((at - low) / (middle - low), (high - at) / (high - middle)))


def kaldi_bank() -> np.ndarray:
    """[80, 257]: weights of the bins' power; the triangles are straight in mel."""

    def mel(hertz: np.ndarray) -> np.ndarray:
        return 1_127.0 * np.log1p(np.asarray(hertz) / 700.0)

    points = np.linspace(*mel(EDGES_HZ), KALDI_BANDS + 2)
    return triangles(points, mel(np.arange(KALDI_FFT // 2 + 1) * SAMPLE_RATE / KALDI_FFT))


def librosa_bank() -> np.ndarray:
    """[40, 201]: weights of the bins' power; the triangles are straight in hertz."""
    # Linear below 1 kHz at 15 mel, logarithmic above: 27 mel for a factor of 6.4 (Slaney 1998).
    step, knee, factor = 200.0 / 3.0, 1_000.0, np.log(6.4) / 27.0
    mels = np.linspace(0.0, knee / step + np.log(SAMPLE_RATE / 2 / knee) / factor, LIBROSA_BANDS + 2)
    points = np.where(mels < knee / step, mels * step, knee * np.exp(factor * (mels - knee / step)))
    area = 2.0 / (points[2:] - points[:-2])
    return triangles(points, np.arange(FRAME // 2 + 1) * SAMPLE_RATE / FRAME) * area[:, None]


def frames(audio: np.ndarray) -> np.ndarray:
    """[frames, 400]: those that lie wholly in the audio."""
    return np.lib.stride_tricks.sliding_window_view(audio, FRAME)[::SHIFT].astype(np.float64)


def kaldi_power(framed: np.ndarray) -> np.ndarray:
    """[frames, 80]: the numbers that Kaldi's bank gives before the logarithm."""
    centred = (framed - framed.mean(axis=1, keepdims=True)) * SCALE
    before = np.concatenate([centred[:, :1], centred[:, :-1]], axis=1)
    window = np.hanning(FRAME) ** 0.85
    spectrum = np.fft.rfft((centred - PREEMPHASIS * before) * window, KALDI_FFT)
    return np.abs(spectrum) ** 2 @ kaldi_bank().T


def librosa_power(framed: np.ndarray) -> np.ndarray:
    """[frames, 40]: librosa's mel spectrogram of power, with a periodic Hann window."""
    window = np.hanning(FRAME + 1)[:-1]
    return np.abs(np.fft.rfft(framed * window)) ** 2 @ librosa_bank().T


def conversion(audio: np.ndarray) -> np.ndarray:
    """The matrix [80, 40 + 1] that takes Kaldi's power to librosa's, and in the last column to the
    mean square of the samples, fitted without negative weights to the louder frames of this
    audio."""
    framed = frames(audio)
    level = (framed**2).mean(axis=1)
    framed = framed[level > QUIET * level.max()]
    source = kaldi_power(framed)
    scale = source.mean(axis=0)
    columns = []
    for target in [*librosa_power(framed).T, (framed**2).mean(axis=1)]:
        # An error counts by the root of what it is an error of: the encoder reads plain power, so
        # that relative errors would spend the fit on what the encoder does not use, and absolute
        # ones on few frames.
        weight = 1 / np.sqrt(np.maximum(target, QUIET * target.max()))
        fitted, _ = nnls(source / scale * weight[:, None], target * weight)
        columns.append(fitted / scale)
    return np.stack(columns, axis=1).astype(np.float32)
