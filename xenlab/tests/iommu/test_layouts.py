"""Packets of every number of ring slots and every page order, out of a guest and over the wire.

Needs: a NIC to the outside; the kernels' headers (fetched) and a compiler for the composer's
module. The NIC, dom0's or a driver domain's, reads the pages that the guest granted, each slot's by
itself: through the IOMMU's tables where there is one. What is larger than the wire's MTU is cut
before the NIC.
"""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.plan.model import Link
from xenlab.pytest_plugin import Judge
from xenlab.slots.boundaries import boundary_layouts, sweep_layouts
from xenlab.slots.compound import compound_layouts, crossing_layouts
from xenlab.slots.layout import Layout
from xenlab.slots.wire import on_a_wire
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.verdict.iommu import skip_without_nic
from xenlab.verdict.layouts import judge_layouts

SEED = 20140521
# Of the short form: enough of each kind, and no multiple of how many there are of one.
STEP = {Extent.QUICK: 5, Extent.WHOLE: 1}


def test_layouts_over_the_wire_meet_the_fate_that_the_model_says(
    lab: LabHandle, extent: Extent, judge: Judge
) -> None:
    link = next(_links_outwards(lab), None)
    if link is None:
        judge(skip_without_nic(lab.plan))
        return
    with composers_loaded(lab, link):
        for name, layouts in _kinds(lab.max_skb_frags(link.source)):
            passing = tuple(on_a_wire(layouts, link.mtu_bytes))[:: STEP[extent]]
            run = send_layouts(lab, link, passing, seed=SEED)
            judge(judge_layouts(run, subject=f"{run.subject}, {name}"))


def _links_outwards(lab: LabHandle) -> Iterator[Link]:
    for link in lab.plan.uplink_links():
        if link.source_vif and lab.plan.is_peer(link.sink):
            yield link


def _kinds(max_frags: int) -> Iterator[tuple[str, tuple[Layout, ...]]]:
    yield "every number of slots", tuple(sweep_layouts(max_frags=max_frags))
    yield "edges", tuple(boundary_layouts(max_frags))
    yield "compound pages of order 0 to 5", (*compound_layouts(), *crossing_layouts())
