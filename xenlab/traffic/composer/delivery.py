"""One batch from end to end: armed, sent, awaited; and what became of each of its packets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from xenlab.errors import MeasurementError
from xenlab.measure.host_delays import HostDelays, HostSample
from xenlab.slots.layout import Layout
from xenlab.traffic.composer.batch import Batch
from xenlab.traffic.composer.receiver import Post, armed
from xenlab.traffic.composer.results import Arrival, ArrivalReport, SendReport, Sent
from xenlab.traffic.composer.sender import send_batch
from xenlab.traffic.composer.wire import End
from xenlab.transport.shell import Shell
from xenlab.waiting import Deadline

# What a packet may still need when all skbs of its sender are back: a turn of the sink's NAPI,
# on a virtual CPU that a busy host lets wait. Only a batch that is not complete waits so long.
SETTLE_MS = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """One packet: its layout, what its sender knows, and all that arrived with its id, in order."""

    index: int
    layout: Layout
    sent: Sent
    arrivals: tuple[Arrival, ...]

    @property
    def payload_bytes(self) -> int:
        """What was sent behind its headers."""
        return self.layout.length_bytes - self.layout.protocol.header_bytes

    @property
    def complete(self) -> bool:
        """Every byte arrived once, whole or in segments, and none was wrong."""
        if len(self.arrivals) == 1:
            (only,) = self.arrivals
            whole = only.start == 0 and only.length_bytes == self.layout.length_bytes
            return whole and only.intact and not only.duplicate
        reached, header_bytes = 0, self.layout.protocol.header_bytes
        for arrival in sorted(self.arrivals, key=lambda arrival: arrival.start):
            if not arrival.intact or arrival.start != reached:
                return False
            reached += arrival.length_bytes - header_bytes
        return bool(self.arrivals) and reached == self.payload_bytes and not self.duplicated

    @property
    def duplicated(self) -> bool:
        """Some of its bytes arrived more than once."""
        return any(arrival.duplicate for arrival in self.arrivals)

    @property
    def missing(self) -> bool:
        """Nothing of it arrived."""
        return not self.arrivals


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A batch and the reports of both its ends.

    The receiver was armed between two moments of this host's monotonic clock, `armed_s`: they are
    for the samples that were taken of the host meanwhile, if any were.
    """

    batch: Batch
    send_report: SendReport
    arrival_report: ArrivalReport
    armed_s: tuple[float, float] = (0.0, 0.0)
    host_samples: Sequence[HostSample] = ()

    @property
    def host_delays(self) -> HostDelays:
        """What the host kept from the lab meanwhile."""
        return HostDelays(samples=self.host_samples, armed_s=self.armed_s)

    @property
    def fates(self) -> Iterator[Fate]:
        """What became of each packet, in the order of sending."""
        arrivals: dict[int, list[Arrival]] = {}
        for arrival in self.arrival_report.arrivals:
            arrivals.setdefault(arrival.place, []).append(arrival)
        pairs = zip(self.batch.layouts, self.send_report.sent, strict=True)
        for index, (layout, sent) in enumerate(pairs):
            found = tuple(arrivals.get(index, ()))
            yield Fate(index=index, layout=layout, sent=sent, arrivals=found)


SendBatch = Callable[[Shell, Batch, Deadline], SendReport]


def deliver_batch(
    source: Shell,
    sink: Shell,
    batch: Batch,
    post: Post,
    deadline: Deadline,
    send: SendBatch = send_batch,
) -> Delivery:
    """Send a batch from one node and take its packets at a device of another.

    Ends when all has arrived, or soon after the sender's last skb has come back. Loss and damage
    are results, not errors; a receiver that gave up while packets may still be under way has none:
    MeasurementError.
    """
    arming_s = time.monotonic()
    with armed(sink, batch, post, deadline) as receiver:
        armed_s = (arming_s, time.monotonic())
        send_report = send(source, batch, deadline)
        receiver.finish(SETTLE_MS, deadline)
        arrival_report = receiver.wait(deadline)
    require_patience(sink.where, arrival_report, batch.packets)
    return Delivery(
        batch=batch, send_report=send_report, arrival_report=arrival_report, armed_s=armed_s
    )


def require_patience(where: str, report: ArrivalReport, packets: int) -> None:
    """Nothing, or MeasurementError for a receiver whose time was up before it was told the end."""
    if report.end in {End.IDLE, End.TIMEOUT}:
        raise MeasurementError(
            f"{where}: the receiver's time was up ({report.end.name}) with"
            f" {report.ids_seen} of {packets} packets"
        )
