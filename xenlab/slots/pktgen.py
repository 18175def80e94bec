"""PktgenFrame: the packet that the kernel's pktgen makes of a size and a number of frags.

What it cannot make: a compound page (all its frags are one page of order 0, from its start), GSO,
contents of its own, more slots than 18. Lines are of linux-source-6.1 6.1.192-2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from xenlab.errors import InputError
from xenlab.slots.layout import (
    ETHERNET_HEADER_BYTES,
    IPV4_HEADER_BYTES,
    PAGE_BYTES,
    UDP_HEADER_BYTES,
)
from xenlab.slots.limits import LEGACY_SLOTS, MIN_MAX_SKB_FRAGS, WIRE_MAX_BYTES

# struct pktgen_hdr: magic, sequence number, time (net/core/pktgen.c:195).
MARK_BYTES = 16
HEADER_BYTES = ETHERNET_HEADER_BYTES + IPV4_HEADER_BYTES + UDP_HEADER_BYTES + MARK_BYTES
# The least on a real wire, without its checksum.
LEAST_BYTES = 60
# NET_SKB_PAD and 16 more, less the Ethernet header: pktgen_alloc_skb() and fill_packet_ipv4().
DATA_OFFSET_BYTES = 64 + 16 - ETHERNET_HEADER_BYTES
# What is allocated beyond the packet: its own 64, LL_RESERVED_SPACE() of 16, and NET_SKB_PAD.
SPARE_BYTES = 64 + 16 + 64
# SKB_WITH_OVERHEAD() of 1024 bytes and of a page: between the two the head comes from a page_frag,
# and may lie across the end of a page (__netdev_alloc_skb(), net/core/skbuff.c:576).
KMALLOC_BELOW_BYTES = 1024 - 320
KMALLOC_ABOVE_BYTES = PAGE_BYTES - 320


@dataclass(frozen=True, slots=True, kw_only=True)
class PktgenFrame:
    """A packet of `size_bytes` from the Ethernet header on, in `frags` frags; IPv4 and UDP.

    InputError for what pktgen does not make as it is asked to, and for what might be linearised:
    pktgen holds a reference to its skbs, and with it pskb_expand_head() is a BUG.
    """

    size_bytes: int
    frags: int = 0

    def __post_init__(self) -> None:
        if problems := tuple(self._problems()):
            raise InputError(*problems)

    def __str__(self) -> str:
        """Such as `1514 bytes in 4 frags`."""
        return f"{self.size_bytes} bytes in {self.frags} frags"

    @property
    def linear_bytes(self) -> int:
        """Headers, pktgen's mark, and what finds no room in the frags (pktgen.c:2782)."""
        return HEADER_BYTES + max(0, self._filling_bytes - self._room_bytes)

    @property
    def frag_sizes_bytes(self) -> tuple[int, ...]:
        """The last frag takes the remainder."""
        if not self.frags:
            return ()
        paged = min(self._filling_bytes, self._room_bytes)
        each = paged // self.frags
        return (*[each] * (self.frags - 1), paged - each * (self.frags - 1))

    @property
    def least_slots(self) -> int:
        """The fewest ring slots that it can take from a guest."""
        if self._head_is_aligned:
            return self._head_slots(DATA_OFFSET_BYTES) + self.frags
        return self._head_slots(0) + self.frags

    @property
    def most_slots(self) -> int:
        """The most: a head from a page_frag may cross a page more."""
        if self._head_is_aligned:
            return self.least_slots
        return self._head_slots(PAGE_BYTES - 1) + self.frags

    @property
    def delivery_slots(self) -> int:
        """Ring slots on the way to a guest without XDP headroom (xen-netback/rx.c:48)."""
        return -(-self.size_bytes // PAGE_BYTES)

    @property
    def _filling_bytes(self) -> int:
        return self.size_bytes - HEADER_BYTES

    @property
    def _room_bytes(self) -> int:
        return self.frags * PAGE_BYTES

    @property
    def _head_is_aligned(self) -> bool:
        """From kmalloc(), of which a small piece lies in one page and a large one begins one."""
        allocated = self.size_bytes + SPARE_BYTES
        return not KMALLOC_BELOW_BYTES < allocated <= KMALLOC_ABOVE_BYTES

    def _head_slots(self, offset_bytes: int) -> int:
        return -(-(offset_bytes + self.linear_bytes) // PAGE_BYTES)

    def _problems(self) -> Iterator[str]:
        if not LEAST_BYTES <= self.size_bytes <= WIRE_MAX_BYTES:
            yield f"{self}: pktgen packets have {LEAST_BYTES} to {WIRE_MAX_BYTES} bytes here"
        elif not 0 <= self.frags <= MIN_MAX_SKB_FRAGS:
            yield f"{self}: 0 to {MIN_MAX_SKB_FRAGS} frags"
        elif self.frags > self._filling_bytes:
            yield f"{self}: pktgen would make frags of nothing"
        elif self.frags and self.frag_sizes_bytes[-1] > PAGE_BYTES:
            # Its loop goes on until nothing is left, with another whole frag (pktgen.c:2791).
            yield f"{self}: pktgen would add a frag to them, and more bytes than it was told"
        elif self.most_slots > LEGACY_SLOTS:
            yield f"{self}: up to {self.most_slots} slots, and what has more than 18 is linearised"
