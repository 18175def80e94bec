"""BulkPrediction: the fates of many layouts at once, equal to predict() on each of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xenlab.slots.bulk_frontend import (
    IN_PAGE,
    PAGE_SHIFT,
    BulkSending,
    count_grants_bulk,
    send_bulk,
)
from xenlab.slots.columns import Booleans, Integers, LayoutColumns
from xenlab.slots.fate import Fate
from xenlab.slots.layout import PAGE_BYTES
from xenlab.slots.limits import (
    COPIED_SLOTS,
    COPY_BYTES,
    FIRST_SLOT_MIN_BYTES,
    LEGACY_SLOTS,
    STOCK,
    Limits,
)

FATES = tuple(Fate)
# So many layouts of 17 frags, and what is computed of them, fit into a second-level cache.
BATCH = 8192
NOT_FORETOLD = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPrediction:
    """One entry a layout; `fates` are places in FATES, `slots` is 0 where nothing is sent.

    The names are those of Sending, Acceptance and Counters; `frags` is how many Acceptance has,
    and NOT_FORETOLD of packets that were relocated.
    """

    counted_slots: Integers
    slots: Integers
    headlen_bytes: Integers
    frags: Integers
    fates: NDArray[np.uint8]
    tx_zerocopy_sent: NDArray[np.uint8]

    def count(self, fate: Fate) -> int:
        """How many layouts have this fate."""
        return int(np.count_nonzero(self.fates == FATES.index(fate)))


def predict_bulk(columns: LayoutColumns, limits: Limits = STOCK) -> BulkPrediction:
    """The fates of all layouts, batch by batch."""
    starts = range(0, max(1, len(columns)), BATCH)
    batches = [_predict(columns.cut(start, start + BATCH), limits) for start in starts]
    return BulkPrediction(
        counted_slots=np.concatenate([batch.counted_slots for batch in batches]),
        slots=np.concatenate([batch.slots for batch in batches]),
        headlen_bytes=np.concatenate([batch.headlen_bytes for batch in batches]),
        frags=np.concatenate([batch.frags for batch in batches]),
        fates=np.concatenate([batch.fates for batch in batches]),
        tx_zerocopy_sent=np.concatenate([batch.tx_zerocopy_sent for batch in batches]),
    )


def _predict(columns: LayoutColumns, limits: Limits) -> BulkPrediction:
    sent = send_bulk(columns, limits)
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
    # A slot is copied whole if it ends within the head; the others are mapped.
    mapped_slots = slots - _count_copied(columns, sent, headlen_bytes)
    overflow = arrives & (mapped_slots > limits.backend_max_skb_frags)
    left_bytes = sent.length_bytes - headlen_bytes
    frags = np.where(overflow, (left_bytes + IN_PAGE) >> PAGE_SHIFT, mapped_slots)
    frags = np.where(sent.relocated, NOT_FORETOLD, frags)
    return BulkPrediction(
        counted_slots=sent.counted_slots,
        slots=slots,
        headlen_bytes=headlen_bytes,
        frags=np.where(arrives, frags, 0).astype(np.int32),
        fates=_fates(sent, fatal=fatal, lost=lost, overflow=overflow),
        tx_zerocopy_sent=np.where(overflow, 2, arrives & (left_bytes > 0)).astype(np.uint8),
    )


def _fates(
    sent: BulkSending, *, fatal: Booleans, lost: Booleans, overflow: Booleans
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


def _first_slots_bytes(columns: LayoutColumns, sent: BulkSending) -> Integers:
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
        left_slots = left_slots - count_grants_bulk(offset_bytes, size_bytes) * (size_bytes > 0)
    return taken_bytes


def _count_copied(columns: LayoutColumns, sent: BulkSending, headlen_bytes: Integers) -> Integers:
    """How many slots of each packet end within its head; of relocated ones it is not right."""
    slots = _ends_within(sent.offset_bytes, sent.linear_bytes, headlen_bytes)
    left_bytes = headlen_bytes - sent.linear_bytes
    copied = sent.linearised | sent.bounced
    for offset_bytes, size_bytes in zip(
        columns.frag_offsets_bytes, columns.frag_sizes_bytes, strict=True
    ):
        slots += np.where(copied, 0, _ends_within(offset_bytes, size_bytes, left_bytes))
        left_bytes = left_bytes - size_bytes
    return slots


def _ends_within(offset_bytes: Integers, size_bytes: Integers, head_bytes: Integers) -> Integers:
    """How many pieces of a stretch end within its first `head_bytes`."""
    taken_bytes = np.clip(head_bytes, 0, size_bytes)
    page_ends = ((offset_bytes & IN_PAGE) + taken_bytes) >> PAGE_SHIFT
    all_taken = (size_bytes > 0) & (taken_bytes == size_bytes)
    last_in_page = ((offset_bytes + size_bytes) & IN_PAGE) > 0
    ends: Integers = page_ends + (all_taken & last_in_page)
    return ends
