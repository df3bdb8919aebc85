"""SpeakerNet: QuartzNet's encoder and statistics pooling.

Koluguri et al., "SpeakerNet: 1D depth-wise separable convolutional network for text-independent
speaker recognition and verification", arXiv:2010.12653, 2020.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .separable import LONGEST, Encoder, FrameNumbers

VARIANCE_FLOOR = 1e-10
"""Smallest variance of the pooling."""


class MaskedStatistics(nn.Module):
    """Mean and unbiased deviation of the valid frames: [B, C, T] -> [B, 2 C]."""

    def __init__(self, frames: FrameNumbers) -> None:
        super().__init__()
        self.frames = frames

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        valid = self.frames(x, lengths)
        count = lengths.unsqueeze(-1).type(x.dtype)
        mean = x.masked_fill(~valid, 0.0).sum(dim=-1) / count
        squares = (x - mean.unsqueeze(-1)).masked_fill(~valid, 0.0).pow(2.0).sum(dim=-1)
        deviation = (squares / (count - 1.0)).clamp(min=VARIANCE_FLOOR).sqrt()
        return torch.cat((mean, deviation), dim=-1)


class SpeakerNet(nn.Module):
    """``audio_signal`` [B, 80, T], ``length`` int64 [B] -> ``logits`` [B, speakers], ``embs``
    [B, dim].

    ``width`` is the number of channels (published: 512) and ``tail`` those of the last layer
    (published: 1500); ``depth`` the number of convolutions of a block (published: 2); ``dim`` the
    embedding's length (published: 256); ``speakers`` those of the training data (published: 7,205).
    ``longest`` is the number of frames a file takes at most.
    """

    def __init__(
        self,
        width: int = 512,
        tail: int = 1500,
        depth: int = 2,
        dim: int = 256,
        speakers: int = 7_205,
        longest: int = LONGEST,
        masked: bool = False,
    ) -> None:
        super().__init__()
        self.dim = dim
        frames = FrameNumbers(longest)
        self.encoder = Encoder(width, depth, tail, frames, gated=False, head_residual=True, masked=masked)
        self.pool = MaskedStatistics(frames)
        self.embedding = nn.Linear(2 * tail, dim)
        self.norm = nn.BatchNorm1d(dim, affine=False)
        self.classifier = nn.Linear(dim, speakers, bias=False)

    def forward(self, audio_signal: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        embedding = self.norm(self.embedding(self.pool(self.encoder(audio_signal, length), length)))
        # Trained with an angular margin: the logits are cosines.
        logits = F.linear(F.normalize(F.relu(embedding), dim=1), F.normalize(self.classifier.weight, dim=1))
        return logits, embedding
