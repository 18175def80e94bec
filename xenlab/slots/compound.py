"""Layouts over compound pages: every order, inside and at the ends, and heads that cross pages."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.slots.layout import PAGE_BYTES, Frag, Layout, Protocol
from xenlab.slots.limits import MIN_MAX_SKB_FRAGS, WIRE_MAX_BYTES

ORDERS = range(6)
SIZES_BYTES = (1, 2, PAGE_BYTES, PAGE_BYTES + 1, PAGE_BYTES + 2, 3 * PAGE_BYTES, 8 * PAGE_BYTES)
HEAD_BYTES = 70
# One page crossed by a header, by its first byte alone, and two, four and eight of them.
CROSSING_HEADS = ((4061, 70), (4095, 70), (4027, 70), (4000, 4200), (2049, 14000), (100, 32000))

# 17 of them are copied into 1, 2, 4, 8, 16 and 32 pages.
COPIED_FRAGS_BYTES = (2, 100, 400, 800, 1700, 2100, 3600, 3700, 3840)


def compound_layouts(
    linear_bytes: int = HEAD_BYTES,
    linear_offset_bytes: int = 0,
    *,
    protocol: Protocol = Protocol.UDP4,
    most_bytes: int = WIRE_MAX_BYTES,
) -> Iterator[Layout]:
    """One frag, and as many as fit, at each place in a page of each order; the smallest first."""
    for frag in _frags():
        fitting = min(MIN_MAX_SKB_FRAGS, (most_bytes - linear_bytes) // frag.size_bytes)
        for count in sorted({1, fitting} - {0}):
            yield Layout(
                linear_bytes=linear_bytes,
                linear_offset_bytes=linear_offset_bytes,
                frags=(frag,) * count,
                protocol=protocol,
            )


def crossing_layouts() -> Iterator[Layout]:
    """Heads that cross pages, alone and before frags that do so in a page of each order."""
    for offset_bytes, linear_bytes in CROSSING_HEADS:
        yield Layout(linear_bytes=linear_bytes, linear_offset_bytes=offset_bytes)
        for order in ORDERS:
            page_bytes = PAGE_BYTES << order
            frag = Frag(order=order, offset_bytes=page_bytes - 2 if order == 0 else 4095,
                        size_bytes=2)  # fmt: skip
            for count in (1, 8, MIN_MAX_SKB_FRAGS):
                yield Layout(
                    linear_bytes=linear_bytes,
                    linear_offset_bytes=offset_bytes,
                    frags=(frag,) * count,
                )


def copied_layouts() -> Iterator[Layout]:
    """Packets that have to be copied into blocks of each order up to 5, and some that have not.

    No page of theirs is above order 1: they can be made where only small blocks are free.
    """
    for frag_bytes in COPIED_FRAGS_BYTES:
        frag = Frag(order=1, offset_bytes=PAGE_BYTES - 1, size_bytes=frag_bytes)
        for count in (1, 8, MIN_MAX_SKB_FRAGS):
            yield Layout(
                linear_bytes=HEAD_BYTES,
                linear_offset_bytes=0,
                frags=(frag,) * count,
            )


def _frags() -> Iterator[Frag]:
    for order in ORDERS:
        page_bytes = PAGE_BYTES << order
        for offset_bytes in _offsets(page_bytes):
            for size_bytes in SIZES_BYTES:
                if offset_bytes + size_bytes <= page_bytes:
                    yield Frag(order=order, offset_bytes=offset_bytes, size_bytes=size_bytes)


def _offsets(page_bytes: int) -> list[int]:
    """Its beginning, its middle, the end of its first page and the beginning of its last one."""
    last = page_bytes - PAGE_BYTES
    return sorted({0, 1, page_bytes // 2, PAGE_BYTES - 1, last, last - 1 if last else 0})
