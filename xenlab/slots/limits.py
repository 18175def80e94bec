"""Limits: every number of the two drivers that decides what becomes of a layout.

Lines are those of Debian's linux-source-6.1 6.1.192-2: NF is drivers/net/xen-netfront.c, NB
drivers/net/xen-netback/netback.c, COMMON its common.h, NETIF include/xen/interface/io/netif.h.
Linux 7.2.13-1 has every one of them, a few lines away: of what decides a packet's fate only the
check behind it that ended a batch with full operations (NB:1108) is gone there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from xenlab.errors import InputError
from xenlab.slots.layout import ETHERNET_HEADER_BYTES, MAX_FRAGS, PAGE_BYTES

# XEN_NETIF_NR_SLOTS_MIN, NETIF:32; XEN_NETBK_LEGACY_SLOTS_MAX is the same number, COMMON:98.
LEGACY_SLOTS = 18
# 65536/PAGE_SIZE + 1, include/linux/skbuff.h:360; the smallest that CONFIG_MAX_SKB_FRAGS takes.
MIN_MAX_SKB_FRAGS = 17
# The wire's `size` has 16 bits: XEN_NETIF_MAX_TX_SIZE, NETIF:830; checked at NF:735.
WIRE_MAX_BYTES = 0xFFFF
# What netback's struct xenvif_tx_cb has room for (NB:331): slots that the head takes bytes of.
COPIED_SLOTS = LEGACY_SLOTS + 1
# XEN_NETBACK_TX_COPY_LEN, NB:91: what netback copies of every packet.
COPY_BYTES = 128
# NB:1009 drops a packet whose first slot is shorter; NF:760 bounces the skb that would make it so.
FIRST_SLOT_MIN_BYTES = ETHERNET_HEADER_BYTES
# RX_COPY_THRESHOLD, NF:83: what netfront pulls of a received packet into its head.
PULL_BYTES = 256
# NET_SKB_PAD + NET_IP_ALIGN on x86 (include/linux/skbuff.h:3104): before skb->data, NB:366.
SKB_PAD_BYTES = 64
# Headroom of an skb whose head begins with a page: the offset of its data.
FROM_PAGE_START = 0xFFFF
# One page of requests or responses (NF:85, NF:86).
RING_SLOTS = 256

RANGES = {
    # CONFIG_MAX_SKB_FRAGS (Linux commit 3948b05950fd, in v6.4).
    "max_skb_frags": (MIN_MAX_SKB_FRAGS, MAX_FRAGS),
    "backend_max_skb_frags": (MIN_MAX_SKB_FRAGS, MAX_FRAGS),
    "frontend_slots": (1, RING_SLOTS),
    "backend_slots": (1, RING_SLOTS),
    "fatal_skb_slots": (0, 0xFFFFFFFF),
    # A slot that is all headroom would never hold a byte (xen-netback/rx.c:411).
    "xdp_headroom_bytes": (0, PAGE_BYTES - 1),
    "gso_max_size_bytes": (1, 0xFFFFFFFF),
}


class Relocation(StrEnum):
    """What a frontend does with a packet of too many slots: all but the first are patched ones."""

    LINEARISE = "linearise"
    COPY = "copy frags to pages"
    REPACK = "repack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What differs between kernels, module parameters, settings and senders; stock by default.

    `max_skb_frags` is the sending domU's and `backend_max_skb_frags` dom0's MAX_SKB_FRAGS.
    `frontend_slots` is MAX_XEN_SKB_FRAGS + 1 of NF:743: more slots are linearised, or what
    `relocation` says.
    `backend_slots` is XEN_NETBK_LEGACY_SLOTS_MAX of NB:273: what may follow the first slot; how
    many of them are copied does not depend on it.
    `fatal_skb_slots` is netback's parameter (NB:80), raised to `backend_slots` by NB:1766.
    `xdp_headroom_bytes` is what the receiving netfront asks for: 256 with an XDP program, else 0.
    `gso_max_size_bytes` is the sending device's: a GSO skb of that size is not its (dev.c:3620).
    `headroom_bytes` is what the sender leaves between skb->head and skb->data, or FROM_PAGE_START.
    `bounces`: the frontend does not trust its backend, and copies every packet (NF:760).
    """

    max_skb_frags: int = MIN_MAX_SKB_FRAGS
    backend_max_skb_frags: int = MIN_MAX_SKB_FRAGS
    frontend_slots: int = LEGACY_SLOTS
    backend_slots: int = LEGACY_SLOTS
    fatal_skb_slots: int = 20
    xdp_headroom_bytes: int = 0
    gso_max_size_bytes: int = 65536
    headroom_bytes: int = SKB_PAD_BYTES
    scatter_gather: bool = True
    relocation: Relocation = Relocation.LINEARISE
    bounces: bool = False

    def __post_init__(self) -> None:
        if problems := tuple(self._problems()):
            raise InputError(*problems)

    @property
    def lost_slots(self) -> int:
        """The fewest slots that netback refuses: the first, and one more than may follow it."""
        return self.backend_slots + 2

    @property
    def fatal_slots(self) -> int:
        """The fewest slots for which netback disables the vif.

        The check of NB:258 comes before the request is taken and does not count the first.
        """
        return max(self.fatal_skb_slots, self.backend_slots) + 2

    def _problems(self) -> Iterator[str]:
        for name, (least, most) in RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most:
                yield f"{name}: {least} to {most}, not {value}"
        if self.relocation is not Relocation.LINEARISE and self.frontend_slots < LEGACY_SLOTS:
            # So many every packet fits into, and not into fewer: see kernels/patches.
            yield f"frontend_slots: at least {LEGACY_SLOTS} with relocation"
        if self.headroom_bytes != FROM_PAGE_START and not 0 <= self.headroom_bytes <= PAGE_BYTES:
            yield f"headroom_bytes: 0 to {PAGE_BYTES} or FROM_PAGE_START, not {self.headroom_bytes}"


STOCK = Limits()
