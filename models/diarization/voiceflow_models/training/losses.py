"""What the network is trained to do: powerset labels in any speaker order, and separate voices."""

from __future__ import annotations

from itertools import permutations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layout import MAX_SPEAKERS
from ..powerset import MEMBERSHIP, permute_classes

AFFINITY_STEP = 2
"""Every second frame is compared with every second frame."""

ORDERS = [permute_classes(order) for order in permutations(range(MAX_SPEAKERS))]

ORDER_INDEX = torch.zeros(27, dtype=torch.long)
"""The index in :data:`ORDERS` of an order of speakers, read as a number of base three."""
for _index, _order in enumerate(permutations(range(MAX_SPEAKERS))):
    ORDER_INDEX[9 * _order[0] + 3 * _order[1] + _order[2]] = _index

MEMBERS = torch.tensor(MEMBERSHIP > 0)
"""[classes, speakers]: who talks in a class."""


def mean(values: Tensor) -> Tensor:
    """The mean; of no values zero, with a gradient of zero, where a batch has no voice to learn
    from."""
    return values.mean() if len(values) else values.sum()


def ordered_cross_entropy(scores: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy to soft classes [batch, frames, 7] under each order of :data:`ORDERS`:
    [batch, 6]."""
    log = F.log_softmax(scores, dim=2)
    return torch.stack([-(target[:, :, order] * log).sum(dim=2).mean(dim=1) for order in ORDERS], dim=1)


def permuted(losses: Tensor) -> Tensor:
    """The mean over windows of the loss under each window's best order, of ``losses`` [batch, 6].

    Permutation invariant training (Yu et al., ICASSP 2017), over powerset classes.
    """
    return losses.min(dim=1).values.mean()


def by_arrival(losses: Tensor, exact: Tensor) -> Tensor:
    """The mean of ``losses`` [batch, 6] with the speakers in the order in which they begin to talk.

    ``exact`` are the classes [batch, frames]. One order, which all frames of a window can agree on,
    leaves nothing to hedge (the sort loss of Sortformer, Park et al., ICML 2025).
    """
    frames = exact.shape[1]
    talking = MEMBERS.to(exact.device)[exact]
    first = torch.where(talking.any(dim=1), talking.float().argmax(dim=1), frames)
    order = first.argsort(stable=True, dim=1)
    index = (order * order.new_tensor([9, 3, 1])).sum(dim=1)
    return losses.gather(1, ORDER_INDEX.to(exact.device)[index][:, None]).mean()


def affinity_loss(scores: Tensor, exact: Tensor) -> Tensor:
    """Whether each two frames in which one speaker talks have the same speaker: binary
    cross-entropy.

    ``scores`` [batch, frames, 7], ``exact`` classes [batch, frames]. Knows no order of speakers, so
    a network that hedges between two orders, or gives two speakers one slot, pays for every pair.
    Deep clustering (Hershey et al., ICASSP 2016) compares pairs of embeddings so; here they are the
    shares of the slots.
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
    """Additive angular margin softmax over the training voices (ArcFace, Deng et al., CVPR
    2019)."""

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
