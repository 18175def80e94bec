"""FlowAccount: where the packets of one direction went, small enough to be kept and to be drawn."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from xenlab.measure.attachment import Role
from xenlab.measure.drop_names import INCOMPLETE_DROPS
from xenlab.measure.flow import Flow, TcpFlow, UdpFlow, is_told
from xenlab.measure.hops import Drop, Hop, HopAccount, without_sums
from xenlab.measure.measurement import Measurement
from xenlab.measure.path import Point

DATAGRAMS = "datagrams"
STREAM_BYTES = "stream bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """One counting point that the packets passed."""

    node: str
    device: str
    role: Role
    packets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLoss:
    """Packets that a counter of this name admits to have thrown away."""

    place: str
    packets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """What happened between two neighbouring stations, where not everything came out.

    `named` are what counters say, which may be more than was `lost`; `silent` is the part of
    `lost` that none of them explains.
    """

    lost: int
    silent: int
    surplus: int
    named: tuple[NamedLoss, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What the sockets of one transport say, in `unit`s: sent = intact + damaged + missing."""

    unit: str
    sent: int
    intact: int
    damaged: int
    missing: int
    duplicates: int
    reordered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowAccount:
    """Flows of one subject, and every station on their way.

    There is one passage less than stations, and none of either where a device of each hop has
    vanished. `wire_packets` is 0 where nobody knows: see Measurement. `told`: a sender knows that
    not everything went out.
    """

    subject: str
    source: str
    sink: str
    wire_packets: int
    stations: tuple[Station, ...]
    passages: tuple[Passage, ...]
    source_drops: tuple[NamedLoss, ...]
    sink_drops: tuple[NamedLoss, ...]
    payloads: tuple[Payload, ...]
    vanished: tuple[str, ...]
    told: bool

    @property
    def packets_in(self) -> int:
        """What the first station counted."""
        return self.stations[0].packets if self.stations else 0

    @property
    def packets_out(self) -> int:
        """What the last station counted."""
        return self.stations[-1].packets if self.stations else 0

    @property
    def lost_before(self) -> int:
        """Packets that must have left the source's socket and were not counted at its device."""
        return max(0, self.wire_packets - self.packets_in) if not self.vanished else 0

    @property
    def lost_on_the_way(self) -> int:
        """Packets that were lost in front of the last device."""
        return self.lost_before + sum(passage.lost for passage in self.passages)

    @property
    def missing_packets(self) -> int:
        """Packets, or datagrams, that the sockets miss."""
        return sum(each.missing for each in self.payloads if each.unit != STREAM_BYTES)

    @property
    def missing_stream_bytes(self) -> int:
        """Bytes of streams that the sockets miss."""
        return sum(each.missing for each in self.payloads if each.unit == STREAM_BYTES)

    @property
    def troubled(self) -> bool:
        """Whether something did not come through as it was sent."""
        return bool(
            self.vanished
            or self.lost_on_the_way
            or any(passage.surplus for passage in self.passages)
            or any(each.damaged or each.missing or each.duplicates for each in self.payloads)
        )


def account_flows(measurement: Measurement) -> tuple[FlowAccount, ...]:
    """The way there, and the way back where not all that went back came through.

    The way back has no payload of its own: acknowledgements, mostly.
    """
    there = FlowAccount(
        subject=measurement.subject,
        source=measurement.source,
        sink=measurement.sink,
        wire_packets=measurement.wire_packets,
        stations=stations_of(measurement.forward),
        passages=passages_of(measurement.forward),
        source_drops=named_losses(measurement.source_drops),
        sink_drops=_sink_losses(measurement),
        payloads=tuple(_payloads(measurement.flows)),
        vanished=measurement.vanished,
        told=any(map(is_told, measurement.flows)),
    )
    back = replace(
        there,
        subject=f"{measurement.subject}, way back",
        source=measurement.sink,
        sink=measurement.source,
        wire_packets=0,
        stations=stations_of(measurement.backward),
        passages=passages_of(measurement.backward),
        source_drops=(),
        sink_drops=(),
        payloads=(),
        vanished=(),
        told=False,
    )
    return (there, back) if back.troubled else (there,)


def stations_of(account: HopAccount) -> tuple[Station, ...]:
    """The counting points of a direction, in their order."""
    if not account.hops:
        return ()
    ends = ((hop.end, hop.packets_out) for hop in account.hops)
    return tuple(
        _station(point, packets)
        for point, packets in ((account.hops[0].start, account.packets_in), *ends)
    )


def passages_of(account: HopAccount) -> tuple[Passage, ...]:
    """What happened between each two of them."""
    return tuple(map(_passage, account.hops))


def _station(point: Point, packets: int) -> Station:
    return Station(node=point.node, device=point.device, role=point.role, packets=packets)


def _passage(hop: Hop) -> Passage:
    return Passage(
        lost=hop.lost,
        silent=hop.silent,
        surplus=hop.surplus,
        named=named_losses(hop.drops) if hop.lost else (),
    )


def named_losses(drops: Iterable[Drop]) -> tuple[NamedLoss, ...]:
    """Drops as a picture keeps them."""
    return tuple(NamedLoss(place=str(drop.place), packets=drop.packets) for drop in drops)


def _sink_losses(measurement: Measurement) -> tuple[NamedLoss, ...]:
    """Drops at the sink, each once; those for the want of a fragment only if all came so far."""
    drops = without_sums(measurement.sink_drops)
    hops = measurement.forward.hops
    sent = measurement.forward.packets_in >= measurement.wire_packets
    if measurement.vanished or not sent or any(hop.lost for hop in hops):
        drops = tuple(drop for drop in drops if drop.place.counter not in INCOMPLETE_DROPS)
    return named_losses(drops)


def _payloads(flows: Iterable[Flow]) -> Iterable[Payload]:
    udp = [flow for flow in flows if isinstance(flow, UdpFlow)]
    tcp = [flow for flow in flows if isinstance(flow, TcpFlow)]
    if udp:
        yield Payload(
            unit=DATAGRAMS,
            sent=sum(len(flow.spec.sizes_bytes) for flow in udp),
            intact=sum(flow.intact for flow in udp),
            damaged=sum(flow.corrupt + flow.truncated for flow in udp),
            missing=sum(flow.missing for flow in udp),
            duplicates=sum(flow.duplicates for flow in udp),
            reordered=sum(flow.reordered for flow in udp),
        )
    if tcp:
        yield Payload(
            unit=STREAM_BYTES,
            sent=sum(flow.spec.total_bytes for flow in tcp),
            intact=sum(flow.received_bytes - flow.bad_bytes for flow in tcp),
            damaged=sum(flow.bad_bytes for flow in tcp),
            missing=sum(flow.missing_bytes for flow in tcp),
            duplicates=0,
            reordered=0,
        )
