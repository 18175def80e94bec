"""A covering: few combinations of several axes' values in which every two values meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product

Combination = tuple[str, ...]
# Two axes by their number, each with one of its values.
Pair = tuple[int, str, int, str]


def cross_all(axes: Sequence[Sequence[str]]) -> tuple[Combination, ...]:
    """Every combination, the last axis changing first."""
    return tuple(product(*axes))


def cover_pairs(axes: Sequence[Sequence[str]]) -> tuple[Combination, ...]:
    """Combinations in which every pair of values of two axes occurs, in the order of `cross_all`.

    Greedy: the combination with most pairs that are not there yet comes next, of equals the first.
    Cohen, Dalal, Fredman and Patton, "The AETG system" (1997), section 3: it takes as many as grow
    with the logarithm of the number of axes, and with the square of the number of values.
    """
    candidates = cross_all(axes)
    missing = {pair for candidate in candidates for pair in pairs_of(candidate)}
    chosen: set[Combination] = set()
    while missing:
        best = max(candidates, key=lambda each: len(missing.intersection(pairs_of(each))))
        missing.difference_update(pairs_of(best))
        chosen.add(best)
    # With a single axis, or none, there are no pairs, and nothing to leave out.
    return tuple(each for each in candidates if each in chosen) or candidates


def pairs_of(combination: Combination) -> Iterator[Pair]:
    """Each pair of its values."""
    for (first, one), (second, other) in combinations(enumerate(combination), 2):
        yield first, one, second, other
