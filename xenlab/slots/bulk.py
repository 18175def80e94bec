"""BulkPrediction: the fates of many layouts at once, equal to predict() on each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xenlab.slots.columns import Booleans, Integers, LayoutColumns
from xenlab.slots.fate import Fate
from xenlab.slots.head import shared_info_bytes
from xenlab.slots.layout import MAX_ORDER, PAGE_BYTES
from xenlab.slots.limits import (
    COPIED_SLOTS,
    COPY_BYTES,
    FIRST_SLOT_MIN_BYTES,
    FROM_PAGE_START,
    LEGACY_SLOTS,
    STOCK,
    WIRE_MAX_BYTES,
    Limits,
    Relocation,
)
from xenlab.slots.pages import count_grants
from xenlab.slots.relocation import relocate

FATES = tuple(Fate)
# So many layouts of 17 frags, and what is computed of them, fit into a second-level cache.
BATCH = 8192
IN_PAGE = PAGE_BYTES - 1
# The fewest pages, a power of two of them, that hold so many.
PAGES_OF_ORDER = np.array(
    [1 << (pages - 1).bit_length() if pages else 0 for pages in range(2 << MAX_ORDER)], np.int32
)
PAGE_SHIFT = PAGE_BYTES.bit_length() - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPrediction:
    """One entry a layout; `fates` are places in FATES, `slots` is 0 where nothing is sent.

    The names are those of Sending, Acceptance and Counters.
    """

    counted_slots: Integers
    slots: Integers
    headlen_bytes: Integers
    fates: NDArray[np.uint8]
    tx_zerocopy_sent: NDArray[np.uint8]

    def count(self, fate: Fate) -> int:
        """How many layouts have this fate."""
        return int(np.count_nonzero(self.fates == FATES.index(fate)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    """What netfront makes of a batch; the linear part is that of the skb as it was granted."""

    counted_slots: Integers
    slots: Integers
    length_bytes: Integers
    linear_bytes: Integers
    offset_bytes: Integers
    linearised: Booleans
    relocated: Booleans
    bounced: Booleans


def predict_bulk(columns: LayoutColumns, limits: Limits = STOCK) -> BulkPrediction:
    """The fates of all layouts, batch by batch."""
    starts = range(0, max(1, len(columns)), BATCH)
    batches = [_predict(columns.cut(start, start + BATCH), limits) for start in starts]
    return BulkPrediction(
        counted_slots=np.concatenate([batch.counted_slots for batch in batches]),
        slots=np.concatenate([batch.slots for batch in batches]),
        headlen_bytes=np.concatenate([batch.headlen_bytes for batch in batches]),
        fates=np.concatenate([batch.fates for batch in batches]),
        tx_zerocopy_sent=np.concatenate([batch.tx_zerocopy_sent for batch in batches]),
    )


def _predict(columns: LayoutColumns, limits: Limits) -> BulkPrediction:
    sent = _send(columns, limits)
    slots = sent.slots
    first_bytes = np.minimum(PAGE_BYTES - sent.offset_bytes, sent.linear_bytes)
    fatal = slots >= limits.fatal_slots
    lost = (slots >= limits.lost_slots) | (first_bytes < FIRST_SLOT_MIN_BYTES)
    arrives = (slots > 0) & ~fatal & ~lost
    headlen_bytes = np.minimum(sent.length_bytes, COPY_BYTES)
    if limits.backend_slots > LEGACY_SLOTS:
        headlen_bytes = np.minimum(headlen_bytes, _first_slots_bytes(columns, sent))
    whole = slots >= LEGACY_SLOTS
    headlen_bytes = np.where(whole, np.maximum(headlen_bytes, first_bytes), headlen_bytes)
    headlen_bytes = np.where(arrives, headlen_bytes, 0).astype(np.int32)
    overflow = arrives & (slots > limits.backend_max_skb_frags)
    chosen = np.flatnonzero(overflow)
    if len(chosen):
        overflow[chosen] = _overflows(columns, sent, headlen_bytes, chosen, limits)
    mapped = arrives & (headlen_bytes < sent.length_bytes)
    return BulkPrediction(
        counted_slots=sent.counted_slots,
        slots=slots,
        headlen_bytes=headlen_bytes,
        fates=_fates(sent, fatal=fatal, lost=lost, overflow=overflow),
        tx_zerocopy_sent=np.where(overflow, 2, mapped).astype(np.uint8),
    )


def _fates(
    sent: _Sent, *, fatal: Booleans, lost: Booleans, overflow: Booleans
) -> NDArray[np.uint8]:
    """The code of each fate; what is written later goes first."""
    fates = np.full(len(sent.slots), FATES.index(Fate.INTACT), dtype=np.uint8)
    fates[sent.relocated] = FATES.index(Fate.RELOCATED)
    fates[sent.bounced] = FATES.index(Fate.BOUNCED)
    fates[sent.linearised] = FATES.index(Fate.LINEARISED)
    fates[overflow] = FATES.index(Fate.OVERFLOW)
    fates[lost] = FATES.index(Fate.LOST)
    fates[fatal] = FATES.index(Fate.VIF_DISABLED)
    fates[sent.slots == 0] = FATES.index(Fate.DROPPED)
    return fates


def _send(columns: LayoutColumns, limits: Limits) -> _Sent:
    """xennet_start_xmit(), as frontend.send() has it."""
    counted_slots = _grants(columns.linear_offset_bytes, columns.linear_bytes)
    requests = counted_slots.copy()
    length_bytes = columns.linear_bytes.copy()
    for offset_bytes, size_bytes in zip(
        columns.frag_offsets_bytes, columns.frag_sizes_bytes, strict=True
    ):
        grants = _grants(offset_bytes, size_bytes)
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
    slots = np.where(copied, _grants(offset_bytes, length_bytes), requests)
    relocated = excessive & ~copied
    for place in np.flatnonzero(relocated):
        slots[place] = _relocated_slots(columns, int(place), limits)
    return _Sent(
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


def _first_slots_bytes(columns: LayoutColumns, sent: _Sent) -> Integers:
    """What lies in as many slots as netback copies from at most; all of relocated packets."""
    left_slots = np.full(len(columns), COPIED_SLOTS, np.int32)
    taken_bytes = np.zeros_like(left_slots)
    copied = sent.linearised | sent.bounced | sent.relocated
    linear_bytes = np.where(copied, sent.length_bytes, sent.linear_bytes)
    stretches = [(sent.offset_bytes, linear_bytes)]
    stretches += zip(columns.frag_offsets_bytes, columns.frag_sizes_bytes * ~copied, strict=True)
    for offset_bytes, size_bytes in stretches:
        ends_bytes = left_slots * PAGE_BYTES - (offset_bytes & IN_PAGE)
        taken_bytes += np.where(left_slots > 0, np.minimum(size_bytes, ends_bytes), 0)
        left_slots = left_slots - _grants(offset_bytes, size_bytes) * (size_bytes > 0)
    return taken_bytes


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


def _overflows(
    columns: LayoutColumns,
    sent: _Sent,
    headlen_bytes: Integers,
    chosen: NDArray[np.intp],
    limits: Limits,
) -> Booleans:
    """Whether more slots are left to map than the skb has frags, for the layouts at `chosen`.

    A slot is copied whole if it ends within the head.
    """
    head_bytes = headlen_bytes[chosen]
    whole = _ends_within(sent.offset_bytes[chosen], sent.linear_bytes[chosen], head_bytes)
    head_bytes = head_bytes - sent.linear_bytes[chosen]
    copied = (sent.linearised | sent.bounced)[chosen]
    few = columns.pick(chosen)
    for offset_bytes, size_bytes in zip(few.frag_offsets_bytes, few.frag_sizes_bytes, strict=True):
        whole += np.where(copied, 0, _ends_within(offset_bytes, size_bytes, head_bytes))
        head_bytes = head_bytes - size_bytes
    return sent.slots[chosen] - whole > limits.backend_max_skb_frags


def _ends_within(offset_bytes: Integers, size_bytes: Integers, head_bytes: Integers) -> Integers:
    """How many pieces of a stretch end within its first `head_bytes`."""
    taken_bytes = np.clip(head_bytes, 0, size_bytes)
    page_ends = ((offset_bytes & IN_PAGE) + taken_bytes) >> PAGE_SHIFT
    all_taken = (size_bytes > 0) & (taken_bytes == size_bytes)
    last_in_page = ((offset_bytes + size_bytes) & IN_PAGE) > 0
    ends: Integers = page_ends + (all_taken & last_in_page)
    return ends


def _grants(offset_bytes: Integers, size_bytes: Integers) -> Integers:
    """gnttab_count_grant(), as pages.count_grants() has it."""
    return ((offset_bytes & IN_PAGE) + size_bytes + IN_PAGE) >> PAGE_SHIFT
