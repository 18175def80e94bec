"""The mixes of packets that exhaust a guest's ring."""

from __future__ import annotations

from itertools import cycle, islice

from xenlab.slots.layout import Frag, Layout, Protocol

# What is in the queue behind the ring must stay below XENVIF_RX_QUEUE_BYTES, 512 KiB
# (drivers/net/xen-netback/interface.c:45): else packets are refused, not kept.
QUEUE_BYTES = 400_000
RING_SLOTS = 256
PAGE_BYTES = 4096
LARGE_FRAG_BYTES = 32768
LINEAR_BYTES = 1000
GSO_SIZE_BYTES = 1448

SMALL = (100, False)
FULL = (1514, False)
PAGES = (9014, False)
GSO_ONE_SLOT = (4000, True)
GSO = (30000, True)
GSO_LARGE = (65000, True)

MIXES = {
    "one slot": (SMALL, FULL),
    "three slots": (PAGES,),
    "GSO": (GSO,),
    "large GSO": (GSO_LARGE,),
    "GSO of one slot": (GSO_ONE_SLOT,),
    "one slot and GSO": (SMALL, GSO, FULL),
    "one slot, three slots, GSO and large GSO": (FULL, PAGES, GSO, SMALL, GSO_LARGE),
}

# With headroom a data slot holds 3840 bytes, and a guest refuses a first one of more than 3584
# (slots/receive.py): these leave no slot that netback would take without it being offered.
ONE_SLOT = (3000, True)
HEADROOM_MIXES = {
    "headroom, one slot": (SMALL, FULL),
    "headroom, GSO of one slot": (ONE_SLOT,),
    "headroom, GSO and one slot": (ONE_SLOT, SMALL),
    "headroom, one slot and what a guest refuses": (PAGES, SMALL, FULL),
}
Kind = tuple[int, bool]


def build_mix(kinds: tuple[Kind, ...]) -> tuple[Layout, ...]:
    """Packets of these kinds in turn: as many as fill a ring, and some that have to wait."""
    mean_slots = sum(_slots(kind) for kind in kinds) / len(kinds)
    mean_bytes = sum(length_bytes for length_bytes, _gso in kinds) / len(kinds)
    waiting = min(QUEUE_BYTES / mean_bytes / 2, 40)
    packets = int(RING_SLOTS / mean_slots + max(waiting, 2))
    return tuple(build_packet(*kind) for kind in islice(cycle(kinds), packets))


def build_packet(length_bytes: int, gso: bool) -> Layout:  # noqa: FBT001 (a kind's second half)
    """A packet of this length: a head, and the rest in frags."""
    linear_bytes = min(length_bytes, LINEAR_BYTES)
    frags = []
    rest_bytes = length_bytes - linear_bytes
    while rest_bytes:
        size_bytes = min(rest_bytes, LARGE_FRAG_BYTES)
        frags.append(Frag(order=3, offset_bytes=0, size_bytes=size_bytes))
        rest_bytes -= size_bytes
    return Layout(
        linear_bytes=linear_bytes,
        linear_offset_bytes=0,
        frags=tuple(frags),
        gso_size_bytes=GSO_SIZE_BYTES if gso else 0,
        protocol=Protocol.TCP4 if gso else Protocol.UDP4,
    )


def _slots(kind: Kind) -> int:
    length_bytes, gso = kind
    return -(-length_bytes // PAGE_BYTES) + gso
