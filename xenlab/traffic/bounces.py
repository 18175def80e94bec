"""Measuring bounces: streams out of dom0's NIC, with and without compound pages at their sender."""

from __future__ import annotations

import re
from collections.abc import Generator
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.guest.bounce_probes import BOUNCE_PROBES
from xenlab.guest.cpu import read_busy_ns
from xenlab.guest.probes import DOM0_PROBES
from xenlab.guest.reading import read_node_files
from xenlab.guest.tracing import Tracing, tracing
from xenlab.measure.bounces import BOUNCED, BounceCell, Dom0Memory
from xenlab.measure.measurement import Measurement
from xenlab.measure.penalties import FROM_GUEST, MAPS
from xenlab.measure.readings import Readings, subtract
from xenlab.plan.model import DOM0, UPLINK, Link
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import plan_flows
from xenlab.traffic.measuring import measure_link
from xenlab.traffic.settings import sysctl_set

READING_S = 30.0
ORDER_0_ONLY = "net.core.high_order_alloc_disable"
NIC = f"/sys/class/net/{UPLINK}"
SENT = "sent"
# Long writes, so that a socket fills whole compound pages; some 1400 packets a stream.
STREAM_BYTES = (1048575, 999983)
_PCI_DEVICE = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
PROBES = (*BOUNCE_PROBES, *(probe for probe in DOM0_PROBES if probe.fills({MAPS})))


@dataclass(frozen=True, slots=True, kw_only=True)
class BounceRun:
    """A cell, and the account of the packets that it was measured by."""

    cell: BounceCell
    measurement: Measurement


def measure_bounces(lab: LabHandle, memory: Dom0Memory) -> Generator[BounceRun]:
    """Streams from dom0 and from a domU over the wire, with and without compound pages each.

    `memory` is what dom0's is said to be. Raises MeasurementError where bounces cannot be counted.
    """
    with tracing(lab.shell(DOM0), PROBES, lab.budget(READING_S)) as traced:
        device = _find_device(lab)
        for link in _links_outwards(lab):
            for value in ("0", "1"):
                with sysctl_set(lab, link.source, ORDER_0_ONLY, value):
                    yield _measure(lab, link, memory, traced, device, compound=value == "0")


def _links_outwards(lab: LabHandle) -> tuple[Link, ...]:
    """From dom0, and from the first domU on the wire's network."""
    outwards = [link for link in lab.plan.uplink_links() if lab.plan.is_peer(link.sink)]
    forwarded = [link for link in outwards if link.source != DOM0]
    return (*(link for link in outwards if link.source == DOM0), *forwarded[:1])


def _measure(
    lab: LabHandle,
    link: Link,
    memory: Dom0Memory,
    traced: Tracing,
    device: str,
    *,
    compound: bool,
) -> BounceRun:
    shell = lab.shell(DOM0)
    before, before_ns = _look(lab, traced), read_busy_ns(shell, lab.budget(READING_S))
    flows = plan_flows(link, link.mtu_bytes, (), STREAM_BYTES)
    measurement = measure_link(lab, link, flows)
    busy_ns = read_busy_ns(shell, lab.budget(READING_S)) - before_ns
    grown = subtract(before, _look(lab, traced))
    return BounceRun(
        cell=BounceCell(
            source=link.source,
            sink=link.sink,
            memory=memory,
            compound=compound,
            forwarded=link.source != DOM0,
            packets=grown.counter(SENT),
            bounces=grown.hits(BOUNCED, lambda key: key[0] == device),
            bounced_bytes=grown.total(BOUNCED, lambda key: key[0] == device),
            maps=grown.total(MAPS, lambda key: key[0].partition(".")[0] == FROM_GUEST),
            busy_ns=busy_ns,
        ),
        measurement=measurement,
    )


def _look(lab: LabHandle, traced: Tracing) -> Readings:
    packets = f"{NIC}/statistics/tx_packets"
    files = read_node_files(lab.shell(DOM0), [*traced.patterns, packets], [], lab.budget(READING_S))
    tables = traced.read(files)
    number = files.number(packets)
    if number is None:
        raise MeasurementError(f"dom0 does not count what its NIC sends: no number in {packets}")
    return Readings(
        node=DOM0, counters={SENT: number}, tables=tables.tables, missing=tables.missing
    )


def _find_device(lab: LabHandle) -> str:
    """By what name the NIC does DMA: its own on the PCI bus, also where it is virtio."""
    argv = ["readlink", "-f", f"{NIC}/device"]
    path = lab.shell(DOM0).run(argv, deadline=lab.budget(READING_S)).require_success().text.strip()
    names = [name for name in path.split("/") if _PCI_DEVICE.fullmatch(name)]
    if not names:
        raise MeasurementError(f"{path} is on no PCI bus: bounces are counted by PCI device")
    return names[-1]
