"""A stream of datagrams over one link, slow enough for what happens to it on the way to be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from xenlab.errors import MeasurementError, WaitTimedOut
from xenlab.guest.answer import Answer
from xenlab.guest.counters import read_counters
from xenlab.guest.reading import XLFLOW
from xenlab.measure.counters import CounterDelta, CounterSnapshot
from xenlab.measure.flow import FlowSpec, Transport, UdpFlow
from xenlab.measure.interrupted_stream import InterruptedStream
from xenlab.measure.path import Path, Side
from xenlab.plan.model import Link
from xenlab.traffic.flow import IDLE_S, FlowBudget, FlowSource, run_flows
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.measuring import path_of
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline, wait_until

PORT = 20010
SEED = 5
SIZE_BYTES = 200
DATAGRAMS = 6000
# 242 bytes a frame: some twenty packets a second, so that the sink can name each that is missing
# of three minutes; and some five hundred, of which a device's queue of a thousand (txqueuelen)
# holds two seconds, for which a busy host may run nothing of the backend.
SLOW, QUICK = "40kbit", "1mbit"
# A token bucket: its queue is the socket's still, so that the sender waits for it, and what waits
# there leaves at a new pace at once; netem's packets have their time when they come.
MODULE, BUCKET = "sch_tbf", ("tbf", "burst", "2kb", "limit", "3mb")
UNDO_S = 60.0
# So many datagrams before the interruption, and after it, at the slow pace.
SOME = 40
SOME_S = 30.0
ARRIVED = "UdpInDatagrams"

Snapshots = Mapping[str, CounterSnapshot]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruption:
    """A stream over a path with something away meanwhile, and what its nodes counted.

    `after` has nodes as well that were not there `before`.
    """

    stream: InterruptedStream
    path: Path
    before: Snapshots
    after: Snapshots

    def since(self, node: str) -> CounterDelta:
        """What a node that was there all the time counted."""
        return CounterDelta(before=self.before[node], after=self.after[node])

    @property
    def sent(self) -> int:
        """Packets that left the source's device."""
        return self.since(self.path.source.node).device(self.path.source.device, Side.TX)

    @property
    def arrived(self) -> int:
        """Datagrams that came to the sink's socket."""
        return self.since(self.path.sink.node).protocol(ARRIVED)


def send_interrupted(
    lab: LabHandle,
    link: Link,
    interrupt: Callable[[], None],
    deadline: Deadline,
    *,
    nodes: Sequence[str],
    new_nodes: Sequence[str] = (),
) -> Interruption:
    """Send over a link, and have `interrupt` take something away meanwhile and bring it back.

    `nodes` count from the beginning, `new_nodes` are asked at the end alone. Raises LabError when
    the lab broke, MeasurementError for what could not be counted, and for a sender without time.
    """
    run = _Run(
        lab=lab, link=link, path=path_of(lab, link), interrupt=interrupt, nodes=nodes,
        new_nodes=new_nodes, deadline=deadline,
    )  # fmt: skip
    return run.measure()


@dataclass(slots=True, kw_only=True)
class _Run:
    """One run; what it noted while the stream went on."""

    lab: LabHandle
    link: Link
    path: Path
    interrupt: Callable[[], None]
    nodes: Sequence[str]
    new_nodes: Sequence[str]
    deadline: Deadline
    _before: dict[str, CounterSnapshot] = field(default_factory=dict)
    _arrived_before: int = 0
    _sent_until_back: int = 0

    def measure(self) -> Interruption:
        lab, link = self.lab, self.link
        self._before = {node: self._read(node) for node in self.nodes}
        spec = FlowSpec(
            transport=Transport.UDP, address=link.sink_address4, port=PORT, seed=SEED,
            sizes_bytes=(SIZE_BYTES,) * DATAGRAMS,
        )  # fmt: skip
        budget = FlowBudget(deadline=self.deadline, idle_s=lab.budget(IDLE_S).remaining_s)
        source, sink = lab.shell(link.source), lab.shell(link.sink)
        (flow,) = run_flows(source, sink, [spec], budget, FlowSource(send=self._send)).flows
        if not isinstance(flow, UdpFlow):
            raise MeasurementError(f"{spec} was answered as a stream")
        if flow.sender_ended != "complete":
            raise MeasurementError(
                f"{link.source} had no time to send more than {flow.sent} of {DATAGRAMS} datagrams"
            )
        return Interruption(
            stream=InterruptedStream(
                flow=flow,
                arrived_before=self._arrived_before,
                sent_until_back=self._sent_until_back,
            ),
            path=self.path,
            before=self._before,
            after={node: self._read(node) for node in (*self.nodes, *self.new_nodes)},
        )

    def _send(
        self, source: Shell, specs: Sequence[FlowSpec], budget: FlowBudget
    ) -> Sequence[bytes]:
        """The stream, and the interruption in the middle of it."""
        device = self.path.source.device
        argv = [XLFLOW, "send", *budget.options, "--counters", *(spec.argument for spec in specs)]
        with (
            _paced(source, device, self.deadline),
            source.start(argv, deadline=self.deadline) as sender,
        ):
            if not self._await(self._arrived, SOME):
                ends = f"{self.link.source} -> {self.link.sink}"
                raise MeasurementError(f"{ends}: of {SOME} datagrams {self._arrived()} arrived")
            self._arrived_before = self._arrived()
            self.interrupt()
            self._sent_until_back = self._sent()
            # Where nothing comes any more, all that is sent from now on is missing by its number.
            self._await(self._arrived, self._arrived() + SOME)
            _pace(source, "change", device, QUICK, self.deadline)
            lines = sender.wait(self.deadline).require_success().stdout.splitlines()
            # What is still in the queue would go with it.
            self._await(self._sent, Answer.parse(source.where, lines[1]).integer("sent"))
            return lines

    def _await(self, count: Callable[[], int], enough: int) -> bool:
        """Whether it comes to so many."""
        deadline = self.lab.budget(SOME_S)
        try:
            wait_until(lambda: count() >= enough, f"{enough} datagrams of the stream", deadline)
        except WaitTimedOut:
            return False
        return True

    def _arrived(self) -> int:
        return self._since(self.link.sink).protocol(ARRIVED)

    def _sent(self) -> int:
        return self._since(self.link.source).device(self.path.source.device, Side.TX)

    def _since(self, node: str) -> CounterDelta:
        return CounterDelta(before=self._before[node], after=self._read(node))

    def _read(self, node: str) -> CounterSnapshot:
        return read_counters(self.lab.shell(node), node, self.deadline)


@contextmanager
def _paced(source: Shell, device: str, deadline: Deadline) -> Iterator[None]:
    """A device of the source at the slow pace; afterwards with the queue that the kernel gives."""
    source.run(["modprobe", MODULE], deadline=deadline).require_success()
    _pace(source, "add", device, SLOW, deadline)
    try:
        yield
    finally:
        undo = ["tc", "qdisc", "del", "dev", device, "root"]
        source.run(undo, deadline=Deadline.after(UNDO_S)).require_success()


def _pace(source: Shell, verb: str, device: str, rate: str, deadline: Deadline) -> None:
    argv = ["tc", "qdisc", verb, "dev", device, "root", *BUCKET, "rate", rate]
    source.run(argv, deadline=deadline).require_success()
