"""Statistics pooling: a sequence of frames becomes one vector of fixed length.

Snyder et al., "X-vectors: Robust DNN embeddings for speaker recognition", ICASSP 2018.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

VARIANCE_FLOOR = 1e-7
"""Added to the variance before the root, as the wespeaker and 3D-Speaker recipes do."""


class TemporalStatistics(nn.Module):
    """Mean and standard deviation over the last axis (TSTP): [B, C, F, T] -> [B, 2 C F].

    The variance is the unbiased one, so T must be at least 2.
    """

    def forward(self, x: Tensor) -> Tensor:
        """``x`` is [B, ..., T]; the axes between are flattened, means first."""
        mean = x.mean(dim=-1).flatten(start_dim=1)
        deviation = torch.sqrt(x.var(dim=-1, unbiased=True) + VARIANCE_FLOOR).flatten(start_dim=1)
        return torch.cat((mean, deviation), dim=1)
