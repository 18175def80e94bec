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

from xenlab.errors import DriverFailed, LabError, MeasurementError, WaitTimedOut
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
from xenlab.traffic.link_sight import LinkSight, look, stands_still
from xenlab.traffic.measuring import path_of
from xenlab.traffic.settings import widest_mtus
from xenlab.waiting import Deadline, wait_until

SETTING_S = 30.0
READ_S = 30.0
RUN_S = 30.0
PACKETS_A_SECOND = 200  # what the slowest host has been seen to do with 18 slots each
# The discard port (RFC 863): pktgen's own default.
MANY = 10_000  # packets: no clock stands still for so long
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
    """A link whose source has a generator, on a device of `queues`, and whose sink has a filter."""

    lab: LabHandle
    link: Link
    flow: ComposerFlow
    path: Path
    generator: Pktgen
    queues: int
    sinkhole: CountingFilter
    _at_rest: _Sight | None = None
    _stuck: bool = False

    @property
    def stuck(self) -> bool:
        """Whether the generator waits for a packet that its driver does not give back."""
        return self._stuck

    def run(self, spec: LoadSpec) -> Load:
        """Send a load and account for all of it. Raises LabError and MeasurementError.

        Raises DriverFailed where something of an earlier load is on its way still.
        """
        before = self._at_rest or self._look()
        if self._at_rest and before.link.unrest:
            raise DriverFailed(f"never answered: {before.link.unrest}", phase="")
        deadline = self.lab.budget(RUN_S + spec.packets / PACKETS_A_SECOND)
        result = self.generator.run(_settings(spec, self.flow), deadline)
        self._stuck = not result.elapsed_us
        loads: list[Load] = []
        sights: list[LinkSight] = []

        def rested() -> Load | None:
            """What adds up is at rest; so is what two looks in a row agree on: more won't come."""
            self._at_rest = self._look()
            sights.append(self._at_rest.link)
            loads.append(self._build(spec, result, before, self._at_rest))
            rested = loads[-1].balanced or loads[-2:-1] == loads[-1:]
            return loads[-1] if rested and not loads[-1].unrest else None

        what = "the counters of a load to rest"
        deadline = self.lab.budget(READ_S)
        try:
            return wait_until(rested, what, deadline, last_seen=lambda: str(loads[-1]))
        except WaitTimedOut:
            if not stands_still(sights):
                raise
            return loads[-1]

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
            device_queues=self.queues,
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
            unrest=after.link.unrest,
        )

    def _look(self) -> _Sight:
        marked, others = self.sinkhole.read(self.lab.budget(READ_S))
        return _Sight(link=look(self.lab, self.path), marked=marked, others=others)

    def _leaving_drops(self) -> Iterator[DropCounter]:
        node, device = self.link.source, self.generator.device
        return (DropCounter(node=node, device=device, counter=name) for name in LEAVING_DROPS)


@contextmanager
def loading(lab: LabHandle, link: Link) -> Iterator[Loader]:
    """A loader for a link that is not routed; all it has set is taken back.

    Raises DriverFailed where the generator cannot be, for its driver keeps a packet.
    """
    loader: Loader | None = None
    try:
        with _loader_on(lab, link) as loader:
            yield loader
    except LabError as error:
        if loader is None or not loader.stuck:
            raise
        raise DriverFailed(f"a packet of pktgen was not given back: {error}", phase="") from error


@contextmanager
def _loader_on(lab: LabHandle, link: Link) -> Iterator[Loader]:
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
            lab=lab, link=link, flow=flow, path=path, generator=generator,
            queues=_count_queues(generator, lab.budget(READ_S)), sinkhole=sinkhole,
        )  # fmt: skip


def _count_queues(generator: Pktgen, deadline: Deadline) -> int:
    """How many queues a generator's device has. Raises MeasurementError where it has none."""
    folder = f"/sys/class/net/{generator.device}/queues"
    listed = generator.shell.run(["ls", folder], deadline=deadline).require_success()
    queues = sum(name.startswith("tx-") for name in listed.text.split())
    if not queues:
        raise MeasurementError(f"{folder} on {generator.shell.where} holds no queue to send by")
    return queues


def _settings(spec: LoadSpec, flow: ComposerFlow) -> tuple[str, ...]:
    """The words of a load for /proc/net/pktgen/DEVICE.

    A few packets may leave before a paravirtual clock goes on, and pktgen divides by the time that
    they took (show_results(), net/core/pktgen.c). Each waits a nanosecond for it then, which lets
    time pass; of many, whose rate matters, none does.
    """
    return (
        f"count {spec.packets}",
        f"pkt_size {spec.frame.size_bytes}",
        f"frags {spec.frame.frags}",
        f"delay {int(spec.packets < MANY)}",
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
