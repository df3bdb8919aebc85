"""Layers that the networks share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NEIGHBOUR_FRAMES = 11
"""0.9 s at 80 ms."""


def convolution(inputs: int, outputs: int, width: int, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU; the length is kept, or divided by the stride."""
    padding = (width - stride + 1) // 2
    layer = nn.Conv1d(inputs, outputs, width, stride=stride, padding=padding, bias=False)
    return nn.Sequential(layer, nn.BatchNorm1d(outputs), nn.ReLU())


class Residual(nn.Module):
    """x + f(x), f a dilated convolution of width 3 with batch norm."""

    def __init__(self, channels: int, dilation: int, dropout: float):
        super().__init__()
        self.convolution = nn.Conv1d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False)
        self.norm = nn.BatchNorm1d(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.branch(x)

    def branch(self, x: Tensor) -> Tensor:
        """What is added: [batch, channels, frames] -> the same."""
        return self.dropout(F.relu(self.norm(self.convolution(x))))


class Attention(nn.Module):
    """Multi-head self-attention over all frames (Vaswani et al., 2017), in plain products, which
    export."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.inward = nn.Linear(width, 3 * width)
        self.outward = nn.Linear(width, width)

    def forward(self, rows: Tensor, batch: int) -> Tensor:
        """[batch * frames, width] -> the same."""
        width = self.inward.in_features
        size = width // self.heads
        # Three products instead of one that is cut in three afterwards, which would copy all of it.
        queries, keys, values = (
            F.linear(rows, weight, bias).reshape(batch, -1, self.heads, size).transpose(1, 2)
            for weight, bias in zip(self.inward.weight.chunk(3), self.inward.bias.chunk(3), strict=True)
        )
        alike = torch.matmul(queries * size**-0.5, keys.transpose(2, 3))
        attended = torch.matmul(torch.softmax(alike, dim=3), values).transpose(1, 2)
        return self.outward(attended.reshape(-1, width))


class Neighbours(nn.Module):
    """Every channel filtered over time by weights of its own; nothing, before it is trained."""

    def __init__(self, width: int, frames: int):
        super().__init__()
        self.filter = nn.Conv1d(width, width, frames, padding=frames // 2, groups=width, bias=False)
        nn.init.zeros_(self.filter.weight)

    def forward(self, rows: Tensor, batch: int) -> Tensor:
        """[batch * frames, width] -> the same."""
        width = self.filter.in_channels
        frames = rows.reshape(batch, -1, width).transpose(1, 2)
        return self.filter(frames).transpose(1, 2).reshape(-1, width)


class ContextLayer(nn.Module):
    """A filter over time, attention and a feed-forward part, each around a residual path; at first
    nothing.

    Attention knows no order of frames; the filter shows it which are neighbours (as the
    convolutions of the Conformer do: Gulati et al., Interspeech 2020). The frames of all windows
    are rows of one matrix, whose products with weights ONNX Runtime makes in one step with their
    bias, in eight bits too.
    """

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.neighbours = Neighbours(width, NEIGHBOUR_FRAMES)
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.forward_norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.contract = nn.Linear(2 * width, width)
        for last in (self.attention.outward, self.contract):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, rows: Tensor, batch: int) -> Tensor:
        """[batch * frames, width] -> the same."""
        rows = rows + self.neighbours(rows, batch)
        rows = rows + self.dropout(self.attention(self.attention_norm(rows), batch))
        return rows + self.dropout(self.contract(F.relu(self.expand(self.forward_norm(rows)))))
