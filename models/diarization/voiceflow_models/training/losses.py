"""What the network is trained to do: powerset labels in any speaker order, and telling voices apart."""

from __future__ import annotations

from itertools import permutations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layout import MAX_SPEAKERS
from ..powerset import permute_classes

AFFINITY_STEP = 2
"""Every second frame is compared with every second frame."""

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


def affinity_loss(scores: Tensor, exact: Tensor) -> Tensor:
    """Whether each two frames in which one person talks have the same speaker: binary cross-entropy.

    ``scores`` [batch, frames, 7], ``exact`` classes [batch, frames]. Knows no order of speakers, so a network
    that hedges between two orders, or gives two people one slot, pays for every pair. Deep clustering
    (Hershey et al., ICASSP 2016) compares pairs of embeddings so; here they are the shares of the slots.
    """
    scores, exact = scores[:, ::AFFINITY_STEP], exact[:, ::AFFINITY_STEP]
    slots = torch.softmax(scores[:, :, 1 : 1 + MAX_SPEAKERS], dim=2)
    same = torch.matmul(slots, slots.transpose(1, 2)).clamp(1e-4, 1 - 1e-4)
    alone = (exact >= 1) & (exact <= MAX_SPEAKERS)
    pairs = (alone[:, :, None] & alone[:, None, :]).float()
    target = (exact[:, :, None] == exact[:, None, :]).float()
    loss = F.binary_cross_entropy(same, target, reduction="none") * pairs
    return loss.sum() / pairs.sum().clamp(min=1.0)


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
