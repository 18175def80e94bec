"""A stream of datagrams over a driver domain that is killed on the way and comes back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from xenlab.errors import MeasurementError, WaitTimedOut
from xenlab.guest.counters import XLFLOW, read_counters
from xenlab.measure.attachment import Attachment
from xenlab.measure.counters import CounterDelta, CounterSnapshot
from xenlab.measure.drop_names import FORWARDING_DROPS
from xenlab.measure.flow import FlowSpec, Transport, UdpFlow
from xenlab.measure.hops import Drop
from xenlab.measure.outage import Outage
from xenlab.measure.path import DropCounter, Path, Side
from xenlab.plan.model import DOM0, LabPlan, Link
from xenlab.traffic.driver_domain import kill_backend, revive_backend
from xenlab.traffic.flow import IDLE_S, FlowBudget, FlowSource, run_flows
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.measuring import path_of
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline, wait_until

RUN_S = 240.0
PORT = 20010
SEED = 5
SIZE_BYTES = 200
DATAGRAMS = 6000
# 242 bytes a frame: some twenty packets a second, so that the sink can name each that is missing
# of three minutes; and what any host forwards.
SLOW, QUICK = "40kbit", "3mbit"
# A token bucket: its queue is the socket's still, so that the sender waits for it, and what waits
# there leaves at a new pace at once; netem's packets have their time when they come.
MODULE, BUCKET = "sch_tbf", ("tbf", "burst", "2kb", "limit", "3mb")
# So many datagrams before the kill, and after the return, at the slow pace.
SOME = 40
SOME_S = 30.0
ARRIVED = "UdpInDatagrams"
FORWARDED = "IpForwDatagrams"
# ip_error (net/ipv4/route.c) counts here what a router has no way for.
NO_ROUTE = "IpExtInNoRoutes"


def find_outage(plan: LabPlan) -> tuple[Link, str] | None:
    """A link over a router with another domU's backend behind it, and that one; None without."""
    for link in plan.links():
        ends = {DOM0, link.source, link.sink, link.router}
        behind = link.backends[-1]
        if link.routed and behind not in ends and link.sink_vif and link.router_vifs[-1]:
            return link, behind
    return None


def measure_outage(lab: LabHandle, link: Link, backend: str) -> Outage:
    """Send over a link, kill the backend behind its router meanwhile, and have it come back.

    Raises LabError when the lab broke, MeasurementError when something could not be counted.
    """
    return _Killing(lab=lab, link=link, backend=backend, deadline=lab.budget(RUN_S)).measure()


