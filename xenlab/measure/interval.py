"""Interval: the median of repetitions and its bounds, however they are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from statistics import median

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A median, and bounds that hold it with `confidence`."""

    median: float
    low: float
    high: float
    confidence: float

    def holds(self, value: float) -> bool:
        """Whether the median may be that value."""
        return self.low <= value <= self.high


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> Interval | None:
    """The interval by order statistics; None where there are too few values for any.

    Each value lies above the median with probability 1/2, whatever their distribution, so the k-th
    smallest and the k-th largest of n miss it with 2 P(B(n, 1/2) < k): the sign test turned round.
    Six values are the fewest that tell anything with a confidence of 95 %.
    """
    ordered = sorted(values)
    count = len(ordered)
    best = None
    for rank in range(1, count // 2 + 1):
        missed = 2 * sum(comb(count, each) for each in range(rank)) / 2**count
        if 1 - missed < confidence:
            break
        best = Interval(
            median=median(ordered),
            low=ordered[rank - 1],
            high=ordered[-rank],
            confidence=1 - missed,
        )
    return best
