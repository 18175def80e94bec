"""Measurement: all that is known of one run of flows over one link; the input of the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from xenlab.measure.counters import FILTER_DROPS, CounterDelta
from xenlab.measure.flow import Flow, FlowSpec, Transport
from xenlab.measure.hops import Drop, HopAccount, account_hops, find_vanished, read_drops
from xenlab.measure.path import DropCounter, Path

# Segments that TCP put aside because one before them had not come (net/ipv4/tcp_input.c).
GAPS = "TcpExtTCPOFOQueue"
# What an end throws away behind its own device, or before it, and TCP sends again without a word. A
# queue that was full there is the sender's own doing, and is not among them.
UNMISSED_DROPS = (FILTER_DROPS, "rx_dropped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """Flows from source to sink, and the packets of both directions at every hop meanwhile.

    `wire_packets` is what the datagrams must become on the source's device, and 0 when a TCP flow
    is among them, for then nobody knows. Drops at the two ends are in packets or datagrams, as the
    kernel counts them there: `source_drops` of what it sent, `echo_drops` of the answers that it
    received, `unmissed_drops` of what a stream may have sent again. `stream_gaps` counts packets
    that the sink's TCP got before an earlier one. `vanished` names devices that did not outlive
    the run.
    """

    subject: str
    source: str
    sink: str
    flows: tuple[Flow, ...]
    wire_packets: int
    forward: HopAccount
    backward: HopAccount
    source_drops: tuple[Drop, ...]
    sink_drops: tuple[Drop, ...]
    echo_drops: tuple[Drop, ...] = ()
    unmissed_drops: tuple[Drop, ...] = ()
    stream_gaps: int = 0
    vanished: tuple[str, ...] = ()

    @property
    def extra_packets(self) -> int:
        """What left the source beyond its datagrams; nobody knows it beside a TCP flow."""
        return max(0, self.forward.packets_in - self.wire_packets) if self.wire_packets else 0

    @property
    def balanced(self) -> bool:
        """Whether both directions add up at every hop and nothing is missing in front of them."""
        return (
            not self.vanished
            and self.forward.balanced
            and self.backward.balanced
            and self.forward.packets_in >= self.wire_packets
        )


def build_measurement(
    path: Path,
    flows: tuple[Flow, ...],
    deltas: Mapping[str, CounterDelta],
    *,
    mtu_bytes: int,
) -> Measurement:
    """Join flows and counters. `mtu_bytes` is the source device's. Raises MeasurementError."""
    specs = tuple(flow.spec for flow in flows)
    source, sink = path.source, path.sink
    back = path.back
    vanished = find_vanished(path, deltas)
    streams = any(spec.transport is Transport.TCP for spec in specs)
    return Measurement(
        subject=f"{source.node} -> {sink.node} {'+'.join(map(str, specs))}",
        source=f"{source.node} {source.device}",
        sink=f"{sink.node} {sink.device}",
        flows=flows,
        wire_packets=_wire_packets(specs, mtu_bytes),
        forward=account_hops(path, deltas, streams=streams),
        backward=account_hops(back, deltas, streams=streams),
        source_drops=read_drops(_remaining(path.sending_drops, vanished), deltas),
        sink_drops=read_drops(_remaining(path.receiving_drops, vanished), deltas),
        echo_drops=read_drops(_remaining(back.receiving_drops, vanished), deltas),
        unmissed_drops=read_drops(_remaining(unmissed_places(path), vanished), deltas),
        stream_gaps=deltas[sink.node].protocol(GAPS),
        vanished=tuple(f"{node} {device}" for node, device in vanished),
    )


def unmissed_places(path: Path) -> tuple[DropCounter, ...]:
    """Named places at both ends of a path whose losses a stream may hide."""
    return tuple(
        DropCounter(node=end.node, device=end.device, counter=name)
        for end in (path.source, path.sink)
        for name in UNMISSED_DROPS
    )


def _remaining(
    places: tuple[DropCounter, ...], vanished: tuple[tuple[str, str], ...]
) -> tuple[DropCounter, ...]:
    return tuple(place for place in places if (place.node, place.device) not in vanished)


def _wire_packets(specs: tuple[FlowSpec, ...], mtu_bytes: int) -> int:
    if any(spec.transport is Transport.TCP for spec in specs):
        return 0
    return sum(spec.wire_packets(mtu_bytes) for spec in specs)
