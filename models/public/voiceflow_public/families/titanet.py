"""TitaNet: separable 1-D convolutions with global gates and attentive statistics pooling.

Koluguri et al., "TitaNet: Neural model for speaker representation with 1D depth-wise separable
convolutions and global context", ICASSP 2022.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .separable import LONGEST, Encoder, FrameNumbers

VARIANCE_FLOOR = 1e-10
"""Smallest variance of the pooling."""


def weighted_statistics(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and deviation of [B, C, T] over time under weights that sum to 1: two of [B, C]."""
    mean = torch.sum(weight * x, dim=2)
    deviation = torch.sqrt((weight * (x - mean.unsqueeze(2)).pow(2)).sum(dim=2).clamp(VARIANCE_FLOOR))
    return mean, deviation


class AttentivePooling(nn.Module):
    """Mean and deviation of the valid frames, weighted by an attention: [B, C, T] ->
    [B, 2 C, 1]."""

    def __init__(self, channels: int, bottleneck: int, frames: FrameNumbers) -> None:
        super().__init__()
        self.frames = frames
        self.hidden = nn.Conv1d(3 * channels, bottleneck, 1)
        self.norm = nn.BatchNorm1d(bottleneck)
        self.score = nn.Conv1d(bottleneck, channels, 1)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        valid = self.frames(x, lengths)
        count = valid.sum(dim=2, keepdim=True)
        mean, deviation = weighted_statistics(x, valid / count)
        frames = x.shape[-1]
        context = torch.cat(
            (x, mean.unsqueeze(2).repeat(1, 1, frames), deviation.unsqueeze(2).repeat(1, 1, frames)), dim=1
        )
        score = self.score(torch.tanh(self.norm(F.relu(self.hidden(context)))))
        attention = torch.softmax(score.masked_fill(~valid, -torch.inf), dim=2)
        return torch.cat(weighted_statistics(x, attention), dim=1).unsqueeze(2)


class TitaNet(nn.Module):
    """``audio_signal`` [B, 80, T], ``length`` int64 [B] -> ``logits`` [B, speakers], ``embs``
    [B, dim].

    ``width`` is the number of channels (published: 1024 large, 256 small), three times as many in
    the tail (3072; the small one's tail is wider); ``depth`` the number of convolutions of a block
    (published: 3); ``bottleneck`` that of the attention (published: 128); ``dim`` the embedding's
    length (published: 192); ``speakers`` those of the training data (published: 16,681).
    ``longest`` is the number of frames a file takes at most.
    """

    def __init__(
        self,
        width: int = 1024,
        depth: int = 3,
        bottleneck: int = 128,
        dim: int = 192,
        speakers: int = 16_681,
        longest: int = LONGEST,
        masked: bool = False,
    ) -> None:
        super().__init__()
        self.dim = dim
        tail = 3 * width
        frames = FrameNumbers(longest)
        self.encoder = Encoder(width, depth, tail, frames, gated=True, head_residual=False, masked=masked)
        self.pool = AttentivePooling(tail, bottleneck, frames)
        self.norm = nn.BatchNorm1d(2 * tail)
        self.embedding = nn.Conv1d(2 * tail, dim, 1)
        self.classifier = nn.Linear(dim, speakers, bias=False)

    def forward(self, audio_signal: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        frames = self.encoder(audio_signal, length)
        embedding = self.embedding(self.norm(self.pool(frames, length))).squeeze(-1)
        # Trained with an angular margin: the logits are cosines.
        logits = F.linear(F.normalize(embedding, dim=1), F.normalize(self.classifier.weight, dim=1))
        return logits, embedding