@dataclass(slots=True, kw_only=True)
class _Killing:
    """One run; what it noted while the stream went on."""

    lab: LabHandle
    link: Link
    backend: str
    deadline: Deadline
    _first: dict[str, CounterSnapshot] = field(default_factory=dict)
    _arrived_before: int = 0
    _sent_until_back: int = 0

    def measure(self) -> Outage:
        lab, link, path = self.lab, self.link, path_of(self.lab, self.link)
        nodes = (link.source, link.router, link.sink)
        self._first = {node: self._read(node) for node in nodes}
        spec = FlowSpec(
            transport=Transport.UDP, address=link.sink_address4, port=PORT, seed=SEED,
            sizes_bytes=(SIZE_BYTES,) * DATAGRAMS,
        )  # fmt: skip
        budget = FlowBudget(deadline=self.deadline, idle_s=lab.budget(IDLE_S).remaining_s)
        source, sink = lab.shell(link.source), lab.shell(link.sink)
        (flow,) = run_flows(source, sink, [spec], budget, FlowSource(send=self._send)).flows
        if not isinstance(flow, UdpFlow):
            raise MeasurementError(f"{spec} was answered as a stream")
        after = {node: self._read(node) for node in (*nodes, self.backend)}
        return self._build(flow, path, after)

    def _send(
        self, source: Shell, specs: Sequence[FlowSpec], budget: FlowBudget
    ) -> Sequence[bytes]:
        """The stream, and in the middle of it the kill and the return."""
        device = self.link.source_device
        argv = [XLFLOW, "send", *budget.options, "--counters", *(spec.argument for spec in specs)]
        with (
            _paced(source, device, self.deadline),
            source.start(argv, deadline=self.deadline) as sender,
        ):
            self._await_arrivals(SOME, self.lab.budget(SOME_S))
            self._arrived_before = self._arrived()
            kill_backend(self.lab, self.backend, self.deadline)
            revive_backend(self.lab, self.backend, self.deadline)
            self._sent_until_back = self._sent()
            self._await_arrivals(self._arrived() + SOME, self.lab.budget(SOME_S))
            _pace(source, "change", device, QUICK, self.deadline)
            return sender.wait(self.deadline).require_success().stdout.splitlines()

    def _await_arrivals(self, count: int, deadline: Deadline) -> None:
        """Wait for so many; MeasurementError where the stream ended, or does not flow again."""
        what = f"{count} datagrams to be at {self.link.sink}"
        try:
            wait_until(
                lambda: self._arrived() >= count,
                what,
                deadline,
                last_seen=lambda: str(self._arrived()),
            )
        except WaitTimedOut as error:
            raise MeasurementError(f"{self.link.source} -> {self.link.sink}: {error}") from error

    def _arrived(self) -> int:
        return self._since(self.link.sink).protocol(ARRIVED)

    def _sent(self) -> int:
        return self._since(self.link.source).device(self.link.source_device, Side.TX)

    def _since(self, node: str) -> CounterDelta:
        return CounterDelta(before=self._first[node], after=self._read(node))

    def _read(self, node: str) -> CounterSnapshot:
        return read_counters(self.lab.shell(node), node, self.deadline)

    def _build(self, flow: UdpFlow, path: Path, after: dict[str, CounterSnapshot]) -> Outage:
        link = self.link
        inner, outer = path.router
        source, router, sink = (
            CounterDelta(before=self._first[node], after=after[node])
            for node in (link.source, link.router, link.sink)
        )
        backend = after[self.backend]
        return Outage(
            subject=f"{link.source} -> {link.sink} while {self.backend} is killed",
            backend=self.backend,
            flow=flow,
            arrived_before=self._arrived_before,
            sent_until_back=self._sent_until_back,
            sent=source.device(link.source_device, Side.TX),
            entered=router.device(inner.device, Side.RX),
            refused=tuple(_refusals(link.router, router)),
            forwarded=router.protocol(FORWARDED),
            sent_anew=_anew(after[link.router], outer, Side.TX),
            received_anew=backend.device(outer.vif, Side.RX),
            passed_anew=backend.device(path.sink.vif, Side.TX),
            reached_anew=_anew(after[link.sink], path.sink, Side.RX),
            arrived=sink.protocol(ARRIVED),
        )


def _anew(snapshot: CounterSnapshot, end: Attachment, side: Side) -> int:
    """What a device counts that came to be with the new backend: from its beginning."""
    return snapshot.device(end.device, side)


def _refusals(router: str, delta: CounterDelta) -> Iterator[Drop]:
    for counter in (NO_ROUTE, *(name for name in FORWARDING_DROPS if name.startswith("Ip"))):
        packets = delta.protocol(counter)
        if packets and not counter.startswith("Ip6"):
            yield Drop(place=DropCounter(node=router, counter=counter), packets=packets)


@contextmanager
def _paced(source: Shell, device: str, deadline: Deadline) -> Iterator[None]:
    """A device of the source at the slow pace; afterwards with the queue that the kernel gives."""
    source.run(["modprobe", MODULE], deadline=deadline).require_success()
    _pace(source, "add", device, SLOW, deadline)
    try:
        yield
    finally:
        undo = ["tc", "qdisc", "del", "dev", device, "root"]
        source.run(undo, deadline=Deadline.after(RUN_S)).require_success()


def _pace(source: Shell, verb: str, device: str, rate: str, deadline: Deadline) -> None:
    argv = ["tc", "qdisc", verb, "dev", device, "root", *BUCKET, "rate", rate]
    source.run(argv, deadline=deadline).require_success()
