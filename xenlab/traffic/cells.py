"""Cells: the same traffic under one setting of the devices on its way after another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from xenlab.guest.change import Change
from xenlab.guest.reading import read_node_files
from xenlab.guest.settings import Settings, open_settings
from xenlab.guest.shape_probes import shape_probes
from xenlab.guest.sysctl import sysctls_set
from xenlab.guest.tracing import Tracing, tracing
from xenlab.measure.flow import FlowSpec
from xenlab.measure.measurement import Measurement
from xenlab.measure.readings import Growth, Readings, subtract
from xenlab.measure.shapes import Shapes, Spot, Stage, read_shapes
from xenlab.plan.model import DOM0, Link
from xenlab.together import all_open, on_all
from xenlab.traffic.flow import FlowSource
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.measuring import measure_link

SET_S = 30.0
# All cells of a link, on an ordinary machine.
BENCH_S = 300.0
# TCP makes packets as large as the device takes, however long the way is: by default it halves them
# for each 512 us of its round trip (net/ipv4/tcp_output.c, tcp_tso_autosize), none holds more than
# twice what the connection sends in a millisecond (there; tcp_input.c, tcp_update_pacing_rate), it
# sends what is a third of its congestion window (tcp_tso_should_defer), and none is longer than
# half the window that its receiver has shown (tcp_bound_to_half_wnd).
LARGE_PACKETS = {
    "net/ipv4/tcp_tso_rtt_log": "20",
    "net/ipv4/tcp_tso_win_divisor": "1",
    "net/ipv4/tcp_pacing_ss_ratio": "1000",
    "net/ipv4/tcp_pacing_ca_ratio": "1000",
}
LARGE_WINDOW = {"net/ipv4/tcp_rmem": "4096 4194304 6291456"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A link's devices, as they are set and watched: node and device; a vif is dom0's."""

    source: tuple[str, str]
    source_vif: str
    sink_vif: str
    sink: tuple[str, str]
    bridges: tuple[str, ...]

    @property
    def devices(self) -> Mapping[str, tuple[str, ...]]:
        """All devices on the way, by node."""
        vifs = tuple(vif for vif in (self.source_vif, self.sink_vif) if vif)
        domus = {node: (device,) for node, device in (self.source, self.sink) if node != DOM0}
        return {**domus, DOM0: (*self.bridges, *vifs)}

    @property
    def feeder(self) -> Spot:
        """What comes to the sink's vif: what netback took from the source, or dom0 itself sent."""
        if self.source_vif:
            return Spot(node=DOM0, device=self.source_vif, stage=Stage.RECEIVED)
        return Spot(node=DOM0, device=self.bridges[0], stage=Stage.SENT)

    def change_all(self, mtu_bytes: int) -> Mapping[str, tuple[Change, ...]]:
        """One MTU for all of them."""
        return {
            node: tuple(Change(device=device, mtu_bytes=mtu_bytes) for device in devices)
            for node, devices in self.devices.items()
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRun:
    """One cell: what was refused, and else what was measured and seen meanwhile.

    `fed` is what came to the sink's vif.
    """

    refused: tuple[str, ...]
    measurement: Measurement | None = None
    sight: Mapping[Spot, Shapes] = field(default_factory=dict)
    fed: Shapes = field(default_factory=Shapes)


@dataclass(slots=True, kw_only=True)
class Bench:
    """A link whose devices are set and watched."""

    lab: LabHandle
    link: Link
    way: Way
    settings: Mapping[str, Settings]
    tracings: Mapping[str, Tracing]
    _seen: Mapping[str, Readings]

    def run(
        self, changes: Mapping[str, Sequence[Change]], specs: Sequence[FlowSpec], mtu_bytes: int
    ) -> CellRun:
        """Send flows under a setting; nothing is sent where a device refuses it.

        Raises LabError where the lab broke, and MeasurementError for what could not be counted.
        """
        deadline = self.lab.budget(SET_S)
        changed = on_all(
            lambda node: self.settings[node].apply(changes.get(node, ()), deadline), self.settings
        )
        if refused := [why for each in changed.values() for why in each.refused]:
            return CellRun(refused=tuple(refused))
        measurement = measure_link(self.lab, self.link, specs, FlowSource(mtu_bytes=mtu_bytes))
        grown = self.look()
        sight = {spot: read_shapes(grown[spot.node], spot) for spot in self._spots()}
        return CellRun(
            refused=(),
            measurement=measurement,
            sight=sight,
            fed=sight[self.way.feeder],
        )

    def look(self) -> Mapping[str, Growth]:
        """What was seen since the last look."""
        before, after = self._seen, _read(self.lab, self.tracings)
        self._seen = after
        return {node: subtract(before[node], after[node]) for node in after}

    def _spots(self) -> Iterator[Spot]:
        for node, devices in self.way.devices.items():
            for device in devices:
                for stage in Stage:
                    # What a bridge receives it is not given as a device.
                    if stage is not Stage.RECEIVED or device not in self.way.bridges:
                        yield Spot(node=node, device=device, stage=stage)


def way_of(lab: LabHandle, link: Link) -> Way:
    """The devices of a link between nodes of one lab."""
    return Way(
        source=(link.source, link.source_device),
        source_vif=lab.vif(link.source, link.source_vif.index) if link.source_vif else "",
        sink_vif=lab.vif(link.sink, link.sink_vif.index) if link.sink_vif else "",
        sink=(link.sink, link.sink_device),
        bridges=tuple(lab.plan.network(name).bridge for name in link.networks),
    )


@contextmanager
def open_bench(lab: LabHandle, link: Link) -> Iterator[Bench]:
    """A link's devices, to be set; in the end they are as they were, and unwatched.

    The settings are put back also behind an error.
    """
    way = way_of(lab, link)
    deadline = lab.budget(BENCH_S)
    shells = {node: lab.shell(node) for node in way.devices}
    probes = {
        node: tracing(shells[node], shape_probes(devices), deadline)
        for node, devices in way.devices.items()
    }
    devices_open = {
        node: open_settings(shells[node], devices, deadline)
        for node, devices in way.devices.items()
    }
    large = {
        node: sysctls_set(shells[node], values, deadline)
        for node, values in ((link.source, LARGE_PACKETS), (link.sink, LARGE_WINDOW))
    }
    with all_open(probes) as tracings, all_open(devices_open) as settings, all_open(large):
        seen = _read(lab, tracings)
        yield Bench(lab=lab, link=link, way=way, settings=settings, tracings=tracings, _seen=seen)


def _read(lab: LabHandle, tracings: Mapping[str, Tracing]) -> Mapping[str, Readings]:
    deadline = lab.budget(SET_S)

    def read(node: str) -> Readings:
        tracing = tracings[node]
        return tracing.read(read_node_files(lab.shell(node), tracing.patterns, (), deadline))

    return on_all(read, tracings)
