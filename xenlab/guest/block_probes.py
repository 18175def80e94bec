"""The probe that tells of large blocks of memory: each one that somebody in the kernel got."""

from __future__ import annotations

from xenlab.guest.probes import Histogram, Probe
from xenlab.measure import starvation

# No page: what the event says where nothing was found.
NOTHING = "0xffffffffffffffff"


def block_probe(order: int) -> Probe:
    """Counts blocks of more than 2**order pages that were found, be it for a moment."""
    return Probe(
        event="kmem/mm_page_alloc",
        counts="blocks of memory above an order that somebody was given, by their order",
        source="mm/page_alloc.c, __alloc_pages",
        histograms=(
            Histogram(
                table=starvation.BLOCKS,
                keys=("order",),
                condition=f"order>{order}&&pfn!={NOTHING}",
            ),
        ),
    )
