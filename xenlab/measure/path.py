"""Path: the devices that a packet from one node to another must be counted at, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from xenlab.measure.counters import QDISC_DROPS
from xenlab.measure.drop_names import (
    FORWARDING_DROPS,
    LEAVING_DROPS,
    RECEIVING_DROPS,
    SENDING_DROPS,
    WIRE_DROPS,
)

DOM0 = "dom0"


class Side(StrEnum):
    """Which of a device's two packet counters, in that device's own sense of direction."""

    RX = "rx_packets"
    TX = "tx_packets"

    @property
    def bytes_counter(self) -> str:
        """The counter of the same packets' bytes."""
        return self.value.replace("packets", "bytes")


class Role(StrEnum):
    """What a device is on a path."""

    NETFRONT = "netfront"
    VIF = "vif"
    BRIDGE = "bridge"
    NIC = "NIC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Where a node meets a network.

    A domU: its netfront device, and the vif that is dom0's end of it. dom0: the bridge device
    itself, and no vif. The outside peer: a NIC at its end of a wire, and dom0's at the other end.
    """

    node: str
    device: str
    bridge: str
    vif: str = ""
    nic: str = ""

    @property
    def is_dom0(self) -> bool:
        """Whether dom0 itself is the end of the flow."""
        return not self.port

    @property
    def port(self) -> str:
        """The port of dom0's bridge that leads there."""
        return self.vif or self.nic

    @property
    def roles(self) -> tuple[Role, Role]:
        """What its own device is, and the port."""
        return (Role.NIC, Role.NIC) if self.nic else (Role.NETFRONT, Role.VIF)


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
        """Whether dom0 cuts a packet of TCP here into those of a wire: its NIC is the last to send.

        On the wire itself both ends count the same, for neither cuts nor puts together.
        """
        return self.end.role is Role.NIC and self.end.side is Side.TX and self.end.node == DOM0

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

    @property
    def nodes(self) -> tuple[str, ...]:
        """Every node that must be asked for its counters."""
        ends = (self.source.node, DOM0, self.sink.node)
        return tuple(dict.fromkeys(ends))

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


def build_path(source: Attachment, sink: Attachment) -> Path:
    """The path of a packet through netfront, vif, bridge, vif and netfront.

    Two networks are joined by IP forwarding in dom0, and then both bridge devices count as well.
    """
    routed = source.bridge != sink.bridge
    points = [*_entering(source)]
    if routed or sink.is_dom0:
        points.append(_bridge(source.bridge, Side.RX))
    if routed or source.is_dom0:
        points.append(_bridge(sink.bridge, Side.TX))
    points += _leaving(sink)
    return Path(
        source=source,
        sink=sink,
        legs=tuple(
            Leg(start=start, end=end, drop_counters=drops_behind(start) + drops_before(end))
            for start, end in pairwise(points)
        ),
    )


def _bridge(name: str, side: Side) -> Point:
    """A bridge device as dom0's own IP stack uses it."""
    return Point(node=DOM0, device=name, side=side, role=Role.BRIDGE)


def _entering(source: Attachment) -> tuple[Point, ...]:
    """From a domU or the outside into dom0; dom0 itself has no such way."""
    if source.is_dom0:
        return ()
    own, port = source.roles
    return (
        Point(node=source.node, device=source.device, side=Side.TX, role=own),
        Point(node=DOM0, device=source.port, side=Side.RX, role=port),
    )


def _leaving(sink: Attachment) -> tuple[Point, ...]:
    """From dom0 into a domU or to the outside."""
    if sink.is_dom0:
        return ()
    own, port = sink.roles
    return (
        Point(node=DOM0, device=sink.port, side=Side.TX, role=port),
        Point(node=sink.node, device=sink.device, side=Side.RX, role=own),
    )


def drops_behind(point: Point) -> tuple[DropCounter, ...]:
    """What can drop after a packet was counted, on its way from the device into dom0's stack."""
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
