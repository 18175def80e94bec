"""Loads: pktgen at one end of a link, a counting filter at the other, counters at every hop.

Limits, beside those of its packets (xenlab/slots/pktgen.py): one thread, on the first CPU; IPv4;
skbs go straight to the driver, past qdiscs, MTU and the checks of the stack; no pace, so that a vif
may be overrun. clone_skb and burst are never used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address

from xenlab.errors import MeasurementError
from xenlab.guest.filters import Counted, CountingFilter, Mark, counting_filter
from xenlab.guest.pktgen import MAGIC, Pktgen, PktgenResult, pktgen_on
from xenlab.measure.counters import FILTER_DROPS
from xenlab.measure.drop_names import LEAVING_DROPS
from xenlab.measure.hops import account_hops, read_drops
from xenlab.measure.load import Arrivals, Load, LoadSpec, RingUse, between_devices
from xenlab.measure.path import DropCounter, Path
from xenlab.measure.ring import RingSnapshot
from xenlab.plan.model import DOM0, Link
from xenlab.traffic.composer.batch import ComposerFlow
from xenlab.traffic.composer.route import flow_of, sink_device_of, way_of
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.link_sight import LinkSight, look
from xenlab.traffic.measuring import path_of
from xenlab.traffic.settings import widest_mtus
from xenlab.waiting import wait_until

SETTING_S = 30.0
READ_S = 30.0
RUN_S = 30.0
PACKETS_A_SECOND = 200  # what the slowest host has been seen to do with 18 slots each
# The discard port (RFC 863): pktgen's own default.
PORT = 9
# Behind the IP header: where the addresses, the ports and pktgen's mark begin.
SOURCE_AT, SINK_AT, PORTS_AT, MARK_AT = 12, 16, 20, 28
U32 = 1 << 32


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sight:
    """One look at a link and its filter."""

    link: LinkSight
    marked: Counted
    others: Counted


@dataclass(slots=True, kw_only=True)
class Loader:
    """A link whose source has a generator and whose sink has a filter."""

    lab: LabHandle
    link: Link
    flow: ComposerFlow
    path: Path
    generator: Pktgen
    sinkhole: CountingFilter
    _at_rest: _Sight | None = None

    @property
    def queues(self) -> int:
        """How many queues the generator's device has."""
        folder = f"/sys/class/net/{self.generator.device}/queues"
        listed = self.generator.shell.run(["ls", folder], deadline=self.lab.budget(READ_S))
        names = listed.require_success().text.split()
        return sum(name.startswith("tx-") for name in names)

    def run(self, spec: LoadSpec) -> Load:
        """Send a load and account for all of it. Raises LabError and MeasurementError."""
        before = self._at_rest or self._look()
        deadline = self.lab.budget(RUN_S + spec.packets / PACKETS_A_SECOND)
        result = self.generator.run(_settings(spec, self.flow), deadline)
        loads: list[Load] = []

        def rested() -> Load | None:
            """What adds up is at rest; so is what two looks in a row agree on: more won't come."""
            self._at_rest = self._look()
            loads.append(self._build(spec, result, before, self._at_rest))
            rested = loads[-1].balanced or loads[-2:-1] == loads[-1:]
            return loads[-1] if rested and not self._at_rest.link.unrest else None

        what = "the counters of a load to rest"
        return wait_until(rested, what, self.lab.budget(READ_S), last_seen=lambda: str(loads[-1]))

    def _filters(self) -> Iterator[DropCounter]:
        """Filters of vifs on the way; the one at the end of it is ours."""
        for vif in (self.path.source.vif, self.path.sink.vif):
            if vif and (self.link.sink, vif) != (DOM0, self.sinkhole.device):
                yield DropCounter(node=DOM0, device=vif, counter=FILTER_DROPS)

    def _build(self, spec: LoadSpec, result: PktgenResult, before: _Sight, after: _Sight) -> Load:
        deltas = after.link.since(before.link)
        source_vif, sink_vif = self.path.source.vif, self.path.sink.vif
        return Load(
            source=self.link.source,
            sink=self.link.sink,
            device=self.generator.device,
            spec=spec,
            generated_pkts=result.sent_pkts,
            refused=result.refused,
            elapsed_us=result.elapsed_us,
            account=account_hops(self.path, deltas),
            source_drops=read_drops(self._leaving_drops(), deltas),
            filtered=read_drops(self._filters(), deltas),
            arrivals=_arrivals(before, after),
            from_guest=_use(source_vif, before, after, from_guest=True),
            to_guest=_use(sink_vif, before, after, from_guest=False),
        )

    def _look(self) -> _Sight:
        marked, others = self.sinkhole.read(self.lab.budget(READ_S))
        return _Sight(link=look(self.lab, self.path), marked=marked, others=others)

    def _leaving_drops(self) -> Iterator[DropCounter]:
        node, device = self.link.source, self.generator.device
        return (DropCounter(node=node, device=device, counter=name) for name in LEAVING_DROPS)


