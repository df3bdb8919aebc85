"""Classes that stand for sets of speakers."""

from __future__ import annotations

import numpy as np

from .layout import MAX_SPEAKERS, POWERSET

CLASS_OF = {members: index for index, members in enumerate(POWERSET)}

MEMBERSHIP = np.array(
    [[speaker in members for speaker in range(MAX_SPEAKERS)] for members in POWERSET], float
)
"""[classes, speakers]: which speakers talk in a class."""

CLASS_OF_BITS = np.array(
    [
        CLASS_OF.get(tuple(s for s in range(MAX_SPEAKERS) if bits >> s & 1), 0)
        for bits in range(1 << MAX_SPEAKERS)
    ],
    np.uint8,
)
"""The class of a set of speakers, written as bits."""


def permute_classes(order: tuple[int, ...]) -> list[int]:
    """For each class, the class of the same speakers once speaker ``s`` is renamed from ``order[s]``."""
    return [CLASS_OF[tuple(sorted(order[speaker] for speaker in members))] for members in POWERSET]


def exact_classes(activity: np.ndarray) -> np.ndarray:
    """Class [frames] of activity [frames, 3]; of three at once, the first two."""
    two = activity & (np.cumsum(activity, axis=1) <= 2)
    return CLASS_OF_BITS[two @ (1 << np.arange(MAX_SPEAKERS))]
