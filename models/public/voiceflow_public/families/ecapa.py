"""ECAPA-TDNN: 1-D Res2 blocks with squeeze-excitation, attentive statistics pooling with global
context.

Desplanques et al., "ECAPA-TDNN: Emphasized channel attention, propagation and aggregation in TDNN
based speaker verification", Interspeech 2020. Sizes as in the wespeaker recipe
ECAPA_TDNN_GLOB_c512.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .resnet import BINS

SCALE = 8
"""Groups of channels of a Res2 convolution."""

DILATIONS = (2, 3, 4)
"""Dilation of each block's Res2 convolution."""

VARIANCE_FLOOR = 1e-10
"""Keeps the roots of the pooled variances away from 0."""


class Tdnn(nn.Module):
    """Convolution, ReLU, batch norm, in this order: [B, C, T] -> [B, C', T]."""

    def __init__(self, channels_in: int, channels: int, kernel: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv1d(
            channels_in, channels, kernel, padding=kernel // 2 * dilation, dilation=dilation
        )
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(F.relu(self.conv(x)))


class Res2Conv(nn.Module):
    """Convolves groups of channels in a row, each joined by the one before; the last passes
    through.

    Gao et al., "Res2Net: A new multi-scale backbone architecture", TPAMI 2021.
    """

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.width = channels // SCALE
        self.layers = nn.ModuleList(Tdnn(self.width, self.width, 3, dilation) for _ in range(SCALE - 1))

    def forward(self, x: Tensor) -> Tensor:
        groups = torch.split(x, self.width, dim=1)
        outputs: list[Tensor] = []
        for layer, group in zip(self.layers, groups[:-1], strict=True):
            outputs.append(layer(group + outputs[-1] if outputs else group))
        return torch.cat([*outputs, groups[-1]], dim=1)


class SqueezeExcitation(nn.Module):
    """Weights channels by a gate computed from their means over time.

    Hu et al., "Squeeze-and-excitation networks", CVPR 2018.
    """

    def __init__(self, channels: int, bottleneck: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(channels, bottleneck)
        self.excite = nn.Linear(bottleneck, channels)

    def forward(self, x: Tensor) -> Tensor:
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(x.mean(dim=2)))))
        return x * gate.unsqueeze(2)


class AttentiveStatistics(nn.Module):
    """Mean and deviation weighted by an attention over time for every channel: [B, C, T] ->
    [B, 2 C].

    The attention sees each frame together with the whole utterance's mean and deviation.
    """

    def __init__(self, channels: int, bottleneck: int) -> None:
        super().__init__()
        self.hidden = nn.Conv1d(3 * channels, bottleneck, 1)
        self.score = nn.Conv1d(bottleneck, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean(dim=-1, keepdim=True)
        deviation = torch.sqrt(x.var(dim=-1, keepdim=True, unbiased=True) + VARIANCE_FLOOR)
        context = torch.cat((x, mean.expand_as(x), deviation.expand_as(x)), dim=1)
        attention = torch.softmax(self.score(torch.tanh(self.hidden(context))), dim=2)
        weighted = torch.sum(attention * x, dim=2)
        variance = torch.sum(attention * x**2, dim=2) - weighted**2
        return torch.cat((weighted, torch.sqrt(variance.clamp(min=VARIANCE_FLOOR))), dim=1)


class EcapaTdnn(nn.Module):
    """``feats`` [B, T, 80] -> ``embs`` [B, dim].

    ``width`` is the number of channels, a multiple of 8 (published: 512); ``bottleneck`` that of
    the gates and of the pooling's attention (published: 128); ``dim`` the embedding's length
    (published: 192).
    """

    def __init__(self, width: int = 512, bottleneck: int = 128, dim: int = 192) -> None:
        super().__init__()
        self.dim = dim
        self.head = Tdnn(BINS, width, 5)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                Tdnn(width, width),
                Res2Conv(width, dilation),
                Tdnn(width, width),
                SqueezeExcitation(width, bottleneck),
            )
            for dilation in DILATIONS
        )
        total = width * len(DILATIONS)
        self.aggregate = nn.Conv1d(total, total, 1)
        self.pool = AttentiveStatistics(total, bottleneck)
        self.norm = nn.BatchNorm1d(2 * total)
        self.embedding = nn.Linear(2 * total, dim)
        self.register_buffer("mean", torch.zeros(dim))

    def forward(self, feats: Tensor) -> Tensor:
        x = self.head(feats.permute(0, 2, 1))
        outputs: list[Tensor] = []
        for block in self.blocks:
            x = x + block(x)
            outputs.append(x)
        frames = F.relu(self.aggregate(torch.cat(outputs, dim=1)))
        return self.embedding(self.norm(self.pool(frames))) - self.mean
