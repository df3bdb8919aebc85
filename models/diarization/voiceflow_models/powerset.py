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

CLASSES_OF_COUNT = [[k for k, members in enumerate(POWERSET) if len(members) == count] for count in range(3)]
"""The classes in which nobody, one, and two talk."""

FITS = np.array(
    [
        [not true or set(members) <= set(true) or set(true) <= set(members) for members in POWERSET]
        for true in POWERSET
    ],
    np.float32,
)
"""[true class, class]: whether a class is a part of the true set or holds it; nothing is known of
silence."""

LEAST_SHARE = 1e-3


def permute_classes(order: tuple[int, ...]) -> list[int]:
    """For each class, the class of the same speakers once speaker ``s`` is renamed from
    ``order[s]``."""
    return [CLASS_OF[tuple(sorted(order[speaker] for speaker in members))] for members in POWERSET]


def exact_classes(activity: np.ndarray) -> np.ndarray:
    """Class [frames] of activity [frames, 3]; of three at once, the first two."""
    two = activity & (np.cumsum(activity, axis=1) <= 2)
    return CLASS_OF_BITS[two @ (1 << np.arange(MAX_SPEAKERS))]


def settle_identity(soft: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Classes with the number of speakers from the teacher and their identity from the exact
    labels.

    ``soft`` are the teacher's probabilities [..., frames, 7] in the labels' order of speakers,
    ``exact`` the true classes [..., frames]. The teacher knows better whether a faint voice counts,
    the labels know whose it is. Within the classes of one count, those that fit the labels take
    over the share of those that do not: a class fits when it is a part of the true set, or holds
    it. Where none fits, the teacher's answer stays.
    """
    fitting = soft * FITS[exact]
    settled = np.zeros_like(soft)
    for classes in CLASSES_OF_COUNT:
        total = soft[..., classes].sum(axis=-1, keepdims=True)
        kept = fitting[..., classes]
        # The teacher may be quite sure of the wrong speaker: then those that fit share alike.
        kept = kept + LEAST_SHARE * total * FITS[exact][..., classes]
        sum_kept = kept.sum(axis=-1, keepdims=True)
        share = np.divide(kept, sum_kept, out=np.zeros_like(kept), where=sum_kept > 0)
        settled[..., classes] = np.where(sum_kept > 0, total * share, soft[..., classes])
    return settled
