"""Measuring bounces: streams out of dom0's NIC, with and without compound pages at their sender."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import asdict, dataclass

from xenlab.measure.bounces import BounceCell
from xenlab.measure.measurement import Measurement
from xenlab.measure.pv_memory import PvMemory
from xenlab.plan.model import DOM0, Link
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.settings import sysctl_set
from xenlab.traffic.wire import wire_metered

ORDER_0_ONLY = "net.core.high_order_alloc_disable"


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceRun:
    """A cell, and the account of the packets that it was measured by."""

    cell: BounceCell
    measurement: Measurement


def measure_bounces(lab: LabHandle, memory: PvMemory) -> Generator[BounceRun]:
    """Streams from dom0 and from a domU over the wire, with and without compound pages each.

    `memory` is what dom0's is said to be. Raises MeasurementError where bounces cannot be counted.
    """
    with wire_metered(lab) as meter:
        for link in _links_outwards(lab):
            for value in ("0", "1"):
                with sysctl_set(lab, link.source, ORDER_0_ONLY, value):
                    cost, measurement = meter.measure(link)
                    cell = BounceCell(
                        source=link.source, sink=link.sink, memory=memory, compound=value == "0",
                        forwarded=link.source != DOM0, **asdict(cost),
                    )  # fmt: skip
                    yield BounceRun(cell=cell, measurement=measurement)


def _links_outwards(lab: LabHandle) -> tuple[Link, ...]:
    """From dom0, and from the first domU on the wire's network."""
    outwards = [link for link in lab.plan.uplink_links() if lab.plan.is_peer(link.sink)]
    forwarded = [link for link in outwards if link.source != DOM0]
    return (*(link for link in outwards if link.source == DOM0), *forwarded[:1])
