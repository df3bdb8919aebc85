"""The joint local diarizer: audio in, who talks in each frame and a voice embedding for each talker out.

::

    audio ─> log-mel 10 ms ─> 2 strided convolutions (40 ms) ─> dilated residual trunk ─┬─> BiGRU ─> powerset
                                                                                        └─> voice branch ─>
                                                                     pooling over solo frames ─> embedding
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .layout import FRAME_STEP, MAX_SPEAKERS, POWERSET, SAMPLE_RATE

FRAME_SAMPLES = 400
HOP_SAMPLES = 160
MEL_BANDS = 64
LOG_FLOOR = 1e-7

DOUBTFUL_BELOW = 0.3
"""Frames in which a speaker talks alone with less probability than this do not count for the voice."""

SILENT_BELOW = 0.1
"""A local speaker whose activity never reaches this is silent: its embedding is zero."""


def mel_filters() -> np.ndarray:
    """Triangular filters [bands, bins] on the HTK mel scale, 20 to 7600 Hz."""

    def mel(hertz):
        return 2595.0 * np.log10(1.0 + np.asarray(hertz) / 700.0)

    bins = np.arange(FRAME_SAMPLES // 2 + 1) * SAMPLE_RATE / FRAME_SAMPLES
    edges = np.linspace(mel(20.0), mel(7600.0), MEL_BANDS + 2)
    position = mel(bins)[None, :]
    rise = (position - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - position) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0.0, np.minimum(rise, fall)).astype(np.float32)


class LogMel(nn.Module):
    """[batch, samples] -> [batch, bands, samples / 160]: the DFT as a convolution, so that it exports."""

    def __init__(self):
        super().__init__()
        time = np.arange(FRAME_SAMPLES)
        bins = np.arange(FRAME_SAMPLES // 2 + 1)[:, None]
        angle = 2 * np.pi * bins * time / FRAME_SAMPLES
        window = np.hanning(FRAME_SAMPLES + 1)[:-1]
        basis = np.concatenate([np.cos(angle), -np.sin(angle)]) * window
        self.register_buffer("basis", torch.tensor(basis[:, None, :], dtype=torch.float32), persistent=False)
        self.register_buffer("filters", torch.tensor(mel_filters()[:, :, None]), persistent=False)

    def forward(self, audio: Tensor) -> Tensor:
        pad = (FRAME_SAMPLES - HOP_SAMPLES) // 2
        spectrum = F.conv1d(F.pad(audio[:, None, :], (pad, pad)), self.basis, stride=HOP_SAMPLES)
        half = FRAME_SAMPLES // 2 + 1
        power = spectrum[:, :half] ** 2 + spectrum[:, half:] ** 2
        return torch.log(F.conv1d(power, self.filters) + LOG_FLOOR)


class Residual(nn.Module):
    """x + f(x), f a dilated convolution of width 3 with batch norm."""

    def __init__(self, channels: int, dilation: int, dropout: float):
        super().__init__()
        self.convolution = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.dropout(F.relu(self.norm(self.convolution(x))))


def _convolution(inputs: int, outputs: int, width: int, stride: int) -> nn.Sequential:
    layer = nn.Conv1d(inputs, outputs, width, stride=stride, padding=width // 2, bias=False)
    return nn.Sequential(layer, nn.BatchNorm1d(outputs), nn.ReLU())


class FastCnn(nn.Module):
    """The shipped network. ``forward`` is the model contract; the other methods serve training."""

    def __init__(self, channels: int = 192, embedding_dim: int = 128, dropout: float = 0.05):
        super().__init__()
        self.features = LogMel()
        self.feature_norm = nn.BatchNorm1d(MEL_BANDS)
        self.stem = nn.Sequential(
            _convolution(MEL_BANDS, channels, 5, 2), _convolution(channels, channels, 5, 2)
        )
        self.trunk = nn.Sequential(*[Residual(channels, d, dropout) for d in (1, 2, 4, 8)])
        self.activity_blocks = nn.Sequential(*[Residual(channels, d, dropout) for d in (1, 2, 4, 8, 16)])
        self.context = nn.GRU(channels, 96, batch_first=True, bidirectional=True)
        self.classify = nn.Linear(channels + 192, len(POWERSET))
        self.voice_blocks = nn.Sequential(*[Residual(channels, d, dropout) for d in (1, 2, 4)])
        self.voice_expand = _convolution(channels, 384, 1, 1)
        self.voice_norm = nn.BatchNorm1d(2 * 384)
        self.voice_project = nn.Linear(2 * 384, embedding_dim)
        self.voice_out = nn.BatchNorm1d(embedding_dim)
        self.embedding_dim = embedding_dim
        membership = [[float(s in members) for s in range(MAX_SPEAKERS)] for members in POWERSET]
        self.register_buffer("membership", torch.tensor(membership), persistent=False)

    def encode(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] -> class scores [batch, frames, 7] and voice features [batch, 384, frames]."""
        shared = self.trunk(self.stem(self.feature_norm(self.features(audio))))
        local = self.activity_blocks(shared).transpose(1, 2)
        around, _ = self.context(local)
        scores = self.classify(torch.cat([local, around], dim=2))
        return scores, self.voice_expand(self.voice_blocks(shared))

    def pool(self, voice: Tensor, weights: Tensor) -> Tensor:
        """Mean and deviation over weighted frames -> embeddings, not yet of unit length.

        ``voice`` [batch, 384, frames], ``weights`` [batch, frames, speakers] -> [batch, speakers, dim].
        """
        share = weights / (weights.sum(dim=1, keepdim=True) + 1e-6)
        mean = torch.matmul(voice, share).transpose(1, 2)
        square = torch.matmul(voice * voice, share).transpose(1, 2)
        deviation = torch.sqrt(torch.clamp(square - mean * mean, min=1e-5))
        statistics = torch.cat([mean, deviation], dim=2)
        flat = self.voice_norm(statistics.reshape(-1, statistics.shape[2]))
        return self.voice_out(self.voice_project(flat)).reshape(-1, weights.shape[2], self.embedding_dim)

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] -> activity [batch, frames, 3] and embedding [batch, 3, dim]."""
        scores, voice = self.encode(audio)
        classes = torch.softmax(scores, dim=2)
        activity = torch.matmul(classes, self.membership)
        solo = classes[:, :, 1 : 1 + MAX_SPEAKERS]
        # Doubtful frames are many and belong to others: together they would drown a short turn. A speaker who
        # only talks over others is still pooled, from overlapped frames.
        weights = solo * (solo > DOUBTFUL_BELOW).to(solo.dtype) + 1e-4 * activity
        embedding = F.normalize(self.pool(voice, weights), dim=2)
        heard = (activity.amax(dim=1) > SILENT_BELOW).to(embedding.dtype)
        return activity, embedding * heard[:, :, None]


def frames_of(samples: int) -> int:
    """Frames that the network gives for this many samples."""
    mel = (samples + 2 * ((FRAME_SAMPLES - HOP_SAMPLES) // 2) - FRAME_SAMPLES) // HOP_SAMPLES + 1
    return ((mel + 1) // 2 + 1) // 2 if samples >= FRAME_STEP else 0
