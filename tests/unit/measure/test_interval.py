"""An interval holds the median as often as it says, and sees a difference that is there (F35)."""

from __future__ import annotations

from random import Random

import pytest

from xenlab.measure.interval import median_interval

TRIALS = 4000
ROUNDS = 6


def seeded(seed: int) -> Random:
    return Random(seed)  # noqa: S311 (it must be repeatable, not secret)


def ratios(chance: Random, *, change: float, noise: float) -> list[float]:
    """Pairs of repetitions on one host, of which the second is faster by a factor."""
    return [
        change * chance.lognormvariate(0, noise) / chance.lognormvariate(0, noise)
        for _ in range(ROUNDS)
    ]


def test_six_values_are_the_fewest_that_tell_anything() -> None:
    assert median_interval([1.0] * 5) is None
    interval = median_interval([3.0, 1.0, 2.0, 6.0, 5.0, 4.0])

    assert interval is not None
    assert (interval.low, interval.median, interval.high) == (1.0, 3.5, 6.0)
    assert interval.confidence == pytest.approx(1 - 2 / 64)


def test_more_values_leave_their_extremes_out() -> None:
    interval = median_interval([float(each) for each in range(1, 13)])

    assert interval is not None
    assert (interval.low, interval.high) == (3.0, 10.0)  # P(B(12, 1/2) < 3) = 79 / 4096
    assert interval.confidence == pytest.approx(1 - 2 * 79 / 4096)


@pytest.mark.parametrize("noise", [0.01, 0.3])
def test_equal_sides_are_taken_for_different_no_more_often_than_is_said(noise: float) -> None:
    chance = seeded(20140521)
    seen = 0
    for _ in range(TRIALS):
        interval = median_interval(ratios(chance, change=1.0, noise=noise))
        assert interval is not None
        seen += not interval.holds(1.0)

    assert seen / TRIALS <= 0.05


def test_change_of_five_percent_at_low_noise_is_seen() -> None:
    chance = seeded(20140522)
    seen = 0
    for _ in range(100):
        interval = median_interval(ratios(chance, change=0.95, noise=0.01))
        assert interval is not None
        seen += interval.high < 1.0

    assert seen >= 95


def test_change_that_noise_hides_is_no_difference() -> None:
    interval = median_interval([0.7, 0.9, 1.2, 1.3, 0.8, 0.95])

    assert interval is not None
    assert interval.holds(1.0)
