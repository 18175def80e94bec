"""Every two values of two axes meet in a covering, and no combination is in it for nothing."""

from __future__ import annotations

from math import prod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xenlab.plan.covering import Combination, Pair, cover_pairs, cross_all, pairs_of

values = st.lists(st.sampled_from("abcde"), min_size=1, max_size=5, unique=True)
axes_of_versions = st.lists(values, min_size=2, max_size=4)


def all_pairs(combinations: tuple[Combination, ...]) -> set[Pair]:
    return {pair for each in combinations for pair in pairs_of(each)}


@settings(deadline=None)
@given(axes_of_versions)
def test_every_pair_occurs_and_no_combination_twice(axes: list[list[str]]) -> None:
    covering = cover_pairs(axes)

    assert all_pairs(covering) == all_pairs(cross_all(axes))
    assert set(covering) <= set(cross_all(axes))
    assert len(covering) == len(set(covering)) <= prod(map(len, axes))


@pytest.mark.parametrize(
    ("xens", "dom0_kernels", "domu_kernels", "least"),
    [("ab", "xyz", "xyz", 9), ("a", "xyz", "xyz", 9), ("ab", "xy", "xy", 4), ("abc", "x", "y", 3)],
)
def test_covering_is_no_larger_than_it_has_to_be(
    xens: str, dom0_kernels: str, domu_kernels: str, least: int
) -> None:
    assert len(cover_pairs([xens, dom0_kernels, domu_kernels])) == least


def test_order_is_that_of_the_product() -> None:
    axes = ["ab", "xyz", "xyz"]

    covering = cover_pairs(axes)
    assert list(covering) == [each for each in cross_all(axes) if each in covering]
    assert covering[0] == ("a", "x", "x")


def test_one_axis_has_no_pairs_and_keeps_all_its_values() -> None:
    assert cover_pairs(["abc"]) == (("a",), ("b",), ("c",))
