"""What every local diarizer makes of its encoder's frames: classes in context, a pooled voice, the
contract.

::

    shared ─┬──────────────────────────┬─> powerset
            ├─> context (80 ms) ───────┘      │
            │      ^                          v
            └─> voice ──> pooling over solo frames ──> embedding
"""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layout import FRAME_STEP, MAX_SPEAKERS, POWERSET, SAMPLE_RATE, frames_of
from .blocks import ContextLayer, Residual, convolution

DOUBTFUL_BELOW = 0.3
"""Frames in which a speaker talks alone with less probability than this do not count for the
voice."""

SILENT_BELOW = 0.1
"""A local speaker whose activity never reaches this is silent: its embedding is zero."""


POSITION_PERIODS_S = (80.0, 40.0, 20.0, 10.0, 5.0, 2.5)
"""Of the sines and cosines that encode where in the window a frame is, and so who spoke first."""

CONTEXT_STEP_S = 2 * FRAME_STEP / SAMPLE_RATE
"""The context has a frame for every two of the output."""


def positions(frames: Tensor) -> Tensor:
    """Sines and cosines of the time since the window's start [1, frames, 12] for
    [batch, frames, width]."""
    # A column of ones made of the frames: the exported graph then does not have to ask how many
    # there are.
    ones = frames[:1, :, :1] * 0 + 1
    seconds = torch.cumsum(ones, dim=1) * CONTEXT_STEP_S
    periods = torch.tensor(POSITION_PERIODS_S, dtype=frames.dtype, device=frames.device)
    angle = seconds * (2 * math.pi / periods)
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=2)


class HeadSizes(Protocol):
    """What the heads read of a network's config."""

    channels: int
    voice_dilations: tuple[int, ...]
    voice_channels: int
    context_layers: int
    heads: int
    embedding_dim: int
    dropout: float


class LocalDiarizer(nn.Module):
    """``forward`` is the model contract; ``encode``, which a network adds, and ``pool`` serve
    training."""

    def __init__(self, config: HeadSizes):
        super().__init__()
        self.config = config

    def _add_heads(self) -> None:
        """Makes the heads; called last, so that the encoder's parameters come first."""
        c, width = self.config, self.config.channels
        self.voice_blocks = nn.Sequential(*[Residual(width, d, c.dropout) for d in c.voice_dilations])
        self.voice_expand = convolution(width, c.voice_channels, 1)
        self.voice_norm = nn.BatchNorm1d(2 * c.voice_channels)
        self.voice_dropout = nn.Dropout(2 * c.dropout)
        self.voice_project = nn.Linear(2 * c.voice_channels, c.embedding_dim)
        self.voice_out = nn.BatchNorm1d(c.embedding_dim)
        self.context_in = nn.Linear(width + c.voice_channels, width)
        self.position = nn.Linear(2 * len(POSITION_PERIODS_S), width, bias=False)
        nn.init.zeros_(self.position.weight)
        self.context = nn.Sequential(
            *[ContextLayer(width, c.heads, c.dropout) for _ in range(c.context_layers)]
        )
        self.context_norm = nn.LayerNorm(width)
        self.context_out = nn.Linear(width, width)
        self.local = Residual(width, 1, c.dropout)
        self.classify = nn.Linear(width, len(POWERSET))
        membership = [[float(s in members) for s in range(MAX_SPEAKERS)] for members in POWERSET]
        self.register_buffer("membership", torch.tensor(membership), persistent=False)

    @property
    def embedding_dim(self) -> int:
        """Length of an embedding."""
        return self.config.embedding_dim

    def describe(self) -> dict:
        """What a checkpoint has to know to build the network again."""
        return asdict(self.config)

    def parameter_groups(self) -> list[tuple[list[nn.Parameter], float]]:
        """Parameters with the share of the learning rate that they are trained at."""
        return [(list(self.parameters()), 1.0)]

    def encode(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] -> class scores [batch, frames, 7], voice features
        [batch, frames, channels]."""
        raise NotImplementedError

    def _classified(self, shared: Tensor, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Frames [batch, channels, frames] that the encoder made of ``audio`` -> what ``encode``
        returns."""
        voice = self.voice_expand(self.voice_blocks(shared))
        # Of the audio: the exported graph then asks for no other shape.
        batch, frames = audio.shape[0], frames_of(audio.shape[1])
        context = self._in_context(shared, voice, batch)[:, :frames]
        known = F.relu(shared.transpose(1, 2) + context)
        local = known + self.local.branch(known.transpose(1, 2)).transpose(1, 2)
        return self.classify(local), voice.transpose(1, 2)

    def _in_context(self, shared: Tensor, voice: Tensor, batch: int) -> Tensor:
        """The context of each frame: what it learns of the whole window
        [batch, frames or one more, width]."""
        width = self.config.channels
        both = F.avg_pool1d(torch.cat([shared, voice], dim=1), 2, ceil_mode=True).transpose(1, 2)
        inputs = self.context_in(both.reshape(-1, self.context_in.in_features)).reshape(batch, -1, width)
        rows = (inputs + self.position(positions(inputs))).reshape(-1, width)
        for layer in self.context:
            rows = layer(rows, batch)
        context = self.context_out(self.context_norm(rows))
        return torch.cat([context, context], dim=1).reshape(batch, -1, width)

    def pool(self, voice: Tensor, weights: Tensor) -> Tensor:
        """Mean and deviation over weighted frames -> embeddings, not yet of unit length.

        ``voice`` [batch, frames, channels], ``weights`` [batch, frames, speakers] ->
        [batch, speakers, dim].
        """
        share = (weights / (weights.sum(dim=1, keepdim=True) + 1e-6)).transpose(1, 2)
        mean = torch.matmul(share, voice)
        square = torch.matmul(share, voice * voice)
        deviation = torch.sqrt(torch.clamp(square - mean * mean, min=1e-5))
        statistics = torch.cat([mean, deviation], dim=2)
        flat = self.voice_dropout(self.voice_norm(statistics.flatten(0, 1)))
        return self.voice_out(self.voice_project(flat)).reshape(-1, weights.shape[2], self.embedding_dim)

    def forward(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] -> activity [batch, frames, 3] and embedding [batch, 3, dim]."""
        scores, voice = self.encode(audio)
        classes = torch.softmax(scores, dim=2)
        activity = torch.matmul(classes, self.membership)
        solo = classes[:, :, 1 : 1 + MAX_SPEAKERS]
        # Doubtful frames are many and belong to others: together they would drown a short turn. A
        # speaker who only talks over others is still pooled, from overlapped frames.
        weights = solo * (solo > DOUBTFUL_BELOW).to(solo.dtype) + 1e-4 * activity
        pooled = self.pool(voice, weights)
        embedding = pooled / pooled.norm(dim=2, keepdim=True).clamp(min=1e-12)
        active = (activity.amax(dim=1) > SILENT_BELOW).to(embedding.dtype)
        return activity, embedding * active[:, :, None]
