"""Acceptance: what netback makes of the requests of one packet.

Line numbers are of drivers/net/xen-netback/netback.c in linux-source-6.1 6.1.192-2.

What cannot be known: whether an allocation, a grant copy or a grant mapping fails. From v6.3 on
the head of a short packet may come from a cache whose objects cross pages, and its copy then takes
one operation more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from xenlab.slots.layout import PAGE_BYTES
from xenlab.slots.limits import (
    COPIED_SLOTS,
    COPY_BYTES,
    FIRST_SLOT_MIN_BYTES,
    LEGACY_SLOTS,
    SKB_PAD_BYTES,
    STOCK,
    Limits,
)
from xenlab.slots.pages import Piece, cut_at_pages


class Reception(StrEnum):
    """What netback does with a packet."""

    MAPPED = "mapped"
    FIRST_SLOT_COPIED = "first-slot-copied"
    FRAG_LIST = "frag-list"
    LOST_SLOTS = "lost-slots"
    LOST_SHORT = "lost-short"
    VIF_DISABLED = "vif-disabled"

    @property
    def arrives(self) -> bool:
        """Whether the packet goes on to dom0's stack."""
        return self in {Reception.MAPPED, Reception.FIRST_SLOT_COPIED, Reception.FRAG_LIST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What netback does with one packet, and how the skb lies that dom0's stack gets.

    `copy_operations` are grant copies into the head; `copied_slots` were copied whole,
    `mapped_slots` are mapped, one of them after the first 128 bytes of it were copied.
    `headlen_bytes` counts from the Ethernet header on; tracepoints behind eth_type_trans() show
    14 less. `frags` are the skb's frags as dom0 has them: foreign pages, or after a frag_list
    local ones. `error_responses` are the slots answered with XEN_NETIF_RSP_ERROR.
    """

    reception: Reception
    slots: int
    copy_operations: int = 0
    copied_slots: int = 0
    mapped_slots: int = 0
    headlen_bytes: int = 0
    frags: tuple[Piece, ...] = ()
    error_responses: int = 0

    @property
    def frag_overflow(self) -> int:
        """By how much tx_frag_overflow moves (1128)."""
        return int(self.reception is Reception.FRAG_LIST)

    @property
    def zerocopy_sent(self) -> int:
        """By how much tx_zerocopy_sent moves: not at all where every byte was copied.

        1127 counts a frag_list twice and clears the destructor_arg that 1281 asks for;
        xenvif_fill_frags() sets it for the first frag only (702).
        """
        return 2 * self.frag_overflow or int(self.reception.arrives and self.mapped_slots > 0)


def accept(slots: Sequence[Piece], limits: Limits = STOCK) -> Acceptance:
    """xenvif_tx_build_gops (914) and xenvif_tx_submit (1181) for one packet's data slots."""
    count = len(slots)
    # 258 comes before 273: with both limits equal nothing is dropped, all is fatal.
    if count >= limits.fatal_slots:
        return Acceptance(reception=Reception.VIF_DISABLED, slots=count)
    if count >= limits.lost_slots:
        return Acceptance(reception=Reception.LOST_SLOTS, slots=count, error_responses=count)
    # 1009: `txreq.size` is by now the first slot's own, the others were taken off (303).
    if slots[0].size_bytes < FIRST_SLOT_MIN_BYTES:
        return Acceptance(reception=Reception.LOST_SHORT, slots=count, error_responses=count)
    headlen_bytes = _headlen(slots)
    copied, rest = _take(slots, headlen_bytes)
    # 460: as many frags as the kernel's skb takes; what is left goes to the frag_list (482).
    frag_list = len(rest) > limits.backend_max_skb_frags
    if frag_list:
        reception = Reception.FRAG_LIST
    else:
        reception = Reception.FIRST_SLOT_COPIED if headlen_bytes > COPY_BYTES else Reception.MAPPED
    rest_bytes = sum(piece.size_bytes for piece in rest)
    return Acceptance(
        reception=reception,
        slots=count,
        copy_operations=_copy_operations(slots, headlen_bytes),
        copied_slots=copied,
        mapped_slots=len(rest),
        headlen_bytes=headlen_bytes,
        frags=tuple(cut_at_pages(0, rest_bytes)) if frag_list else rest,
    )


def _headlen(slots: Sequence[Piece]) -> int:
    """998, and 1027: from 18 slots on the first one is copied whole, whatever is accepted.

    Of more slots than a stock backend takes, as many are copied as it would take.
    """
    length_bytes = sum(piece.size_bytes for piece in slots[:COPIED_SLOTS])
    headlen_bytes = min(length_bytes, COPY_BYTES)
    if len(slots) >= LEGACY_SLOTS:
        return max(headlen_bytes, slots[0].size_bytes)
    return headlen_bytes


def _take(slots: Sequence[Piece], headlen_bytes: int) -> tuple[int, tuple[Piece, ...]]:
    """The slots that the head takes whole (436), and what is left to map of the others (455)."""
    left_bytes = headlen_bytes
    for place, piece in enumerate(slots):
        if left_bytes < piece.size_bytes:
            first = Piece(
                offset_bytes=piece.offset_bytes + left_bytes,
                size_bytes=piece.size_bytes - left_bytes,
            )
            return place, (first, *slots[place + 1 :])
        left_bytes -= piece.size_bytes
    return len(slots), ()


def _copy_operations(slots: Sequence[Piece], headlen_bytes: int) -> int:
    """401: one grant copy a slot, cut where the head crosses a page (417).

    The head has 64 bytes before its data (366). A head longer than a page begins on one; a shorter
    one never crosses a page (natural alignment of kmalloc).
    """
    edge_bytes = PAGE_BYTES - SKB_PAD_BYTES
    at_bytes, operations = 0, 0
    for piece in slots:
        if at_bytes >= headlen_bytes:
            break
        end_bytes = min(at_bytes + piece.size_bytes, headlen_bytes)
        operations += 1 + int(at_bytes < edge_bytes < end_bytes)
        at_bytes = end_bytes
    return operations
