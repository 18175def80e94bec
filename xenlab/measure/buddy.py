"""Buddy: the free blocks of a kernel by zone and order, as /proc/buddyinfo tells them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from xenlab.errors import MeasurementError

PAGE_KIB = 4
_LINE = re.compile(r"Node +(?P<node>\d+), zone +(?P<zone>\w+)(?P<counts>(?: +\d+)+) *")


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeBlocks:
    """Free blocks of each order, all zones together: entry i counts those of 2**i pages."""

    by_order: tuple[int, ...]

    @property
    def largest_order(self) -> int:
        """Of the largest free block; -1 where there is none."""
        return max((order for order, blocks in enumerate(self.by_order) if blocks), default=-1)

    @property
    def free_kib(self) -> int:
        """All of them together."""
        return sum(PAGE_KIB * blocks << order for order, blocks in enumerate(self.by_order))

    def __str__(self) -> str:
        """Such as `free blocks of order 0, 1, ..: 12 7 0 0`."""
        return "free blocks of order 0, 1, ..: " + " ".join(map(str, self.by_order))


def parse_buddyinfo(node: str, text: str) -> FreeBlocks:
    """What the file holds. Raises MeasurementError for anything else."""
    zones = [_LINE.fullmatch(line) for line in text.splitlines()]
    if not zones or None in zones:
        raise MeasurementError(f"{node}: not /proc/buddyinfo: {text[:100]!r}")
    counts = [tuple(map(int, zone["counts"].split())) for zone in zones if zone]
    if len({len(row) for row in counts}) != 1:
        raise MeasurementError(f"{node}: zones with different numbers of orders")
    return FreeBlocks(by_order=tuple(map(sum, zip(*counts, strict=True))))
