"""Layouts on both sides of every limit: each number of slots, and each edge of a page."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from xenlab.slots.layout import PAGE_BYTES, Frag, Layout, Protocol
from xenlab.slots.limits import COPY_BYTES, LEGACY_SLOTS, MIN_MAX_SKB_FRAGS, WIRE_MAX_BYTES
from xenlab.slots.random_layouts import Mix, random_layouts
from xenlab.slots.worst import worst_layout, worst_slots

EACH = 8
# With less than an Ethernet header before the page's end netfront bounces the packet (NF:760).
LAST_BYTES = range(1, 20)
LINEAR_BYTES = 70
# Around what netback copies (NB:91), what it copies of a whole first slot, and a page.
FIRST_SLOTS_BYTES = (*range(COPY_BYTES - 2, COPY_BYTES + 3), *range(4032, PAGE_BYTES + 1, 8))


def sweep_layouts(each: int = EACH, *, max_frags: int = MIN_MAX_SKB_FRAGS) -> tuple[Layout, ...]:
    """Layouts of 1, 2 and so on to the most slots that so many frags take, `each` of every number.

    With 17 frags the last have 51 slots, with 45 they have 107.
    """
    most = worst_slots(WIRE_MAX_BYTES, max_frags)
    return tuple(
        layout
        for slots in range(1, most + 1)
        for layout in layouts_of_slots(slots, each, max_frags=max_frags)
    )


def layouts_of_slots(
    slots: int, count: int, *, max_frags: int = MIN_MAX_SKB_FRAGS
) -> Iterator[Layout]:
    """So many layouts of this number of slots, always the same ones."""
    mix = Mix(least_slots=slots, most_slots=slots, max_frags=max_frags, empty_frags=False)
    return islice(random_layouts(slots, mix), count)


def boundary_layouts(max_frags: int = MIN_MAX_SKB_FRAGS) -> tuple[Layout, ...]:
    """Heads near a page's end, first slots around each copy, tiny slots, and the worst cases."""
    return tuple(_boundaries(max_frags))


def _boundaries(max_frags: int) -> Iterator[Layout]:
    for last_bytes in LAST_BYTES:
        for frags in (0, 1, LEGACY_SLOTS - 2, LEGACY_SLOTS - 1):
            yield _layout(PAGE_BYTES - last_bytes, LINEAR_BYTES, frags, PAGE_BYTES // 2)
    for first_bytes in FIRST_SLOTS_BYTES:
        for frags in (0, LEGACY_SLOTS - 1):
            yield _layout(PAGE_BYTES - first_bytes, first_bytes, frags, PAGE_BYTES // 2)
    for frags in (1, LEGACY_SLOTS - 1):
        yield _layout(0, LINEAR_BYTES, frags, 1)
    yield worst_layout(max_frags)
    yield worst_layout(max_frags, gso=True)


def _layout(offset_bytes: int, linear_bytes: int, frags: int, frag_bytes: int) -> Layout:
    """A head, and frags of one slot each."""
    frag = Frag(order=0, offset_bytes=0, size_bytes=frag_bytes)
    return Layout(
        linear_bytes=linear_bytes,
        linear_offset_bytes=offset_bytes % PAGE_BYTES,
        frags=(frag,) * frags,
        protocol=Protocol.UDP4,
    )
