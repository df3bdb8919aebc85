"""ResNet34 over the spectrogram as an image, the wespeaker recipe's r-vector network.

He et al., "Deep residual learning for image recognition", CVPR 2016; Zeinali et al., "BUT system
description to VoxCeleb speaker recognition challenge 2019" (r-vectors); Wang et al., "Wespeaker: a
research and production oriented speaker embedding learning toolkit", ICASSP 2023.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .pooling import TemporalStatistics

BINS = 80
"""Mel bins of a feature frame."""

STRIDES = (1, 2, 2, 2)
"""Stride of each stage's first block, in both axes."""


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut: [B, C, F, T] -> [B, C', F', T'].

    ``stride`` is that of the first convolution, in frequency and in time.
    """

    def __init__(self, channels_in: int, channels: int, stride: tuple[int, int]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != (1, 1) or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride=stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(y)) + self.shortcut(x))


class ResNet34(nn.Module):
    """``feats`` [B, T, 80] -> ``embs`` [B, dim].

    ``width`` is the number of channels of the first stage (published: 32), doubled by each stage
    after it; ``depth`` the number of blocks of each stage (published: 3, 4, 6, 3); ``dim`` the
    embedding's length (published: 256).
    """

    def __init__(self, width: int = 32, depth: tuple[int, ...] = (3, 4, 6, 3), dim: int = 256) -> None:
        super().__init__()
        self.dim = dim
        self.conv = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        blocks: list[nn.Module] = []
        channels, bins = width, BINS
        for stage, (count, stride) in enumerate(zip(depth, STRIDES, strict=True)):
            for index in range(count):
                step = stride if index == 0 else 1
                blocks.append(BasicBlock(channels, width << stage, (step, step)))
                channels = width << stage
            bins = -(-bins // stride)
        self.blocks = nn.Sequential(*blocks)
        self.pool = TemporalStatistics()
        self.embedding = nn.Linear(2 * channels * bins, dim)
        # wespeaker's exporter subtracts the training data's mean embedding inside the graph.
        self.register_buffer("mean", torch.zeros(dim))

    def forward(self, feats: Tensor) -> Tensor:
        image = feats.permute(0, 2, 1).unsqueeze(1)
        frames = self.blocks(F.relu(self.norm(self.conv(image))))
        return self.embedding(self.pool(frames)) - self.mean
