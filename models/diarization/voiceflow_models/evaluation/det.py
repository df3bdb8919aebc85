"""Detection error trade-off: how often the same voice is missed and another one let in, over all
thresholds.

After Martin et al., "The DET Curve in Assessment of Detection Task Performance", Eurospeech 1997.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

LARGEST_PROBIT = 3.3
"""A sampled curve spans false alarms from 0.05 % to 99.95 %, in steps that look even on a DET
plot."""


@dataclass(frozen=True)
class Det:
    """Errors of accepting every trial whose score reaches a threshold."""

    thresholds: np.ndarray
    """Ascending [points]."""
    miss: np.ndarray
    """Share of the same-voice trials that are refused, rising from 0 to 1 [points]."""
    false_alarm: np.ndarray
    """Share of the other trials that are accepted, falling from 1 to 0 [points]."""

    def equal_error(self) -> tuple[float, float]:
        """The equal error rate and its threshold, both between the two points around the
        crossing."""
        gap = self.miss - self.false_alarm
        after = int(np.argmax(gap >= 0))
        before = after - 1
        share = -gap[before] / (gap[after] - gap[before])
        rate = self.miss[before] + share * (self.miss[after] - self.miss[before])
        low, high = self.thresholds[before], self.thresholds[after]
        return float(rate), float(low + share * (high - low))

    def sampled(self, points: int = 67) -> tuple[np.ndarray, np.ndarray]:
        """Ascending false alarm rates [points] and the miss rate at each."""
        rates = ndtr(np.linspace(-LARGEST_PROBIT, LARGEST_PROBIT, points))
        return rates, np.interp(rates, self.false_alarm[::-1], self.miss[::-1])


def trade_off(
    same: np.ndarray,
    different: np.ndarray,
    same_weight: np.ndarray | None = None,
    different_weight: np.ndarray | None = None,
) -> Det:
    """The curve for scores of same-voice trials [n] and of different-voice trials [m].

    Trials count alike, or by their weights [n] and [m], which are positive.
    """
    for name, scores in (("same", same), ("different", different)):
        if len(scores) == 0 or not np.isfinite(scores).all():
            raise ValueError(f"{name}: expected at least one score, all finite, got {scores!r}")
    scores = np.unique(np.concatenate([same, different]))
    # One threshold above all scores, at which every trial is refused.
    thresholds = np.append(scores, np.nextafter(scores[-1], np.inf))
    miss = _share_below(thresholds, same, same_weight)
    return Det(thresholds, miss, 1 - _share_below(thresholds, different, different_weight))


def _share_below(thresholds: np.ndarray, scores: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Which share of the scores, by weight, lies below each threshold [points]."""
    order = np.argsort(scores)
    ordered = np.ones(len(scores)) if weight is None else weight[order]
    total = np.concatenate([[0.0], np.cumsum(ordered)])
    return total[np.searchsorted(scores[order], thresholds)] / total[-1]
