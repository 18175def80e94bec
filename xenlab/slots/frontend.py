"""Sending: what netfront makes of a layout, request by request.

Line numbers are of drivers/net/xen-netfront.c in linux-source-6.1 6.1.192-2, unless said otherwise.

What cannot be known from a layout: whether the allocation of skb_linearize() or bounce_skb()
fails; the packet then counts in tx_dropped. What is assumed of the buffer, head.py says.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from xenlab.slots.head import SPARE_BYTES, Head, build_head, shared_info_bytes
from xenlab.slots.layout import PAGE_BYTES, Checksum, Layout, Protocol
from xenlab.slots.limits import (
    FIRST_SLOT_MIN_BYTES,
    STOCK,
    WIRE_MAX_BYTES,
    Limits,
    Relocation,
)
from xenlab.slots.pages import Piece, count_grants, cut_at_pages
from xenlab.slots.relocation import COPIED, Placed, relocate

LINEAR = -1
TCP = frozenset({Protocol.TCP4, Protocol.TCP6})


class Refusal(StrEnum):
    """Why xennet_start_xmit() drops an skb; each counts in tx_dropped (857).

    GSO is what the driver does when it is called directly. On the way through a qdisc
    validate_xmit_skb() segments such an skb first (net/core/dev.c:3790).
    """

    NONE = "none"
    OVERSIZE = "oversize"
    GSO = "gso"
    SCATTER_GATHER = "scatter-gather"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One data request on the transmit ring.

    `wire_bytes` is the size that the request tells: the first one tells the whole packet's (833).
    `frag` is the frag that it comes from, LINEAR for the linear part, COPIED for a page that a
    patched frontend copied it into.
    """

    piece: Piece
    wire_bytes: int
    frag: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What netfront does with one layout.

    `counted_slots` is what xennet_count_skb_slots() says of the skb as it came. `linear_bytes` and
    `linear_offset_bytes` are those of the skb as it was granted: after linearising and bouncing.
    `copy_order` is the order of the pages that skb_linearize() asks for, GFP_ATOMIC; 0 where it
    needs no more than a page, or nothing because the frags fit behind the tail. `relocated` is what
    patched frontends do in place of linearising.
    """

    counted_slots: int
    linearised: bool
    relocated: bool
    copy_order: int
    bounced: bool
    refusal: Refusal
    linear_bytes: int
    linear_offset_bytes: int
    requests: tuple[Request, ...]
    extra_slots: int

    @property
    def slots(self) -> int:
        """Data slots on the ring: T as the backend sees it."""
        return len(self.requests)

    @property
    def ring_slots(self) -> int:
        """Slots on the ring, the GSO extra included."""
        return self.slots + self.extra_slots

    @property
    def copied(self) -> bool:
        """Whether all bytes were copied before they were granted."""
        return self.linearised or self.bounced

    @property
    def relocated_bytes(self) -> int:
        """How many bytes a patched frontend copied into pages of its own."""
        copied = (each.piece.size_bytes for each in self.requests if each.frag == COPIED)
        return sum(copied)


def count_slots(layout: Layout) -> int:
    """xennet_count_skb_slots (563): grants of the linear part and of each frag."""
    linear = count_grants(layout.linear_offset_bytes, layout.linear_bytes)
    return linear + sum(count_grants(frag.offset_bytes, frag.size_bytes) for frag in layout.frags)


def send(layout: Layout, limits: Limits = STOCK) -> Sending:
    """xennet_start_xmit (705) for one skb, every allocation succeeding."""
    counted_slots = count_slots(layout)
    length_bytes = layout.length_bytes
    oversize = length_bytes > WIRE_MAX_BYTES
    # skb_linearize() is skb_is_nonlinear() first: frags of no bytes do not make it copy.
    nonlinear = length_bytes > layout.linear_bytes
    excessive = not oversize and counted_slots > limits.frontend_slots and nonlinear
    linearised = excessive and limits.relocation is Relocation.LINEARISE
    head = build_head(layout, limits)
    moved = linearised and length_bytes - layout.linear_bytes > head.tailroom_bytes
    offset_bytes = head.copy_offset_bytes if moved else head.offset_bytes
    # 760: the copy has the headroom of the original, counted from a page's start (683).
    crossing = PAGE_BYTES - offset_bytes < FIRST_SLOT_MIN_BYTES
    bounced = not oversize and (limits.bounces or crossing)
    if bounced:
        offset_bytes = head.copy_offset_bytes
    refusal = _refusal(layout, counted_slots, limits)
    copied = linearised or bounced
    relocated = excessive and not copied
    sent = refusal is Refusal.NONE
    placed = _place(layout, offset_bytes, limits, copied=copied, relocated=relocated)
    return Sending(
        counted_slots=counted_slots,
        linearised=linearised,
        relocated=relocated,
        copy_order=_copy_order(head, length_bytes, limits) if moved else 0,
        bounced=bounced,
        refusal=refusal,
        linear_bytes=length_bytes if copied else layout.linear_bytes,
        linear_offset_bytes=offset_bytes,
        requests=tuple(_requests(placed, length_bytes)) if sent else (),
        extra_slots=int(sent and layout.gso_size_bytes > 0),
    )


def _copy_order(head: Head, length_bytes: int, limits: Limits) -> int:
    """Headroom, data, what is asked for to spare, and skb_shared_info, rounded up by kmalloc."""
    bytes_asked = head.headroom_bytes + length_bytes + SPARE_BYTES + shared_info_bytes(limits)
    return (-(-bytes_asked // PAGE_BYTES) - 1).bit_length()


def _refusal(layout: Layout, counted_slots: int, limits: Limits) -> Refusal:
    """735 and 774: too long for the wire, more than one slot without SG, or GSO not for us.

    `slots` at 775 is the count from before linearising and bouncing.
    """
    if layout.length_bytes > WIRE_MAX_BYTES:
        return Refusal.OVERSIZE
    if counted_slots > 1 and not limits.scatter_gather:
        return Refusal.SCATTER_GATHER
    if layout.gso_size_bytes and not carries_gso(layout, limits):
        return Refusal.GSO
    return Refusal.NONE


def carries_gso(layout: Layout, limits: Limits) -> bool:
    """Whether the device takes this GSO skb (netif_needs_gso, include/linux/netdevice.h).

    Netfront has TSO for TCP only (1749), a GSO skb must leave its checksum to the device, and
    gso_features_check() takes GSO away from what reaches gso_max_size (net/core/dev.c:3620).
    """
    return (
        layout.protocol in TCP
        and layout.checksum is Checksum.PARTIAL
        and layout.length_bytes < limits.gso_max_size_bytes
        and limits.scatter_gather
    )


def _place(
    layout: Layout, offset_bytes: int, limits: Limits, *, copied: bool, relocated: bool
) -> tuple[Placed, ...]:
    """What is granted, in ring order (785, 822, 826)."""
    linear_bytes = layout.length_bytes if copied else layout.linear_bytes
    linear = tuple((LINEAR, piece) for piece in cut_at_pages(offset_bytes, linear_bytes))
    if copied:
        return linear
    stretches = [(frag.offset_bytes, frag.size_bytes) for frag in layout.frags]
    if relocated:
        return (*linear, *relocate(stretches, len(linear), limits))
    return (
        *linear,
        *((place, piece) for place, each in enumerate(stretches) for piece in cut_at_pages(*each)),
    )


def _requests(placed: tuple[Placed, ...], length_bytes: int) -> Iterator[Request]:
    """The requests; the first one tells the packet's length."""
    for place, (frag, piece) in enumerate(placed):
        wire_bytes = length_bytes if place == 0 else piece.size_bytes
        yield Request(piece=piece, wire_bytes=wire_bytes, frag=frag)
