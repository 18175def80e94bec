"""Path: the devices that a packet from one node to another must be counted at, in their order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from xenlab.measure.attachment import DOM0, Attachment, Role
from xenlab.measure.counters import QDISC_DROPS
from xenlab.measure.drop_names import (
    FORWARDING_DROPS,
    LEAVING_DROPS,
    RECEIVING_DROPS,
    SENDING_DROPS,
    WIRE_DROPS,
)


class Side(StrEnum):
    """Which of a device's two packet counters, in that device's own sense of direction."""

    RX = "rx_packets"
    TX = "tx_packets"

    @property
    def bytes_counter(self) -> str:
        """The counter of the same packets' bytes."""
        return self.value.replace("packets", "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One packet counter on the way."""

    node: str
    device: str
    side: Side
    role: Role

    def __str__(self) -> str:
        """dom0's devices have names of their own in a lab; a domU's `eth0` needs its node."""
        return self.device if self.node == DOM0 else f"{self.node} {self.device}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DropCounter:
    """A named place where a packet can be thrown away; no device means a protocol counter."""

    node: str
    counter: str
    device: str = ""

    def __str__(self) -> str:
        """Such as `bob eth0 rx_errors`."""
        return " ".join(part for part in (self.node, self.device, self.counter) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """From one counting point to the next, with the places in between that can drop."""

    start: Point
    end: Point
    drop_counters: tuple[DropCounter, ...]

    @property
    def is_ring(self) -> bool:
        """Whether it is one ring: both ends count the same skbs, neither cut nor put together."""
        return {self.start.role, self.end.role} == {Role.NETFRONT, Role.VIF}

    @property
    def cuts_streams(self) -> bool:
        """Whether a packet of TCP is cut here into those of a wire: a NIC is the last to send.

        On the wire itself both ends count the same, for neither cuts nor puts together.
        """
        return self.end.role is Role.NIC and self.end.side is Side.TX

    def touches(self, device: tuple[str, str]) -> bool:
        """Whether this leg needs a counter of a device, given as node and name."""
        return device in {(place.node, place.device) for place in (self.start, self.end)} | {
            (place.node, place.device) for place in self.drop_counters
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """The legs between two attachments, and what the two nodes can drop at either end."""

    source: Attachment
    sink: Attachment
    legs: tuple[Leg, ...]
    router: tuple[Attachment, ...] = ()

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node that must be asked for its counters."""
        points = [point.node for leg in self.legs for point in (leg.start, leg.end)]
        return tuple(dict.fromkeys(points))

    @property
    def back(self) -> Path:
        """The path of an answer."""
        return build_path(self.sink, self.source, tuple(reversed(self.router)))

    @property
    def sending_drops(self) -> tuple[DropCounter, ...]:
        """Named places between the source's socket and its first counting point."""
        node, device = self.source.node, self.source.device
        return (
            *(DropCounter(node=node, device=device, counter=name) for name in LEAVING_DROPS),
            *(DropCounter(node=node, counter=name) for name in SENDING_DROPS),
        )

    @property
    def receiving_drops(self) -> tuple[DropCounter, ...]:
        """Named places between the last counting point and the sink's socket."""
        node, device = self.sink.node, self.sink.device
        return (
            DropCounter(node=node, device=device, counter="rx_dropped"),
            DropCounter(node=node, device=device, counter=QDISC_DROPS),
            *(DropCounter(node=node, counter=name) for name in RECEIVING_DROPS),
        )


def build_path(source: Attachment, sink: Attachment, router: tuple[Attachment, ...] = ()) -> Path:
    """The path of a packet through netfront, vif, bridge, vif and netfront.

    Two networks are joined by IP forwarding in a router, which has an attachment to each: as their
    backend, whose bridge devices count then as well, or by netfront devices of its own.
    """
    stops = (source, *router, sink)
    points = [
        point
        for start, end in zip(stops[::2], stops[1::2], strict=True)
        for point in _crossing(start, end)
    ]
    return Path(
        source=source,
        sink=sink,
        legs=tuple(
            Leg(start=start, end=end, drop_counters=_drops_between(start, end))
            for start, end in pairwise(points)
        ),
        router=router,
    )


def _crossing(start: Attachment, end: Attachment) -> Iterator[Point]:
    """From one attachment of a network to another."""
    backend = start.backend
    if start.is_backend:
        yield _point(backend, start.bridge, Side.TX, Role.BRIDGE)
    else:
        own, port = start.roles
        yield _point(start.node, start.device, Side.TX, own)
        yield _point(backend, start.port, Side.RX, port)
    if end.is_backend:
        yield _point(backend, end.bridge, Side.RX, Role.BRIDGE)
    else:
        own, port = end.roles
        yield _point(backend, end.port, Side.TX, port)
        yield _point(end.node, end.device, Side.RX, own)


def _point(node: str, device: str, side: Side, role: Role) -> Point:
    return Point(node=node, device=device, side=side, role=role)


def _drops_between(start: Point, end: Point) -> tuple[DropCounter, ...]:
    """What can drop between two counting points: forwarding, where a router's netfront sends."""
    named = drops_behind(start) + drops_before(end)
    if end.role is not Role.NETFRONT or end.side is Side.RX:
        return named
    return named + tuple(DropCounter(node=end.node, counter=name) for name in FORWARDING_DROPS)


def drops_behind(point: Point) -> tuple[DropCounter, ...]:
    """What can drop after a packet was counted, from the device into the node's stack."""
    if point.side is Side.TX:
        return ()
    counters = (QDISC_DROPS,) if point.role is Role.VIF else (QDISC_DROPS, "rx_dropped")
    return _of_device(point, counters)


def drops_before(point: Point) -> tuple[DropCounter, ...]:
    """What can drop before a packet is counted.

    Nothing on the way from netfront to netback: netback throws away a guest's packets without a
    counter. Towards the guest a vif counts in tx_dropped what it refused and in rx_dropped what
    grew too old in its queue (drivers/net/xen-netback/rx.c, xenvif_rx_queue_drop_expired); netfront
    counts in rx_errors what it could not use, and only there. A NIC counts what it missed.
    """
    if point.role is Role.NIC:
        return _of_device(point, WIRE_DROPS if point.side is Side.RX else LEAVING_DROPS)
    if point.role is Role.NETFRONT:
        return _of_device(point, ("rx_errors",) if point.side is Side.RX else LEAVING_DROPS)
    if point.side is Side.RX:
        return ()
    if point.role is Role.VIF:
        return _of_device(point, (*LEAVING_DROPS, "rx_dropped"))
    forwarding = tuple(DropCounter(node=point.node, counter=name) for name in FORWARDING_DROPS)
    return _of_device(point, LEAVING_DROPS) + forwarding


def _of_device(point: Point, counters: tuple[str, ...]) -> tuple[DropCounter, ...]:
    """Drop counters of the device that a point counts at."""
    return tuple(
        DropCounter(node=point.node, device=point.device, counter=name) for name in counters
    )
