"""Delivery: what a packet takes on the receive ring of a guest, and what the guest makes of it.

RX is drivers/net/xen-netback/rx.c and NF drivers/net/xen-netfront.c, lines of linux-source-6.1
6.1.192-2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from xenlab.slots.backend import Acceptance
from xenlab.slots.layout import ETHERNET_HEADER_BYTES, PAGE_BYTES, Layout
from xenlab.slots.limits import LEGACY_SLOTS, PULL_BYTES, SKB_PAD_BYTES, STOCK, Limits
from xenlab.slots.pages import Piece, cut_at_pages


class GuestFate(StrEnum):
    """What the receiving netfront does; a rejected packet counts in rx_errors.

    PADDED: with XDP headroom netback's status counts the headroom as data (RX:398, RX:434), and
    netfront takes as many bytes from behind it (NF:1045, NF:1344): so many bytes too many.
    """

    INTACT = "intact"
    PADDED = "padded"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One packet on a guest's receive ring.

    `estimated_slots` is what netback waits for before it begins (RX:48); it knows of no headroom.
    `copy_operations` are grant copies. `length_bytes`, `headlen_bytes` and `frags` are the guest's
    skb before eth_type_trans() and GRO, zeros where it is rejected.
    """

    data_slots: int
    extra_slots: int
    estimated_slots: int
    copy_operations: int
    guest: GuestFate
    length_bytes: int = 0
    headlen_bytes: int = 0
    frags: int = 0

    @property
    def used_slots(self) -> int:
        """Data and extras."""
        return self.data_slots + self.extra_slots

    @property
    def shortfall_slots(self) -> int:
        """By how much the estimate is too low: so many slots are taken that nobody offered."""
        return self.used_slots - self.estimated_slots


def deliver_layout(layout: Layout, limits: Limits = STOCK) -> Delivery:
    """A layout that dom0 itself hands to a vif."""
    linear = Piece(offset_bytes=layout.linear_offset_bytes, size_bytes=layout.linear_bytes)
    frags = (
        Piece(offset_bytes=frag.offset_bytes, size_bytes=frag.size_bytes) for frag in layout.frags
    )
    return _deliver((linear, *frags), gso=layout.gso_size_bytes > 0, limits=limits)


def deliver_accepted(accepted: Acceptance, *, gso: bool, limits: Limits = STOCK) -> Delivery:
    """A packet that netback took from one guest and dom0 forwards to another."""
    head = Piece(offset_bytes=SKB_PAD_BYTES, size_bytes=accepted.headlen_bytes)
    return _deliver((head, *accepted.frags), gso=gso, limits=limits)


def _deliver(stretches: Sequence[Piece], *, gso: bool, limits: Limits) -> Delivery:
    """xenvif_rx_skb (RX:461); a stretch may cross pages here.

    No hash extra: without a control ring xenvif_start_xmit() clears the hash, and Linux's
    netfront has no control ring.
    """
    headroom_bytes = limits.xdp_headroom_bytes
    length_bytes = sum(stretch.size_bytes for stretch in stretches)
    room_bytes = PAGE_BYTES - headroom_bytes
    data_slots = -(-length_bytes // room_bytes)
    # RX:434: the status of a slot is where its data ends, headroom included.
    first_status_bytes = min(headroom_bytes + length_bytes, PAGE_BYTES)
    rejected = _is_rejected(length_bytes, data_slots, limits)
    fate = GuestFate.PADDED if headroom_bytes else GuestFate.INTACT
    return Delivery(
        data_slots=data_slots,
        extra_slots=int(gso) + int(headroom_bytes > 0),
        estimated_slots=-(-length_bytes // PAGE_BYTES) + int(gso),
        copy_operations=_copy_operations(stretches, room_bytes),
        guest=GuestFate.REJECTED if rejected else fate,
        length_bytes=0 if rejected else length_bytes + data_slots * headroom_bytes,
        headlen_bytes=0 if rejected else min(first_status_bytes, PULL_BYTES),
        frags=0 if rejected else data_slots - (first_status_bytes <= PULL_BYTES),
    )


def _is_rejected(length_bytes: int, data_slots: int, limits: Limits) -> bool:
    """Whether netfront refuses it.

    A status beyond the page, of the first slot only: later ones are read with the offset 0 that
    RX:431 wrote (NF:1066). Too many slots (NF:1026, NF:1122) or more frags than an skb takes
    (NF:1182): both allow one more behind a first slot of up to 256 bytes, but netback fills a slot
    before it begins another. Shorter than an Ethernet header (NF:1240).
    """
    headroom_bytes = limits.xdp_headroom_bytes
    first_status_bytes = min(headroom_bytes + length_bytes, PAGE_BYTES)
    return (
        headroom_bytes + first_status_bytes > PAGE_BYTES
        or data_slots > min(LEGACY_SLOTS, limits.max_skb_frags)
        or length_bytes < ETHERNET_HEADER_BYTES
    )


def _copy_operations(stretches: Sequence[Piece], room_bytes: int) -> int:
    """xenvif_rx_next_chunk (RX:355): cut where the source or the slot ends.

    A frag of size 0 takes an operation of no bytes (RX:405), unless nothing follows it (RX:411).
    """
    left_bytes = sum(stretch.size_bytes for stretch in stretches)
    operations, free_bytes = 0, room_bytes
    for stretch in stretches:
        if stretch.size_bytes == 0 and left_bytes > 0:
            operations += 1
        for piece in cut_at_pages(stretch.offset_bytes, stretch.size_bytes):
            # The first bytes fill up the slot, each further slot takes as much as it holds.
            operations += 1 + max(0, -(-(piece.size_bytes - free_bytes) // room_bytes))
            free_bytes = (free_bytes - piece.size_bytes) % room_bytes or room_bytes
            left_bytes -= piece.size_bytes
    return operations
