"""What the network is trained to do: powerset labels in any speaker order, and telling voices apart."""

from __future__ import annotations

from itertools import permutations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layout import MAX_SPEAKERS
from ..powerset import permute_classes

ORDERS = [permute_classes(order) for order in permutations(range(MAX_SPEAKERS))]


def mean(values: Tensor) -> Tensor:
    """The mean; of no values zero, with a gradient of zero, where a batch has no voice to learn from."""
    return values.mean() if len(values) else values.sum()


def permuted_cross_entropy(scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy to soft classes [batch, frames, 7] under each window's best speaker order.

    Returns the mean loss and the index in :data:`ORDERS` of every window's best order (permutation
    invariant training, Yu et al., ICASSP 2017, over powerset classes).
    """
    log = F.log_softmax(scores, dim=2)
    losses = torch.stack([-(target[:, :, order] * log).sum(dim=2).mean(dim=1) for order in ORDERS], dim=1)
    best = losses.argmin(dim=1)
    return losses.gather(1, best[:, None]).mean(), best


class AngularMargin(nn.Module):
    """Additive angular margin softmax over the training voices (ArcFace, Deng et al., CVPR 2019)."""

    def __init__(self, dim: int, voices: int, margin: float = 0.2, scale: float = 30.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(voices, dim) * 0.05)
        self.margin = margin
        self.scale = scale

    def forward(self, embedding: Tensor, voice: Tensor, ramp: float) -> tuple[Tensor, Tensor]:
        """Loss and share of right answers; ``ramp`` 0 to 1 scales the margin."""
        cosine = F.linear(F.normalize(embedding, dim=1), F.normalize(self.weight, dim=1)).clamp(
            -0.9999, 0.9999
        )
        own = cosine.gather(1, voice[:, None])
        moved = torch.cos(torch.acos(own) + self.margin * ramp)
        loss = F.cross_entropy(self.scale * cosine.scatter(1, voice[:, None], moved), voice, reduction="none")
        return mean(loss), mean((cosine.argmax(dim=1) == voice).float())
