"""The shipped local diarizer: audio in, who talks in each frame and a voice embedding for each
talker out.

::

    audio ─> log-mel 20 ms ─> strided convolution (40 ms) ─> trunk ─┬──────────────────────────┬─> powerset
                                                                    ├─> context (80 ms) ───────┘      │
                                                                    │      ^                          v
                                                                    └─> voice ──> pooling over solo frames
                                                                                         └─> embedding

Context is self-attention over the window: who talks is a question of which far frames sound alike,
which no convolution reaches. It hears the voice branch, which is trained to tell people apart, and
knows where in the window a frame is, so that people who sound alike can be told apart by who came
first.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from .blocks import Residual, convolution
from .frontend import MEL_BANDS, LogMel, recoloured
from .heads import LocalDiarizer


@dataclass(frozen=True)
class FastCnnConfig:
    """Sizes of the network; the defaults are what ships."""

    channels: int = 176
    trunk_dilations: tuple[int, ...] = (1, 2, 3)
    voice_dilations: tuple[int, ...] = (2, 4)
    voice_channels: int = 320
    context_layers: int = 5
    heads: int = 4
    embedding_dim: int = 128
    dropout: float = 0.05


class FastCnn(LocalDiarizer):
    """Convolutions in front of the heads."""

    def __init__(self, config: FastCnnConfig | None = None):
        super().__init__(config or FastCnnConfig())
        c, width = self.config, self.config.channels
        self.features = LogMel()
        self.feature_norm = nn.BatchNorm1d(MEL_BANDS)
        self.stem = nn.Sequential(convolution(MEL_BANDS, 128, 3), convolution(128, width, 4, 2))
        self.trunk = nn.Sequential(*[Residual(width, d, c.dropout) for d in c.trunk_dilations])
        self._add_heads()

    def encode(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """[batch, samples] -> class scores [batch, frames, 7], voice features
        [batch, frames, channels]."""
        with torch.autocast(audio.device.type, enabled=False):
            features = self.features(audio)
            if self.training:
                features = recoloured(features)
        shared = self.trunk(self.stem(self.feature_norm(features)))
        return self._classified(shared, audio)
