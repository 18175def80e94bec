"""Wire: flows out of dom0's NIC, and what they cost dom0; with probes that count bounces."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.guest.bounce_probes import BOUNCE_PROBES
from xenlab.guest.cpu import read_busy_ns
from xenlab.guest.probes import DOM0_PROBES
from xenlab.guest.reading import read_node_files
from xenlab.guest.tracing import Tracing, tracing
from xenlab.measure.bounces import BOUNCED
from xenlab.measure.flow import FlowSpec
from xenlab.measure.measurement import Measurement
from xenlab.measure.penalties import FROM_GUEST, MAPS
from xenlab.measure.readings import Readings, subtract
from xenlab.measure.wire_cost import WireCost
from xenlab.plan.model import DOM0, UPLINK, Link
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import plan_flows
from xenlab.traffic.measuring import measure_link

READING_S = 30.0
NIC = f"/sys/class/net/{UPLINK}"
SENT = "sent"
# Long writes, so that a socket fills whole compound pages; some 1400 packets a stream.
STREAM_BYTES = (1048575, 999983)
_PCI_DEVICE = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
PROBES = (*BOUNCE_PROBES, *(probe for probe in DOM0_PROBES if probe.fills({MAPS})))


def plan_streams(link: Link) -> Sequence[FlowSpec]:
    """The streams that fill compound pages, over a link."""
    return plan_flows(link, link.mtu_bytes, (), STREAM_BYTES)


@dataclass(frozen=True, slots=True, kw_only=True)
class WireMeter:
    """Probes that are set in dom0, and its NIC's name on the PCI bus."""

    lab: LabHandle
    traced: Tracing
    device: str

    def measure(self, link: Link) -> tuple[WireCost, Measurement]:
        """Streams over a link; what they cost, and the account of their packets.

        Raises MeasurementError where something cannot be counted.
        """
        shell = self.lab.shell(DOM0)
        before, before_ns = self._look(), read_busy_ns(shell, self.lab.budget(READING_S))
        measurement = measure_link(self.lab, link, plan_streams(link))
        busy_ns = read_busy_ns(shell, self.lab.budget(READING_S)) - before_ns
        grown = subtract(before, self._look())
        cost = WireCost(
            packets=grown.counter(SENT),
            bounces=grown.hits(BOUNCED, lambda key: key[0] == self.device),
            bounced_bytes=grown.total(BOUNCED, lambda key: key[0] == self.device),
            maps=grown.total(MAPS, lambda key: key[0].partition(".")[0] == FROM_GUEST),
            busy_ns=busy_ns,
        )
        return cost, measurement

    def _look(self) -> Readings:
        packets = f"{NIC}/statistics/tx_packets"
        files = read_node_files(
            self.lab.shell(DOM0), [*self.traced.patterns, packets], [], self.lab.budget(READING_S)
        )
        tables = self.traced.read(files)
        number = files.number(packets)
        if number is None:
            raise MeasurementError(f"dom0 does not count what its NIC sends: none in {packets}")
        return Readings(
            node=DOM0, counters={SENT: number}, tables=tables.tables, missing=tables.missing
        )


@contextmanager
def wire_metered(lab: LabHandle) -> Iterator[WireMeter]:
    """Have bounces and maps counted in dom0. Raises MeasurementError where they cannot be."""
    with tracing(lab.shell(DOM0), PROBES, lab.budget(READING_S)) as traced:
        yield WireMeter(lab=lab, traced=traced, device=_find_device(lab))


def _find_device(lab: LabHandle) -> str:
    """By what name the NIC does DMA: its own on the PCI bus, also where it is virtio."""
    argv = ["readlink", "-f", f"{NIC}/device"]
    path = lab.shell(DOM0).run(argv, deadline=lab.budget(READING_S)).require_success().text.strip()
    names = [name for name in path.split("/") if _PCI_DEVICE.fullmatch(name)]
    if not names:
        raise MeasurementError(f"{path} is on no PCI bus: bounces are counted by PCI device")
    return names[-1]
