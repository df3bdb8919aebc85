"""Layers that the networks share."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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
        return x + self.dropout(F.relu(self.norm(self.convolution(x))))


class Attention(nn.Module):
    """Multi-head self-attention over all frames (Vaswani et al., 2017), in plain products, which export."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.inward = nn.Linear(width, 3 * width)
        self.outward = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """[batch, frames, width] -> the same."""
        width = self.inward.in_features
        size = width // self.heads
        queries, keys, values = (
            part.reshape(part.shape[0], -1, self.heads, size).transpose(1, 2)
            for part in self.inward(x).split(width, dim=2)
        )
        alike = torch.matmul(queries * size**-0.5, keys.transpose(2, 3))
        heard = torch.matmul(torch.softmax(alike, dim=3), values).transpose(1, 2)
        return self.outward(heard.reshape(heard.shape[0], -1, width))


class ContextLayer(nn.Module):
    """Attention and a feed-forward part, each behind a layer norm and around a residual path."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.forward_norm = nn.LayerNorm(width)
        self.expand = nn.Linear(width, 2 * width)
        self.contract = nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.dropout(self.attention(self.attention_norm(x)))
        return x + self.dropout(self.contract(F.relu(self.expand(self.forward_norm(x)))))
