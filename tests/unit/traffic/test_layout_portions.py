"""Layouts in portions: by their number, and by what a vif's queue has room for."""

from __future__ import annotations

import pytest

from xenlab.slots.layout import Layout, Protocol
from xenlab.traffic.layouts import portions


def layouts(*lengths_bytes: int) -> list[Layout]:
    return [
        Layout(linear_bytes=length, linear_offset_bytes=0, frags=(), protocol=Protocol.UDP4)
        for length in lengths_bytes
    ]


@pytest.mark.parametrize(
    ("lengths_bytes", "packets", "room_bytes", "expected"),
    [
        ((), 2, 0, []),
        ((100,) * 5, 2, 0, [2, 2, 1]),
        ((100,) * 5, 9, 0, [5]),
        ((100,) * 5, 9, 200, [2, 2, 1]),
        ((100, 100, 100, 1000, 100), 9, 300, [3, 1, 1]),
        ((1000, 1000), 9, 300, [1, 1]),
    ],
)
def test_portions_are_whole_and_no_larger_than_they_may_be(
    lengths_bytes: tuple[int, ...], packets: int, room_bytes: int, expected: list[int]
) -> None:
    whole = layouts(*lengths_bytes)
    parts = list(portions(whole, packets, room_bytes))

    assert [len(part) for part in parts] == expected
    assert [layout for part in parts for layout in part] == whole
