"""BulkSending: what netfront makes of many layouts at once, equal to send() on each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xenlab.slots.columns import Booleans, Integers, LayoutColumns
from xenlab.slots.head import shared_info_bytes
from xenlab.slots.layout import MAX_ORDER, PAGE_BYTES
from xenlab.slots.limits import (
    FIRST_SLOT_MIN_BYTES,
    FROM_PAGE_START,
    WIRE_MAX_BYTES,
    Limits,
    Relocation,
)
from xenlab.slots.pages import count_grants
from xenlab.slots.relocation import relocate

IN_PAGE = PAGE_BYTES - 1
PAGE_SHIFT = PAGE_BYTES.bit_length() - 1
# The fewest pages, a power of two of them, that hold so many.
PAGES_OF_ORDER = np.array(
    [1 << (pages - 1).bit_length() if pages else 0 for pages in range(2 << MAX_ORDER)], np.int32
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkSending:
    """What netfront makes of a batch; the linear part is that of the skb as it was granted."""

    counted_slots: Integers
    slots: Integers
    length_bytes: Integers
    linear_bytes: Integers
    offset_bytes: Integers
    linearised: Booleans
    relocated: Booleans
    bounced: Booleans


def send_bulk(columns: LayoutColumns, limits: Limits) -> BulkSending:
    """xennet_start_xmit(), as frontend.send() has it."""
    counted_slots = count_grants_bulk(columns.linear_offset_bytes, columns.linear_bytes)
    requests = counted_slots.copy()
    length_bytes = columns.linear_bytes.copy()
    for offset_bytes, size_bytes in zip(
        columns.frag_offsets_bytes, columns.frag_sizes_bytes, strict=True
    ):
        grants = count_grants_bulk(offset_bytes, size_bytes)
        counted_slots += grants
        requests += grants * (size_bytes > 0)
        length_bytes += size_bytes
    fits = length_bytes <= WIRE_MAX_BYTES
    nonlinear = length_bytes > columns.linear_bytes
    excessive = fits & nonlinear & (counted_slots > limits.frontend_slots)
    linearised = excessive & (limits.relocation is Relocation.LINEARISE)
    copy_offset_bytes, tailroom_bytes = _build_heads(columns, limits)
    moved = linearised & (length_bytes - columns.linear_bytes > tailroom_bytes)
    offset_bytes = np.where(moved, copy_offset_bytes, columns.linear_offset_bytes)
    crossing = PAGE_BYTES - offset_bytes < FIRST_SLOT_MIN_BYTES
    bounced = fits & (limits.bounces | crossing)
    offset_bytes = np.where(bounced, copy_offset_bytes, offset_bytes)
    copied = linearised | bounced
    slots = np.where(copied, count_grants_bulk(offset_bytes, length_bytes), requests)
    relocated = excessive & ~copied
    for place in np.flatnonzero(relocated):
        slots[place] = _relocated_slots(columns, int(place), limits)
    return BulkSending(
        counted_slots=counted_slots,
        slots=slots * _is_taken(columns, counted_slots, length_bytes, limits),
        length_bytes=length_bytes,
        linear_bytes=np.where(copied, length_bytes, columns.linear_bytes),
        offset_bytes=offset_bytes,
        linearised=linearised,
        relocated=relocated,
        bounced=bounced,
    )


def _relocated_slots(columns: LayoutColumns, place: int, limits: Limits) -> int:
    linear = columns.linear_offset_bytes[place], columns.linear_bytes[place]
    head_slots = count_grants(*map(int, linear))
    offsets_bytes = columns.frag_offsets_bytes[:, place].tolist()
    sizes_bytes = columns.frag_sizes_bytes[:, place].tolist()
    stretches = list(zip(offsets_bytes, sizes_bytes, strict=True))
    return head_slots + len(relocate(stretches, head_slots, limits))


def _build_heads(columns: LayoutColumns, limits: Limits) -> tuple[Integers, Integers]:
    """Head.copy_offset_bytes and Head.tailroom_bytes of each layout, as head.build_head()."""
    offset_bytes = columns.linear_offset_bytes
    headroom_bytes = np.full_like(offset_bytes, limits.headroom_bytes)
    if limits.headroom_bytes == FROM_PAGE_START:
        headroom_bytes = offset_bytes
    shared_bytes = shared_info_bytes(limits)
    tail_bytes = offset_bytes + columns.linear_bytes
    tail_bytes += np.int32(PAGE_BYTES) * (headroom_bytes > offset_bytes)
    pages = (tail_bytes + (shared_bytes + IN_PAGE)) >> PAGE_SHIFT
    end_bytes = (PAGES_OF_ORDER[pages] << PAGE_SHIFT) - shared_bytes
    return headroom_bytes & IN_PAGE, end_bytes - tail_bytes


def _is_taken(
    columns: LayoutColumns, counted_slots: Integers, length_bytes: Integers, limits: Limits
) -> Booleans:
    """Whether netfront sends it at all: frontend._refusal() and carries_gso()."""
    plain: Booleans = columns.gso_size_bytes == 0
    carried: Booleans = columns.offloads & (length_bytes < limits.gso_max_size_bytes)
    taken = (length_bytes <= WIRE_MAX_BYTES) & (plain | carried)
    if not limits.scatter_gather:
        taken &= plain & (counted_slots <= 1)
    return taken


def count_grants_bulk(offset_bytes: Integers, size_bytes: Integers) -> Integers:
    """gnttab_count_grant(), as pages.count_grants() has it."""
    return ((offset_bytes & IN_PAGE) + size_bytes + IN_PAGE) >> PAGE_SHIFT
