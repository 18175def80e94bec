"""Path: the devices that a packet from one node to another must be counted at, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from xenlab.measure.counters import QDISC_DROPS

DOM0 = "dom0"

# What a device can throw away of what it is given to send, before it counts it as sent.
LEAVING_DROPS = ("tx_dropped", "tx_errors", QDISC_DROPS)
# What IP forwarding in dom0 can throw away, both versions (net/ipv4/proc.c, net/ipv6/proc.c).
FORWARDING_DROPS = (
    "IpInHdrErrors", "IpInAddrErrors", "IpInDiscards", "IpOutDiscards", "IpOutNoRoutes",
    "IpFragFails", "Ip6InHdrErrors", "Ip6InTooBigErrors", "Ip6InNoRoutes", "Ip6InAddrErrors",
    "Ip6InDiscards", "Ip6OutDiscards", "Ip6OutNoRoutes", "Ip6FragFails",
)  # fmt: skip
# What the sending node can throw away between the socket and the device.
SENDING_DROPS = (
    "IpOutDiscards", "IpOutNoRoutes", "IpFragFails", "UdpSndbufErrors",
    "Ip6OutDiscards", "Ip6OutNoRoutes", "Ip6FragFails", "Udp6SndbufErrors",
)  # fmt: skip
# What the receiving node can throw away between the device and the socket.
RECEIVING_DROPS = (
    "IpInHdrErrors", "IpInAddrErrors", "IpInDiscards", "IpReasmFails",
    "UdpNoPorts", "UdpInErrors", "UdpRcvbufErrors", "UdpInCsumErrors", "UdpMemErrors",
    "Ip6InHdrErrors", "Ip6InAddrErrors", "Ip6InDiscards", "Ip6ReasmFails",
    "Udp6NoPorts", "Udp6InErrors", "Udp6RcvbufErrors", "Udp6InCsumErrors", "Udp6MemErrors",
    "TcpInErrs", "TcpInCsumErrors",
)  # fmt: skip

# Of those, what was thrown away because it was damaged on its way.
DAMAGE_DROPS = frozenset({"UdpInCsumErrors", "Udp6InCsumErrors", "TcpInCsumErrors"})
# Of those, what is but the consequence of a packet that was lost elsewhere.
INCOMPLETE_DROPS = frozenset({"IpReasmFails", "Ip6ReasmFails"})
# These count again what others count by its reason (net/ipv4/udp.c, net/ipv4/tcp_ipv4.c).
SUMMING_DROPS = {
    "UdpInErrors": frozenset({"UdpRcvbufErrors", "UdpInCsumErrors", "UdpMemErrors"}),
    "Udp6InErrors": frozenset({"Udp6RcvbufErrors", "Udp6InCsumErrors", "Udp6MemErrors"}),
    "TcpInErrs": frozenset({"TcpInCsumErrors"}),
}


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Where a node meets a network.

    A domU: its netfront device, and the vif that is dom0's end of it. dom0: the bridge device
    itself, and no vif.
    """

    node: str
    device: str
    bridge: str
    vif: str = ""

    @property
    def is_dom0(self) -> bool:
        """Whether dom0 itself is the end of the flow."""
        return not self.vif


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
    """From a domU into dom0; dom0 itself has no such way."""
    if source.is_dom0:
        return ()
    return (
        Point(node=source.node, device=source.device, side=Side.TX, role=Role.NETFRONT),
        Point(node=DOM0, device=source.vif, side=Side.RX, role=Role.VIF),
    )


def _leaving(sink: Attachment) -> tuple[Point, ...]:
    """From dom0 into a domU."""
    if sink.is_dom0:
        return ()
    return (
        Point(node=DOM0, device=sink.vif, side=Side.TX, role=Role.VIF),
        Point(node=sink.node, device=sink.device, side=Side.RX, role=Role.NETFRONT),
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
    counts in rx_errors what it could not use, and only there.
    """
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
