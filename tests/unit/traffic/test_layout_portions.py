"""Layouts in portions: by their number, and by what a vif's queue has room for."""

from __future__ import annotations

import pytest

from xenlab.slots.layout import Layout, Protocol
from xenlab.traffic.layouts import VIF_ROOM_BYTES, portions

THIRD = VIF_ROOM_BYTES // 3


@pytest.mark.parametrize(
    ("uncounted_bytes", "packets", "expected"),
    [
        ((), 2, []),
        ((0,) * 5, 2, [2, 2, 1]),
        ((0,) * 5, 9, [5]),
        ((THIRD,) * 7, 9, [3, 3, 1]),
        ((THIRD, 0, THIRD, 0, THIRD, 0, THIRD), 9, [6, 1]),
        ((THIRD, VIF_ROOM_BYTES + 1, THIRD), 9, [1, 1, 1]),
    ],
)
def test_portions_are_whole_and_no_larger_than_they_may_be(
    uncounted_bytes: tuple[int, ...], packets: int, expected: list[int]
) -> None:
    whole = [
        Layout(linear_bytes=100 + each, linear_offset_bytes=0, frags=(), protocol=Protocol.UDP4)
        for each in range(len(uncounted_bytes))
    ]
    parts = list(portions(whole, packets, uncounted_bytes))

    assert [len(part) for part in parts] == expected
    assert [layout for part in parts for layout in part] == whole
