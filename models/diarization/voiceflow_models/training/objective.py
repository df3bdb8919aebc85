"""What a batch costs: activity in any speaker order, separation of voices, agreement with the
teacher."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..layout import MAX_SPEAKERS
from ..networks.heads import LocalDiarizer
from .losses import AngularMargin, affinity_loss, by_arrival, mean, ordered_cross_entropy, permuted
from .pool import Batch

LEAST_SOLO_FRAMES = 12
"""A voice counts for the embedding when it talks alone for about half a second of the window."""

SHORT_SHARE = 0.5
SHORT_FRAMES = (25, 100)
"""Half of the voices are pooled over a part of the window only, 1 to 4 s long: turns are short."""

CLASS_WEIGHT = 0.15
LIKENESS_WEIGHT = 2.0
AFFINITY_WEIGHT = 1.0
"""Weights of the angular margin, the voice teacher, and the affinity beside the activity loss."""


@dataclass
class Pace:
    """What changes in the course of a training."""

    margin: float
    """Share of the angular margin, 0 to 1."""
    arrival: float
    """Share of the order of arrival in the activity loss, 0 to 1; any order will do for the
    rest."""


@dataclass
class Losses:
    """Means over a batch."""

    total: Tensor
    activity: Tensor
    arrival: Tensor
    voice: Tensor
    affinity: Tensor
    likeness: Tensor
    right: Tensor
    """Share of the voices classified right."""


class Objective(nn.Module):
    """Holds what only training needs: the voices' classes, and the way to the teacher's space."""

    def __init__(self, embedding_dim: int, voices: Tensor | np.ndarray):
        super().__init__()
        voices = torch.as_tensor(voices, dtype=torch.float32)
        self.margin = AngularMargin(embedding_dim, len(voices))
        self.register_buffer("voices", voices, persistent=False)
        self.to_teacher = nn.Linear(embedding_dim, voices.shape[1]) if voices.shape[1] else None

    def forward(self, model: LocalDiarizer, batch: Batch, pace: Pace, precision: torch.dtype) -> Losses:
        """``precision`` other than float32 runs the network in it."""
        kind = batch.audio.device.type
        with torch.autocast(kind, dtype=precision, enabled=precision != torch.float32):
            scores, voice = model.encode(batch.audio)
        losses = ordered_cross_entropy(scores.float(), batch.target)
        activity = permuted(losses)
        arrival = by_arrival(losses, batch.exact)
        affinity = affinity_loss(scores.float(), batch.exact)
        solo = torch.stack([batch.exact == 1 + speaker for speaker in range(MAX_SPEAKERS)], dim=2).float()
        solo = shortened(solo)
        known = (solo.sum(dim=1) >= LEAST_SOLO_FRAMES) & (batch.voices >= 0)
        embedding, label = model.pool(voice.float(), solo)[known], batch.voices[known]
        identity, right = self.margin(embedding, label, pace.margin)
        total = (
            activity
            + pace.arrival * (arrival - activity)
            + AFFINITY_WEIGHT * affinity
            + CLASS_WEIGHT * identity
        )
        likeness = torch.zeros((), device=total.device)
        if self.to_teacher is not None:
            cosine = F.cosine_similarity(self.to_teacher(embedding), self.voices[label], dim=1)
            likeness = mean(1 - cosine)
            total = total + LIKENESS_WEIGHT * likeness
        return Losses(
            total,
            activity.detach(),
            arrival.detach(),
            identity.detach(),
            affinity.detach(),
            likeness.detach(),
            right,
        )


def shortened(solo: Tensor) -> Tensor:
    """Solo frames [batch, frames, speakers], of some speakers only those of a shorter stretch."""
    shape = (solo.shape[0], 1, solo.shape[2])
    low, high = SHORT_FRAMES
    length = torch.randint(low, high + 1, shape, device=solo.device)
    start = (torch.rand(shape, device=solo.device) * (solo.shape[1] - length).clamp(min=0)).long()
    frame = torch.arange(solo.shape[1], device=solo.device)[None, :, None]
    part = solo * ((frame >= start) & (frame < start + length))
    enough = part.sum(dim=1, keepdim=True) >= LEAST_SOLO_FRAMES
    chosen = enough & (torch.rand(shape, device=solo.device) < SHORT_SHARE)
    return torch.where(chosen, part, solo)