@contextmanager
def loading(lab: LabHandle, link: Link) -> Iterator[Loader]:
    """A loader for a link that is not routed; all it has set is taken back."""
    flow, path = flow_of(link), between_devices(path_of(lab, link))
    generator_device, sink_device = way_of(lab, link).device, sink_device_of(lab, link)
    with (
        widest_mtus(lab, link),
        counting_filter(
            lab.shell(link.sink), sink_device, _mark(flow), lab.budget(SETTING_S)
        ) as sinkhole,
        pktgen_on(lab.shell(link.source), generator_device, lab.budget(SETTING_S)) as generator,
    ):
        yield Loader(
            lab=lab, link=link, flow=flow, path=path, generator=generator, sinkhole=sinkhole,
        )  # fmt: skip


def _settings(spec: LoadSpec, flow: ComposerFlow) -> tuple[str, ...]:
    return (
        f"count {spec.packets}",
        f"pkt_size {spec.frame.size_bytes}",
        f"frags {spec.frame.frags}",
        "delay 0",
        f"src_mac {flow.source_mac}",
        f"dst_mac {flow.sink_mac}",
        f"src_min {flow.source4}",
        f"dst_min {flow.sink4}",
        f"udp_src_min {PORT}",
        f"udp_dst_min {PORT}",
        "queue_map_min 0",
        f"queue_map_max {spec.queues - 1}",
    )


def _mark(flow: ComposerFlow) -> Mark:
    return Mark(
        words=(
            (SOURCE_AT, int(IPv4Address(flow.source4))),
            (SINK_AT, int(IPv4Address(flow.sink4))),
            (PORTS_AT, PORT << 16 | PORT),
            (MARK_AT, MAGIC),
        )
    )


def _arrivals(before: _Sight, after: _Sight) -> Arrivals:
    return Arrivals(
        marked_pkts=after.marked.packets - before.marked.packets,
        marked_bytes=after.marked.bytes - before.marked.bytes,
        other_pkts=after.others.packets - before.others.packets,
    )


def _use(vif: str, before: _Sight, after: _Sight, *, from_guest: bool) -> RingUse | None:
    """Requests that netback took, or responses that it gave; the indices run free in 32 bits."""
    if not vif:
        return None
    first, last = (
        _indices(vif, sight.link.rings, from_guest=from_guest) for sight in (before, after)
    )
    if not first or first.keys() != last.keys():
        raise MeasurementError(f"{vif}: its rings were not there before and after the load")
    slots = {queue: (last[queue] - index) % U32 for queue, index in first.items()}
    return RingUse(vif=vif, slots=slots)


def _indices(vif: str, rings: Sequence[RingSnapshot], *, from_guest: bool) -> Mapping[int, int]:
    """The free-running index of each queue that is connected."""
    indices = {}
    for ring in rings:
        guests = ring.from_guest
        if ring.vif == vif and from_guest and guests is not None:
            indices[ring.queue] = guests.ring.req_cons
        if ring.vif == vif and not from_guest and ring.to_guest is not None:
            indices[ring.queue] = ring.to_guest.rsp_prod
    return indices
