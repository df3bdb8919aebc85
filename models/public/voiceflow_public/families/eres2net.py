"""ERes2Net and ERes2NetV2: Res2Net over the spectrogram, with attention within blocks and between
stages.

Chen et al., "An enhanced Res2Net with local and global feature fusion for speaker verification",
Interspeech 2023; Chen et al., "ERes2NetV2: Boosting short-duration speaker verification performance
with computational efficiency", Interspeech 2024. The fusion: Dai et al., "Attentional feature
fusion", WACV 2021.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .pooling import TemporalStatistics
from .resnet import BINS, STRIDES

EXPANSION = 2
"""Output channels of a block for each of its nominal channels."""

SCALE = 2
"""Groups of channels of a block's Res2 convolution."""

FUSION_REDUCTION = 4
"""Channels of a fusion for each one of its bottleneck."""

CEILING = 20.0
"""Activations are clipped to [0, 20]."""


def clipped(x: Tensor) -> Tensor:
    """ReLU with a ceiling."""
    return F.hardtanh(x, 0.0, CEILING)


class Fusion(nn.Module):
    """Adds two maps [B, C, F, T] with weights a and 2 - a that a small network computes from
    both."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        bottleneck = max(channels // FUSION_REDUCTION, 1)
        self.attention = nn.Sequential(
            nn.Conv2d(2 * channels, bottleneck, 1),
            nn.BatchNorm2d(bottleneck),
            nn.SiLU(),
            nn.Conv2d(bottleneck, channels, 1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        weight = 1.0 + torch.tanh(self.attention(torch.cat((x, y), dim=1)))
        return x * weight + y * (2.0 - weight)


class Block(nn.Module):
    """A bottleneck of two groups of channels in a row: [B, C, F, T] -> [B, 2 C', F', T'].

    ``base_width`` / 64 is a group's share of ``channels``; ``fused`` joins the groups by attention,
    not by a sum.
    """

    def __init__(self, channels_in: int, channels: int, stride: int, base_width: int, fused: bool) -> None:
        super().__init__()
        self.width = channels * base_width // 64
        outputs = channels * EXPANSION
        self.conv1 = nn.Conv2d(channels_in, self.width * SCALE, 1, stride=stride, bias=False)
        self.norm1 = nn.BatchNorm2d(self.width * SCALE)
        self.convs = nn.ModuleList(
            nn.Conv2d(self.width, self.width, 3, padding=1, bias=False) for _ in range(SCALE)
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(self.width) for _ in range(SCALE))
        self.fusions = nn.ModuleList(Fusion(self.width) for _ in range(SCALE - 1)) if fused else None
        self.conv2 = nn.Conv2d(self.width * SCALE, outputs, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )

    def forward(self, x: Tensor) -> Tensor:
        groups = torch.split(clipped(self.norm1(self.conv1(x))), self.width, dim=1)
        outputs: list[Tensor] = []
        for index, (conv, norm) in enumerate(zip(self.convs, self.norms, strict=True)):
            group = groups[index]
            if outputs:
                fuse = self.fusions[index - 1] if self.fusions is not None else torch.add
                group = fuse(outputs[-1], group)
            outputs.append(clipped(norm(conv(group))))
        return clipped(self.norm2(self.conv2(torch.cat(outputs, dim=1))) + self.shortcut(x))


class ERes2Net(nn.Module):
    """``x`` [N, T, 80] -> ``embedding`` [N, dim].

    ``width`` is the number of nominal channels of the first stage (published: 32 base, 64 large),
    doubled by each stage after it; ``depth`` the number of blocks of each stage (published: 3, 4,
    6, 3); ``dim`` the embedding's length (published: 192 or 512). ``base_width`` / 64 is a channel
    group's share of a block. ``fused_stages`` is the number of stages, from the last, whose outputs
    are fused: 4 here, 2 in ERes2NetV2.
    """

    def __init__(
        self,
        width: int = 32,
        depth: tuple[int, ...] = (3, 4, 6, 3),
        dim: int = 192,
        base_width: int = 32,
        fused_stages: int = 4,
    ) -> None:
        super().__init__()
        self.dim = dim
        self.conv = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.stages = nn.ModuleList()
        channels, bins = width, BINS
        for stage, (count, stride) in enumerate(zip(depth, STRIDES, strict=True)):
            blocks: list[nn.Module] = []
            for index in range(count):
                # The first two stages, whose maps are large, join their groups by a plain sum.
                block = Block(
                    channels, width << stage, stride if index == 0 else 1, base_width, fused=stage >= 2
                )
                blocks.append(block)
                channels = (width << stage) * EXPANSION
            self.stages.append(nn.Sequential(*blocks))
            bins = -(-bins // stride)
        self.first_fused = len(depth) - fused_stages
        outputs = [(width << stage) * EXPANSION for stage in range(self.first_fused, len(depth))]
        self.downsamples = nn.ModuleList(
            nn.Conv2d(below, above, 3, stride=2, padding=1, bias=False)
            for below, above in zip(outputs, outputs[1:], strict=False)
        )
        self.fusions = nn.ModuleList(Fusion(above) for above in outputs[1:])
        self.pool = TemporalStatistics()
        self.embedding = nn.Linear(2 * channels * bins, dim)

    def forward(self, x: Tensor) -> Tensor:
        image = F.relu(self.norm(self.conv(x.permute(0, 2, 1).unsqueeze(1))))
        maps: list[Tensor] = []
        for stage in self.stages:
            image = stage(image)
            maps.append(image)
        fused, *above = maps[self.first_fused :]
        for downsample, fusion, output in zip(self.downsamples, self.fusions, above, strict=True):
            fused = fusion(output, downsample(fused))
        return self.embedding(self.pool(fused))


class ERes2NetV2(ERes2Net):
    """``x`` [N, T, 80] -> ``embedding`` [N, dim]: wider, thinner groups, only the last two stages
    fused.

    Published: ``width`` 64, ``depth`` 3, 4, 6, 3, ``dim`` 192, groups of 26 / 64.
    """

    def __init__(self, width: int = 64, depth: tuple[int, ...] = (3, 4, 6, 3), dim: int = 192) -> None:
        super().__init__(width, depth, dim, base_width=26, fused_stages=2)
