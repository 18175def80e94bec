"""Measuring joined slots: a guest's streams out of dom0's NIC, by a netback that can join them."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from xenlab.errors import MeasurementError
from xenlab.guest.change import Change
from xenlab.guest.device_state import Feature
from xenlab.guest.driver import NodeDriver, read_loaded
from xenlab.guest.reading import read_node_files
from xenlab.guest.settings import open_settings
from xenlab.kernel.driver import STOCK, DriverKind
from xenlab.measure.joining import APART, JOINED, JoinCell
from xenlab.measure.measurement import Measurement
from xenlab.measure.pv_memory import PvMemory
from xenlab.plan.model import DOM0, Dom0Kind, Link
from xenlab.traffic.ballooning import scatter_memory
from xenlab.traffic.drivers import drivers_exchanged, parameter_set
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.wire import WireMeter, wire_metered

SERIES = "backend-adjacent"
JOIN_SLOTS = "join_slots"
READING_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinRun:
    """A cell, and the account of the packets that it was measured by."""

    cell: JoinCell
    measurement: Measurement


def measure_joining(lab: LabHandle) -> Generator[JoinRun]:
    """Streams of a domU over the wire, its memory fresh and then scattered, joined and apart.

    The domU's memory stays scattered. Raises LabError, and MeasurementError where something cannot
    be counted.
    """
    links = (link for link in lab.plan.uplink_links() if lab.plan.is_peer(link.sink))
    link = next(link for link in links if link.source != DOM0)
    with _prepared(lab, link) as (meter, driver):
        for memory in PvMemory:
            if memory is PvMemory.SCATTERED:
                scatter_memory(lab, link.source)
            for word in ("N", "Y"):
                with parameter_set(lab, DOM0, driver, JOIN_SLOTS, word):
                    yield _measure(meter, link, memory, joining=word == "Y")


@contextmanager
def _prepared(lab: LabHandle, link: Link) -> Iterator[tuple[WireMeter, NodeDriver]]:
    """The series in dom0, and a source that cuts its streams itself.

    What dom0 cut, its NIC would not read from the guest's pages: skb_segment copies whatever came
    by way of netback (net/core/skbuff.c, skb_orphan_frags).
    """
    shell, device = lab.shell(link.source), link.source_device
    deadline = lab.budget(READING_S)
    with drivers_exchanged(lab, link.source) as drivers:
        drivers.run(STOCK, SERIES)
        driver = read_loaded(lab.shell(DOM0), DriverKind.NETBACK, lab.budget(READING_S))
        with open_settings(shell, [device], deadline) as settings, wire_metered(lab) as meter:
            uncut = {Feature.TSO: False, Feature.GSO: False}
            changed = settings.apply([Change(device=device, features=uncut)], deadline)
            if changed.refused:
                raise MeasurementError("; ".join(changed.refused))
            yield meter, driver


def _measure(meter: WireMeter, link: Link, memory: PvMemory, *, joining: bool) -> JoinRun:
    before = _count_slots(meter.lab, link)
    cost, measurement = meter.measure(link)
    after = _count_slots(meter.lab, link)
    cell = JoinCell(
        source=link.source, sink=link.sink, memory=memory, joining=joining,
        translated=meter.lab.plan.dom0.kind is Dom0Kind.PVH,
        slots_joined=after[JOINED] - before[JOINED], slots_apart=after[APART] - before[APART],
        **asdict(cost),
    )  # fmt: skip
    return JoinRun(cell=cell, measurement=measurement)


def _count_slots(lab: LabHandle, link: Link) -> dict[str, int]:
    if link.source_vif is None:
        raise MeasurementError(f"{link.source} has no vif on the way to {link.sink}")
    vif = lab.vif(link.source, link.source_vif.index)
    files = read_node_files(lab.shell(DOM0), [], [vif], lab.budget(READING_S))
    told = files.statistics.get(vif, {})
    if missing := {JOINED, APART} - told.keys():
        raise MeasurementError(f"{vif} does not count {' and '.join(sorted(missing))}")
    return {name: told[name] for name in (JOINED, APART)}
