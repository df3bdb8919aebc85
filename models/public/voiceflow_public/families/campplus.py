"""CAM++: a densely connected TDNN whose layers are gated by the context of their segment and
utterance.

Wang et al., "CAM++: A fast and efficient network for speaker verification using context-aware
masking", Interspeech 2023.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .resnet import BINS, BasicBlock

SEGMENT_FRAMES = 100
"""Length of a pooled segment, in frames of the dense blocks (20 ms each)."""

HEAD_BLOCKS = 2
"""Residual blocks of each of the head's two stages."""

DILATIONS = (1, 2, 2)
"""Dilation of each dense block."""


def normalize(channels: int) -> nn.Sequential:
    """Batch norm and ReLU over [B, C, T]."""
    return nn.Sequential(nn.BatchNorm1d(channels), nn.ReLU())


class Head(nn.Module):
    """2-D convolutions that divide frequency by 8 and keep time: [B, 80, T] -> [B, 10 C, T]."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.blocks = nn.Sequential(
            *(
                BasicBlock(channels, channels, (2 if index == 0 else 1, 1))
                for _ in range(2)
                for index in range(HEAD_BLOCKS)
            )
        )
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=(2, 1), padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        image = self.blocks(F.relu(self.norm1(self.conv1(x.unsqueeze(1)))))
        image = F.relu(self.norm2(self.conv2(image)))
        batch, channels, bins, frames = image.shape
        return image.reshape(batch, channels * bins, frames)


def segment_means(x: Tensor) -> Tensor:
    """Replaces each frame of [B, C, T] by the mean of its segment; the last segment may be
    short."""
    means = F.avg_pool1d(x, kernel_size=SEGMENT_FRAMES, stride=SEGMENT_FRAMES, ceil_mode=True)
    batch, channels, segments = means.shape
    spread = (
        means.unsqueeze(-1).expand(batch, channels, segments, SEGMENT_FRAMES).reshape(batch, channels, -1)
    )
    return spread[..., : x.shape[-1]]


class DenseLayer(nn.Module):
    """A bottleneck and a dilated convolution, masked by context: [B, C, T] -> [B, growth, T]."""

    def __init__(self, channels: int, growth: int, bottleneck: int, dilation: int) -> None:
        super().__init__()
        self.norm1 = normalize(channels)
        self.linear = nn.Conv1d(channels, bottleneck, 1, bias=False)
        self.norm2 = normalize(bottleneck)
        self.local = nn.Conv1d(bottleneck, growth, 3, padding=dilation, dilation=dilation, bias=False)
        self.context1 = nn.Conv1d(bottleneck, bottleneck // 2, 1)
        self.context2 = nn.Conv1d(bottleneck // 2, growth, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm2(self.linear(self.norm1(x)))
        context = x.mean(-1, keepdim=True) + segment_means(x)
        mask = torch.sigmoid(self.context2(F.relu(self.context1(context))))
        return self.local(x) * mask


class DenseBlock(nn.Module):
    """Layers that each see the outputs of all before them: [B, C, T] ->
    [B, C + layers * growth, T]."""

    def __init__(self, layers: int, channels: int, growth: int, bottleneck: int, dilation: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            DenseLayer(channels + index * growth, growth, bottleneck, dilation) for index in range(layers)
        )

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat((x, layer(x)), dim=1)
        return x


class CamPlusPlus(nn.Module):
    """``x`` [N, T, 80] -> ``embedding`` [N, dim].

    ``width`` is the number of channels the TDNN starts with (published: 128); the head has a
    quarter of it (32), a dense layer adds a quarter (32) through a bottleneck of ``width``.
    ``depth`` is the number of layers of each dense block (published: 12, 24, 16); ``dim`` the
    embedding's length (published: 192 for Chinese, 512 for VoxCeleb).
    """

    def __init__(self, width: int = 128, depth: tuple[int, ...] = (12, 24, 16), dim: int = 192) -> None:
        super().__init__()
        self.dim = dim
        growth = width // 4
        self.head = Head(growth)
        self.tdnn = nn.Sequential(
            nn.Conv1d(growth * BINS // 8, width, 5, stride=2, padding=2, bias=False), normalize(width)
        )
        stages: list[nn.Module] = []
        channels = width
        for layers, dilation in zip(depth, DILATIONS, strict=True):
            stages.append(DenseBlock(layers, channels, growth, width, dilation))
            channels += layers * growth
            # The transit layer halves what the dense block has piled up.
            stages += [normalize(channels), nn.Conv1d(channels, channels // 2, 1, bias=False)]
            channels //= 2
        self.stages = nn.Sequential(*stages, normalize(channels))
        self.embedding = nn.Conv1d(2 * channels, dim, 1, bias=False)
        self.norm = nn.BatchNorm1d(dim, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        frames = self.stages(self.tdnn(self.head(x.permute(0, 2, 1))))
        statistics = torch.cat((frames.mean(dim=-1), frames.std(dim=-1, unbiased=True)), dim=-1)
        return self.norm(self.embedding(statistics.unsqueeze(-1)).squeeze(-1))
