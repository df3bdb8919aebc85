"""The Conformer (Gulati et al., Interspeech 2020): attention for what is far, convolution for what
is near.

::

    log-mel 20 ms ─> two convolutions (40 ms) ─> blocks of: ½ feed-forward, attention, convolution,
                                                            ½ feed-forward
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .frontend import MEL_BANDS, LogMel


@dataclass(frozen=True)
class ConformerConfig:
    """Sizes of the encoder; the defaults are for training on GPUs."""

    width: int = 512
    blocks: int = 13
    heads: int = 8
    kernel: int = 31
    """Frames that a convolution module sees, an odd number; 31 are 1.2 s."""
    subsampling_channels: int = 128
    dropout: float = 0.1

    def __post_init__(self):
        if self.width % (2 * self.heads):
            raise ValueError(
                f"width: expected a multiple of twice the {self.heads} heads, found {self.width}"
            )
        if self.kernel % 2 == 0:
            raise ValueError(f"kernel: expected an odd number of frames, found {self.kernel}")


class Conformer(nn.Module):
    """[batch, samples] -> [batch, samples / 640, width]."""

    def __init__(self, config: ConformerConfig):
        super().__init__()
        self.width = config.width
        self.features = LogMel()
        self.feature_norm = nn.BatchNorm1d(MEL_BANDS)
        self.subsampling = Subsampling(config.subsampling_channels, config.width)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.ModuleList([ConformerBlock(config) for _ in range(config.blocks)])

    def forward(self, audio: Tensor) -> Tensor:
        with torch.autocast(audio.device.type, enabled=False):
            features = self.features(audio)
        x = self.dropout(self.subsampling(self.feature_norm(features)))
        distances = distance_code(x.shape[1], self.width, x.device)
        for block in self.blocks:
            x = block(x, distances)
        return x


class Subsampling(nn.Module):
    """Two convolutions over time and frequency, the first of stride 2 in time: 20 ms in, 40 ms
    out."""

    def __init__(self, channels: int, width: int):
        super().__init__()
        self.first = nn.Conv2d(1, channels, (3, 4), stride=(2, 2), padding=(1, 1))
        self.second = nn.Conv2d(channels, channels, 3, stride=(2, 1), padding=1)
        self.size = channels * (MEL_BANDS // 4)
        self.project = nn.Linear(self.size, width)

    def forward(self, features: Tensor) -> Tensor:
        """[batch, bands, frames] -> [batch, frames / 2, width]."""
        x = F.relu(self.second(F.relu(self.first(features[:, None]))))
        return self.project(x.permute(0, 3, 1, 2).reshape(x.shape[0], -1, self.size))


class ConformerBlock(nn.Module):
    """Two halves of a feed-forward part around attention and convolution, and a layer norm at the
    end."""

    def __init__(self, config: ConformerConfig):
        super().__init__()
        self.before = feed_forward(config.width, config.dropout)
        self.attention_norm = nn.LayerNorm(config.width)
        self.attention = RelativeAttention(config.width, config.heads)
        self.convolution = ConvolutionModule(config.width, config.kernel)
        self.after = feed_forward(config.width, config.dropout)
        self.norm = nn.LayerNorm(config.width)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Tensor, distances: Tensor) -> Tensor:
        """[batch, frames, width], [2 frames - 1, width] -> [batch, frames, width]."""
        x = x + 0.5 * self.before(x)
        x = x + self.dropout(self.attention(self.attention_norm(x), distances))
        x = x + self.dropout(self.convolution(x))
        return self.norm(x + 0.5 * self.after(x))


def feed_forward(width: int, dropout: float) -> nn.Sequential:
    """Layer norm, four times the width, back."""
    return nn.Sequential(
        nn.LayerNorm(width),
        nn.Linear(width, 4 * width),
        nn.SiLU(),
        nn.Dropout(dropout),
        nn.Linear(4 * width, width),
        nn.Dropout(dropout),
    )


class ConvolutionModule(nn.Module):
    """Gated pointwise convolution, depthwise convolution, pointwise convolution."""

    def __init__(self, width: int, kernel: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.gate = nn.Linear(width, 2 * width)
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width, bias=False)
        self.depthwise_norm = nn.BatchNorm1d(width)
        self.outward = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, frames, width] -> the same."""
        x = F.glu(self.gate(self.norm(x)), dim=2).transpose(1, 2)
        return self.outward(F.silu(self.depthwise_norm(self.depthwise(x))).transpose(1, 2))


class RelativeAttention(nn.Module):
    """Multi-head attention that knows how far apart two frames are (Dai et al., Transformer-XL, ACL
    2019)."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.inward = nn.Linear(width, 3 * width)
        self.distance = nn.Linear(width, width, bias=False)
        self.outward = nn.Linear(width, width)
        self.content_bias = nn.Parameter(torch.zeros(heads, 1, self.size))
        self.distance_bias = nn.Parameter(torch.zeros(heads, 1, self.size))

    def forward(self, x: Tensor, distances: Tensor) -> Tensor:
        """[batch, frames, width], [2 frames - 1, width] -> [batch, frames, width]."""
        width = self.heads * self.size
        queries, keys, values = (
            part.reshape(part.shape[0], -1, self.heads, self.size).transpose(1, 2)
            for part in self.inward(x).split(width, dim=2)
        )
        codes = self.distance(distances).reshape(-1, self.heads, self.size).permute(1, 2, 0)
        content = torch.matmul(queries + self.content_bias, keys.transpose(2, 3))
        distance = by_pair(torch.matmul(queries + self.distance_bias, codes))
        weights = torch.softmax((content + distance) * self.size**-0.5, dim=3)
        attended = torch.matmul(weights, values).transpose(1, 2)
        return self.outward(attended.reshape(attended.shape[0], -1, width))


def by_pair(scores: Tensor) -> Tensor:
    """Scores by distance [batch, heads, T, 2 T - 1] -> by pair of frames [batch, heads, T, T].

    Column d stands for the distance T - 1 - d, so that row t wants the columns from T - 1 - t on. A
    column put before the others makes rows of 2 T; cut into rows of T and read from the second on,
    row t of 2 T - 1 begins t entries earlier than the one before it.
    """
    batch, heads, frames = scores.shape[:3]
    padded = F.pad(scores, (1, 0)).reshape(batch, heads, -1, frames)
    return padded[:, :, 1:].reshape(batch, heads, frames, -1)[:, :, :, :frames]


def distance_code(frames: int, width: int, device: torch.device) -> Tensor:
    """Sines and cosines of the distances frames - 1 down to 1 - frames: [2 frames - 1, width]."""
    ahead = torch.arange(frames, device=device)
    distance = torch.cat([ahead.flip(0), -ahead[1:]])
    rates = torch.exp(torch.arange(0, width, 2, device=device) * (-math.log(10_000.0) / width))
    angle = distance[:, None] * rates
    return torch.cat([torch.sin(angle), torch.cos(angle)], dim=1)
