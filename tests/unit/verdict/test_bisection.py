"""A bisection finds the one patch, in few steps, and says what it cannot tell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenlab.verdict.bisection import Bisection
from xenlab.verdict.outcome import Outcome


def search(count: int, first_bad: int, broken: frozenset[int] = frozenset()) -> tuple[range, int]:
    """The suspects that are left, and the steps that it took."""
    bisection, steps = Bisection(good=0, bad=count), 0
    while (tried := bisection.next_count) is not None:
        outcome = Outcome.FAIL if tried >= first_bad else Outcome.PASS
        bisection = bisection.note(tried, Outcome.LAB_ERROR if tried in broken else outcome)
        steps += 1
    return bisection.suspects, steps


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n))))
def test_first_bad_patch_is_found_in_the_logarithm_of_their_number(case: tuple[int, int]) -> None:
    count, first_bad = case
    suspects, steps = search(count, first_bad)

    assert list(suspects) == [first_bad]
    assert steps <= count.bit_length()


def test_crash_is_as_bad_as_a_failure() -> None:
    assert Bisection(good=0, bad=4).note(2, Outcome.CRASH).suspects == range(1, 3)


def test_patches_that_cannot_be_told_from_the_bad_one_are_all_suspects() -> None:
    suspects, _steps = search(8, 5, broken=frozenset({4, 5}))

    assert list(suspects) == [4, 5, 6]


def test_broken_ones_elsewhere_are_gone_around() -> None:
    suspects, _steps = search(8, 7, broken=frozenset({4}))

    assert list(suspects) == [7]


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.SKIP, Outcome.LAB_ERROR])
def test_what_is_no_verdict_moves_no_end(outcome: Outcome) -> None:
    bisection = Bisection(good=0, bad=2).note(1, outcome)

    assert bisection.next_count is None
    assert list(bisection.suspects) == [1, 2]
