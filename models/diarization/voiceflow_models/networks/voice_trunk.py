"""CAM++ with any width at any place: the voice half of a fast model, pruned from the published
network.

Wang et al., "CAM++: A fast and efficient network for speaker verification using context-aware
masking", Interspeech 2023. The published masks see the mean of the whole crop beside that of their
segment of 2 s. Here they may see their segment alone: what a frame becomes then depends on a
bounded stretch of audio around it, so that frames can be computed once, kept, and pooled for any
window and any speaker.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from voiceflow_public.families.campplus import DILATIONS, Head, normalize
from voiceflow_public.families.resnet import BINS

HEAD_DIVISOR = 8
"""The head divides the number of mel bins by this."""

PUBLISHED_SEGMENT = 100
"""Frames of 20 ms in a segment of the published network."""

AFTER_HEAD = 2
"""Where the published network goes from frames of 10 ms to frames of 20 ms."""

SECOND_FRAMES = 50
"""Frames of 20 ms in a second."""


@dataclass(frozen=True)
class Widths:
    """How many channels each part has. The defaults are the published network."""

    head: int = 32
    """Of the 2-D convolutions."""
    tdnn: int = 128
    """Of the layer that halves the frame rate."""
    layers: tuple[tuple[tuple[int, int], ...], ...] = tuple(((128, 32),) * count for count in (12, 24, 16))
    """Of each layer of each dense block: the bottleneck, and what the layer adds."""
    transits: tuple[int, ...] = (256, 512, 512)
    """What is left after each dense block."""
    dim: int = 192
    segment: int = PUBLISHED_SEGMENT
    """Frames of 20 ms that a mask sees."""
    halving: int = AFTER_HEAD
    """Where frames of 10 ms become frames of 20 ms: in the head's stage 0 or 1, or after it."""
    whole_crop: bool = True
    """Whether masks see the mean of the whole crop too, as published; else context is bounded."""

    def as_metadata(self) -> dict[str, Any]:
        """Plain values, which ``from_metadata`` reads."""
        return asdict(self)

    @staticmethod
    def from_metadata(values: dict[str, Any]) -> Widths:
        """What ``as_metadata`` gave, also after a trip through JSON or a checkpoint."""
        layers = tuple(tuple((int(b), int(g)) for b, g in block) for block in values["layers"])
        return Widths(**{**values, "layers": layers, "transits": tuple(values["transits"])})


def uniform(
    head: int, tdnn: int, depth: tuple[int, ...], bottleneck: int, growth: int, **more: Any
) -> Widths:
    """The same layer throughout each block; a transit leaves half of what its block has piled
    up."""
    channels, transits = tdnn, []
    for count in depth:
        channels = (channels + count * growth) // 2
        transits.append(channels)
    layers = tuple(((bottleneck, growth),) * count for count in depth)
    return Widths(head, tdnn, layers, tuple(transits), **more)


class EarlyHead(Head):
    """The head, with frames of 20 ms from stage ``halving`` on: [B, 80, T] -> [B, 10 C, T / 2]."""

    def __init__(self, channels: int, halving: int) -> None:
        super().__init__(channels)
        first = self.blocks[2 * halving]
        first.conv1.stride = first.shortcut[0].stride = (2, 2)


