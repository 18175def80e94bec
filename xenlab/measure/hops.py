"""HopAccount: every packet of one direction, counted at each hop; what is missing, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xenlab.measure.attachment import Role
from xenlab.measure.counters import CounterDelta
from xenlab.measure.drop_names import SUMMING_DROPS
from xenlab.measure.path import DropCounter, Leg, Path, Point
from xenlab.slots.layout import ETHERNET_HEADER_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """Packets that a named place says it threw away."""

    place: DropCounter
    packets: int

    def __str__(self) -> str:
        """Such as `bob eth0 rx_errors 3`."""
        return f"{self.place} {self.packets}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """Packets counted at two neighbouring points, and the drops that places between admit to.

    Bytes are counted where both ends count the same skbs, which is on one ring; zeros elsewhere.
    Where it `cuts`, packets of TCP become several: fewer than went in are lost, more are none too
    many.
    """

    start: Point
    end: Point
    packets_in: int
    packets_out: int
    drops: tuple[Drop, ...]
    bytes_in: int = 0
    bytes_out: int = 0
    cuts: bool = False

    @property
    def miscounted_bytes(self) -> int:
        """By how much one end counts other bytes for the same packets than the other; 0 if not.

        Drivers count what they send with the Ethernet header, and most of them what they receive
        behind eth_type_trans(), without it.
        """
        missing = self.bytes_in - self.bytes_out
        without_headers = missing - ETHERNET_HEADER_BYTES * self.packets_in
        if self.packets_in != self.packets_out or missing == 0:
            return 0
        return without_headers

    @property
    def lost(self) -> int:
        """Packets that did not come out."""
        return max(0, self.packets_in - self.packets_out)

    @property
    def surplus(self) -> int:
        """Packets that came out and had not gone in."""
        return 0 if self.cuts else max(0, self.packets_out - self.packets_in)

    @property
    def meets_nic(self) -> bool:
        """Whether a NIC counts at either end: its driver or the wire may have lost what is lost."""
        return Role.NIC in {self.start.role, self.end.role}

    @property
    def explained(self) -> int:
        """How many of the lost packets the named places account for."""
        return min(self.lost, sum(drop.packets for drop in self.drops))

    @property
    def silent(self) -> int:
        """Lost packets that no counter explains."""
        return self.lost - self.explained


@dataclass(frozen=True, slots=True, kw_only=True)
class HopAccount:
    """The hops of one direction in their order; none where a device of each has vanished."""

    hops: tuple[Hop, ...]

    @property
    def meets_vif(self) -> bool:
        """Whether a vif is on the way, and so Xen."""
        return any(Role.VIF in {hop.start.role, hop.end.role} for hop in self.hops)

    @property
    def packets_in(self) -> int:
        """What the first point counted: packets that left the source's device."""
        return self.hops[0].packets_in if self.hops else 0

    @property
    def packets_out(self) -> int:
        """What the last point counted: packets that reached the sink's device."""
        return self.hops[-1].packets_out if self.hops else 0

    @property
    def balanced(self) -> bool:
        """Whether every packet that was counted once was counted at every other hop as well."""
        return not any(hop.lost or hop.surplus for hop in self.hops)


def account_hops(
    path: Path, deltas: Mapping[str, CounterDelta], *, streams: bool = False
) -> HopAccount:
    """The account of one direction. Raises MeasurementError if a counter is absent.

    `streams`: TCP is among the traffic, whose packets are cut on their way to a wire. A hop to a
    device that vanished is left out: nothing can be said of it.
    """
    vanished = find_vanished(path, deltas)
    legs = [leg for leg in path.legs if not any(map(leg.touches, vanished))]
    return HopAccount(hops=tuple(_account_leg(leg, deltas, streams=streams) for leg in legs))


def find_vanished(path: Path, deltas: Mapping[str, CounterDelta]) -> tuple[tuple[str, str], ...]:
    """Node and name of each device of the path that was there before the run and not after it."""
    points = dict.fromkeys((p.node, p.device) for leg in path.legs for p in (leg.start, leg.end))
    return tuple((node, device) for node, device in points if deltas[node].vanished(device))


def read_drops(
    places: Iterable[DropCounter], deltas: Mapping[str, CounterDelta]
) -> tuple[Drop, ...]:
    """The places that dropped something. Raises MeasurementError if a counter is absent."""
    drops = (Drop(place=place, packets=_dropped(place, deltas[place.node])) for place in places)
    return tuple(drop for drop in drops if drop.packets)


def without_sums(drops: tuple[Drop, ...]) -> tuple[Drop, ...]:
    """The drops without those that only repeat what others say by its reason."""
    told = {(drop.place.node, drop.place.counter): drop.packets for drop in drops}

    def repeats(drop: Drop) -> bool:
        parts = SUMMING_DROPS.get(drop.place.counter, frozenset())
        return drop.packets == sum(told.get((drop.place.node, part), 0) for part in parts)

    return tuple(drop for drop in drops if not repeats(drop))


def find_hidden_drops(hops: Iterable[Hop]) -> tuple[Drop, ...]:
    """Drops of devices that no hop misses: as many packets must have come twice there.

    Both directions pass a device, and each loses what the other's counter shows as well; so it is
    all hops of a place together that must miss what it dropped.
    """
    missed: Counter[DropCounter] = Counter()
    dropped: dict[DropCounter, Drop] = {}
    for hop in hops:
        for drop in hop.drops:
            dropped[drop.place] = drop
            missed[drop.place] += hop.lost
    return tuple(
        Drop(place=place, packets=drop.packets - missed[place])
        for place, drop in dropped.items()
        if place.device and drop.packets > missed[place]
    )


def _account_leg(leg: Leg, deltas: Mapping[str, CounterDelta], *, streams: bool) -> Hop:
    return Hop(
        start=leg.start,
        end=leg.end,
        packets_in=_counted(leg.start, deltas),
        packets_out=_counted(leg.end, deltas),
        drops=read_drops(leg.drop_counters, deltas),
        bytes_in=_counted_bytes(leg.start, deltas) if leg.is_ring else 0,
        bytes_out=_counted_bytes(leg.end, deltas) if leg.is_ring else 0,
        cuts=streams and leg.cuts_streams,
    )


def _counted(point: Point, deltas: Mapping[str, CounterDelta]) -> int:
    return deltas[point.node].device(point.device, point.side)


def _counted_bytes(point: Point, deltas: Mapping[str, CounterDelta]) -> int:
    return deltas[point.node].device(point.device, point.side.bytes_counter)


def _dropped(place: DropCounter, delta: CounterDelta) -> int:
    if place.device:
        return delta.device(place.device, place.counter)
    return delta.protocol(place.counter)
