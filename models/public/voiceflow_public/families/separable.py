"""What NeMo's speaker networks share: blocks of 1-D time-channel separable convolutions, as in
QuartzNet.

Kriman et al., "QuartzNet: Deep automatic speech recognition with 1D time-channel separable
convolutions", ICASSP 2020; the gates: Han et al., "ContextNet", Interspeech 2020.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BINS = 80
"""Mel bins of a feature frame."""

NORM_EPSILON = 1e-3
"""Epsilon of the encoder's batch norms."""

GATE_REDUCTION = 8
"""Channels of a gate for each one of its bottleneck."""

LONGEST = 12_288
"""Frames that a file takes at most: NeMo traces 8,192 and bakes 1.5 times as many numbers in."""


class FrameNumbers(nn.Module):
    """Frames before the end: [B, C, T] and ``lengths`` int64 [B] -> bool [B, 1, T]."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.register_buffer("numbers", torch.arange(longest, dtype=torch.float32))

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        numbers = self.numbers[: x.shape[-1]].expand(lengths.size(0), -1)
        return (numbers < lengths.unsqueeze(-1)).unsqueeze(1)


class Gate(nn.Module):
    """Squeeze-excitation over the valid frames; frames behind the end become 0."""

    def __init__(self, channels: int, frames: FrameNumbers) -> None:
        super().__init__()
        self.frames = frames
        bottleneck = max(channels // GATE_REDUCTION, 1)
        self.squeeze = nn.Linear(channels, bottleneck, bias=False)
        self.excite = nn.Linear(bottleneck, channels, bias=False)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        valid = self.frames(x, lengths)
        x = x.masked_fill(~valid, 0.0)
        mean = x.sum(dim=-1, keepdim=True) / valid.sum(dim=-1, keepdim=True).type(x.dtype)
        gate = self.excite(F.relu(self.squeeze(mean.transpose(1, -1)))).transpose(1, -1)
        return x * torch.sigmoid(gate)


class Block(nn.Module):
    """``repeat`` separable convolutions, a gate, a residual: [B, C, T] -> [B, C', T].

    ``masked`` clears the frames behind the end before every convolution. NeMo trains so and exports
    without.
    """

    def __init__(
        self,
        channels_in: int,
        channels: int,
        kernel: int,
        repeat: int,
        frames: FrameNumbers,
        gated: bool,
        residual: bool,
        masked: bool,
    ) -> None:
        super().__init__()
        self.frames = frames
        self.masked = masked
        sizes = [channels_in] + [channels] * repeat
        self.depthwise = nn.ModuleList(
            nn.Conv1d(size, size, kernel, padding=kernel // 2, groups=size, bias=False) for size in sizes[:-1]
        )
        self.pointwise = nn.ModuleList(nn.Conv1d(size, channels, 1, bias=False) for size in sizes[:-1])
        self.norms = nn.ModuleList(nn.BatchNorm1d(channels, eps=NORM_EPSILON) for _ in range(repeat))
        self.gate = Gate(channels, frames) if gated else None
        self.residual = nn.Conv1d(channels_in, channels, 1, bias=False) if residual else None
        self.residual_norm = nn.BatchNorm1d(channels, eps=NORM_EPSILON) if residual else None

    def mask(self, x: Tensor, lengths: Tensor) -> Tensor:
        return x * self.frames(x, lengths) if self.masked else x

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        y = x
        for index, (depthwise, pointwise, norm) in enumerate(
            zip(self.depthwise, self.pointwise, self.norms, strict=True)
        ):
            y = F.relu(y) if index > 0 else y
            y = depthwise(self.mask(y, lengths))
            y = norm(pointwise(self.mask(y, lengths)))
        if self.gate is not None:
            y = self.gate(y, lengths)
        if self.residual is not None and self.residual_norm is not None:
            y = y + self.residual_norm(self.residual(self.mask(x, lengths)))
        return F.relu(y)


class Encoder(nn.Module):
    """A head, residual blocks of growing kernels, a tail: [B, 80, T] -> [B, tail, T]."""

    HEAD_KERNEL = 3
    KERNELS = (7, 11, 15)

    def __init__(
        self,
        width: int,
        repeat: int,
        tail: int,
        frames: FrameNumbers,
        gated: bool,
        head_residual: bool,
        masked: bool,
    ) -> None:
        super().__init__()
        blocks = [Block(BINS, width, self.HEAD_KERNEL, 1, frames, gated, head_residual, masked)]
        blocks += [
            Block(width, width, kernel, repeat, frames, gated, True, masked) for kernel in self.KERNELS
        ]
        blocks.append(Block(width, tail, 1, 1, frames, gated, False, masked))
        self.blocks = nn.ModuleList(blocks)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        for block in self.blocks:
            x = block(x, lengths)
        return x