class MaskedLayer(nn.Module):
    """A bottleneck and a dilated convolution, masked by context: [B, C, T] -> [B, growth, T]."""

    def __init__(self, channels: int, bottleneck: int, growth: int, dilation: int, widths: Widths) -> None:
        super().__init__()
        self.segment, self.whole_crop = widths.segment, widths.whole_crop
        self.norm1 = normalize(channels)
        self.linear = nn.Conv1d(channels, bottleneck, 1, bias=False)
        self.norm2 = normalize(bottleneck)
        self.local = nn.Conv1d(bottleneck, growth, 3, padding=dilation, dilation=dilation, bias=False)
        self.context1 = nn.Conv1d(bottleneck, bottleneck // 2, 1)
        self.context2 = nn.Conv1d(bottleneck // 2, growth, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm2(self.linear(self.norm1(x)))
        means = F.avg_pool1d(x, kernel_size=self.segment, stride=self.segment, ceil_mode=True)
        # Bounded, the segment stands for the crop: the mask's weights keep the scale they were
        # trained at.
        context = means + (x.mean(-1, keepdim=True) if self.whole_crop else means)
        mask = torch.sigmoid(self.context2(F.relu(self.context1(context))))
        spread = mask.unsqueeze(-1).expand(-1, -1, -1, self.segment).flatten(2)
        return self.local(x) * spread[..., : x.shape[-1]]


class MaskedBlock(nn.Module):
    """Layers that each see the outputs of all before them: [B, C, T] ->
    [B, C + sum of growths, T]."""

    def __init__(self, channels: int, sizes: tuple[tuple[int, int], ...], dilation: int, widths: Widths):
        super().__init__()
        self.layers = nn.ModuleList()
        for bottleneck, growth in sizes:
            self.layers.append(MaskedLayer(channels, bottleneck, growth, dilation, widths))
            channels += growth

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat((x, layer(x)), dim=1)
        return x


class VoiceTrunk(nn.Module):
    """Kaldi features less their mean [B, T, 80] -> frames [B, C, T / 2] -> embeddings [B, dim]."""

    def __init__(self, widths: Widths | None = None) -> None:
        super().__init__()
        self.widths = widths = widths or Widths()
        early = widths.halving < AFTER_HEAD
        self.head = EarlyHead(widths.head, widths.halving) if early else Head(widths.head)
        rows = widths.head * BINS // HEAD_DIVISOR
        self.tdnn = nn.Sequential(
            nn.Conv1d(rows, widths.tdnn, 5, stride=1 if early else 2, padding=2, bias=False),
            normalize(widths.tdnn),
        )
        self.blocks, self.transits = nn.ModuleList(), nn.ModuleList()
        channels = widths.tdnn
        for sizes, left, dilation in zip(widths.layers, widths.transits, DILATIONS, strict=True):
            self.blocks.append(MaskedBlock(channels, sizes, dilation, widths))
            channels += sum(growth for _, growth in sizes)
            self.transits.append(nn.Sequential(normalize(channels), nn.Conv1d(channels, left, 1, bias=False)))
            channels = left
        self.norm_frames = normalize(channels)
        self.embedding = nn.Conv1d(2 * channels, widths.dim, 1, bias=False)
        self.norm = nn.BatchNorm1d(widths.dim, affine=False)

    def forward(self, x: Tensor) -> Tensor:
        """Embeddings, not of unit length, of whole crops."""
        return self.pooled(self.stages(x)[-1])

    def stages(self, x: Tensor) -> list[Tensor]:
        """What each transit leaves [B, C, T / 2]; the last of them are the frames."""
        frames = self.tdnn(self.head(x.permute(0, 2, 1)))
        left = []
        for block, transit in zip(self.blocks, self.transits, strict=True):
            frames = transit(block(frames))
            left.append(frames)
        left[-1] = self.norm_frames(frames)
        return left

    def pooled(self, frames: Tensor) -> Tensor:
        """The embedding [B, dim] of frames [B, C, T / 2]: their mean and deviation, projected."""
        statistics = torch.cat((frames.mean(dim=-1), frames.std(dim=-1, unbiased=True)), dim=-1)
        return self.norm(self.embedding(statistics.unsqueeze(-1)).squeeze(-1))


def second_means(x: Tensor) -> Tensor:
    """Means over each second, the last of which may be short: [B, C, T] -> [B, C, seconds]."""
    return F.avg_pool1d(x, kernel_size=SECOND_FRAMES, stride=SECOND_FRAMES, ceil_mode=True)
