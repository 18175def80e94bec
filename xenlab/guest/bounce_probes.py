"""The probe that tells of bounces: the kernel's own event, once for each piece that it copies."""

from __future__ import annotations

from xenlab.guest.probes import Histogram, Probe
from xenlab.measure import bounces

BOUNCE_PROBES = (
    Probe(
        event="swiotlb/swiotlb_bounced",
        counts="pieces of DMA that go through swiotlb's own memory, by device",
        source="kernel/dma/swiotlb.c, swiotlb_tbl_map_single, by drivers/xen/swiotlb-xen.c:177",
        histograms=(Histogram(table=bounces.BOUNCED, keys=("dev_name",), value="size"),),
    ),
)
