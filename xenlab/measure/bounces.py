"""Bounces: how many packets of a PV dom0's NIC had to be copied, for a device could not read them.

The memory of a PV domain is contiguous for its kernel, and may be any pages for a device. What
crosses a page and does not go on there is copied into swiotlb's own memory before DMA
(linux/drivers/xen/swiotlb-xen.c, range_straddles_page_boundary).
"""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.measure.pv_memory import PvMemory
from xenlab.measure.wire_cost import WireCost

# Table of the probe: see xenlab/guest/bounce_probes.py.
BOUNCED = "bounced"


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceCell(WireCost):
    """What left dom0's NIC in one run, and how often something of it was copied for the device.

    `compound` says that the sender's sockets may use pages above order 0
    (net.core.high_order_alloc_disable 0). `forwarded` packets are a guest's: pages that it granted,
    each by itself.
    """

    source: str
    sink: str
    memory: PvMemory
    compound: bool
    forwarded: bool

    @property
    def setting(self) -> str:
        """What makes this cell another than its neighbours."""
        pages = "with" if self.compound else "without"
        return f"{self.memory} dom0, {pages} compound pages"

    @property
    def subject(self) -> str:
        """The cell in a few words."""
        return f"{self.source} -> {self.sink}, {self.setting}"

    @property
    def straddles(self) -> bool:
        """Whether packets of this cell hold pages that a device cannot read as one."""
        return self.compound and not self.forwarded and self.memory is PvMemory.SCATTERED


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceTable:
    """All cells of one lab."""

    subject: str
    cells: tuple[BounceCell, ...]
