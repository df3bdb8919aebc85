"""The shipped local diarizer: audio in, who talks in each frame and a voice embedding for each talker out.

::

    audio ─> log-mel 20 ms ─> strided convolution (40 ms) ─> trunk ─┬──────────────────────────┬─> powerset
                                                                    ├─> context (80 ms) ───────┘      │
                                                                    │      ^                          v
                                                                    └─> voice ──> pooling over solo frames
                                                                                         └─> embedding

Context is self-attention over the window: who talks is a question of which far frames sound alike, which no
convolution reaches. It hears the voice branch, which is trained to tell people apart.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layout import MAX_SPEAKERS, POWERSET, frames_of
from .blocks import ContextLayer, Residual, convolution
from .frontend import MEL_BANDS, LogMel

DOUBTFUL_BELOW = 0.3
"""Frames in which a speaker talks alone with less probability than this do not count for the voice."""

SILENT_BELOW = 0.1
"""A local speaker whose activity never reaches this is silent: its embedding is zero."""


@dataclass(frozen=True)
class FastCnnConfig:
    """Sizes of the network; the defaults are what ships."""

    channels: int = 176
    trunk_dilations: tuple[int, ...] = (1, 2, 3)
    voice_dilations: tuple[int, ...] = (2, 4)
    voice_channels: int = 320
    context_layers: int = 3
    heads: int = 4
    embedding_dim: int = 128
    dropout: float = 0.05


class FastCnn(nn.Module):
    """``forward`` is the model contract; ``encode`` and ``pool`` serve training."""

    def __init__(self, config: FastCnnConfig | None = None):
        super().__init__()
        self.config = config or FastCnnConfig()
        c, width = self.config, self.config.channels
        self.features = LogMel()
        self.feature_norm = nn.BatchNorm1d(MEL_BANDS)
        self.stem = nn.Sequential(convolution(MEL_BANDS, 128, 3), convolution(128, width, 4, 2))
        self.trunk = nn.Sequential(*[Residual(width, d, c.dropout) for d in c.trunk_dilations])
        self.voice_blocks = nn.Sequential(*[Residual(width, d, c.dropout) for d in c.voice_dilations])
        self.voice_expand = convolution(width, c.voice_channels, 1)
        self.voice_norm = nn.BatchNorm1d(2 * c.voice_channels)
        self.voice_project = nn.Linear(2 * c.voice_channels, c.embedding_dim)
        self.voice_out = nn.BatchNorm1d(c.embedding_dim)
        self.context_in = nn.Linear(width + c.voice_channels, width)
        self.context = nn.Sequential(
            *[ContextLayer(width, c.heads, c.dropout) for _ in range(c.context_layers)], nn.LayerNorm(width)
        )
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

    def encode(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] -> class scores [batch, frames, 7], voice features [batch, channels, frames]."""
        with torch.autocast(audio.device.type, enabled=False):
            features = self.features(audio)
        shared = self.trunk(self.stem(self.feature_norm(features)))
        voice = self.voice_expand(self.voice_blocks(shared))
        local = self._in_context(shared, voice, frames_of(audio.shape[1]))
        return self.classify(local.transpose(1, 2)), voice

    def _in_context(self, shared: Tensor, voice: Tensor, frames: int) -> Tensor:
        """Frames [batch, width, frames] that know the whole window."""
        both = F.avg_pool1d(torch.cat([shared, voice], dim=1), 2, ceil_mode=True)
        around = self.context_out(self.context(self.context_in(both.transpose(1, 2))))
        twice = torch.cat([around, around], dim=2)
        around = twice.reshape(twice.shape[0], -1, self.config.channels)[:, :frames]
        return self.local(F.relu(shared + around.transpose(1, 2)))

    def pool(self, voice: Tensor, weights: Tensor) -> Tensor:
        """Mean and deviation over weighted frames -> embeddings, not yet of unit length.

        ``voice`` [batch, channels, frames], ``weights`` [batch, frames, speakers] -> [batch, speakers, dim].
        """
        share = weights / (weights.sum(dim=1, keepdim=True) + 1e-6)
        mean = torch.matmul(voice, share).transpose(1, 2)
        square = torch.matmul(voice * voice, share).transpose(1, 2)
        deviation = torch.sqrt(torch.clamp(square - mean * mean, min=1e-5))
        statistics = torch.cat([mean, deviation], dim=2)
        flat = self.voice_norm(statistics.flatten(0, 1))
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
        pooled = self.pool(voice, weights)
        embedding = pooled / pooled.norm(dim=2, keepdim=True).clamp(min=1e-12)
        heard = (activity.amax(dim=1) > SILENT_BELOW).to(embedding.dtype)
        return activity, embedding * heard[:, :, None]
