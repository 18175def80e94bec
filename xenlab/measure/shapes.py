"""Shapes: what the packets at a device looked like: length, pages, GSO and checksum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from xenlab.errors import MeasurementError
from xenlab.measure.readings import Growth

# include/linux/skbuff.h: what is left to be summed up is the receiver's, or the device's.
CHECKSUM_PARTIAL = 3
ETHERNET_HEADER_BYTES = 14
IPV4, IPV6 = 0x0800, 0x86DD
NETWORK_HEADERS_BYTES = {IPV4: 20, IPV6: 40}
# With its time stamps.
TCP_HEADER_BYTES = 32

# Views of the packets at a spot: an event's histogram has three keys at most.
LENGTHS = "lengths"
FORMS = "forms"
PAGES = "pages"
CHECKSUMS = "checksums"


class Stage(StrEnum):
    """Where in a node a packet of a device is seen."""

    SENT = "sent"
    RECEIVED = "received"
    DELIVERED = "delivered"

    @property
    def header_bytes(self) -> int:
        """What the kernel does not count there: a received packet's Ethernet header is off."""
        return 0 if self is Stage.SENT else ETHERNET_HEADER_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A stage of a device of a node, such as what netfront is given to send."""

    node: str
    device: str
    stage: Stage

    def __str__(self) -> str:
        """Such as `alice eth0 (sent)`."""
        return f"{self.node} {self.device} ({self.stage})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Packets of one form; `length_bytes` from the Ethernet header on."""

    packets: int
    length_bytes: int
    gso_size_bytes: int = 0
    protocol: int = 0

    @property
    def segments(self) -> int:
        """How many wire packets each becomes; TCP's segments all have time stamps.

        Raises MeasurementError for a GSO packet whose headers are not known.
        """
        if not self.gso_size_bytes:
            return 1
        if self.protocol not in NETWORK_HEADERS_BYTES:
            raise MeasurementError(f"a GSO packet of protocol {self.protocol:#x}")
        headers_bytes = ETHERNET_HEADER_BYTES + NETWORK_HEADERS_BYTES[self.protocol]
        payload_bytes = self.length_bytes - headers_bytes - TCP_HEADER_BYTES
        return -(-payload_bytes // self.gso_size_bytes)


class Quantity(StrEnum):
    """What is asked of the packets at a spot."""

    GSO_LENGTH = "the longest GSO packet in bytes"
    GSO_SEGMENTS = "the most segments of a packet"
    GSO_PACKETS = "GSO packets"
    WIRE_LENGTH = "the longest packet without GSO in bytes"
    LENGTH = "the longest packet in bytes"
    PARTIAL4 = "IPv4 packets without a checksum"
    PARTIAL6 = "IPv6 packets without a checksum"
    PAGED = "packets that are not linear"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shapes:
    """All packets at one spot.

    `most_segs` and `paged` are told of those that are sent, `partial` by protocol of those that
    cross a ring: elsewhere they are 0 and empty.
    """

    forms: tuple[Form, ...] = ()
    most_segs: int = 0
    paged: int = 0
    partial: Mapping[int, int] = field(default_factory=dict)

    @property
    def packets(self) -> int:
        """How many there were."""
        return sum(form.packets for form in self.forms)

    def measure(self, quantity: Quantity) -> int:
        """A quantity over all packets; 0 where there is none of the kind."""
        gso = [form for form in self.forms if form.gso_size_bytes]
        plain = [form for form in self.forms if not form.gso_size_bytes]
        return {
            Quantity.GSO_LENGTH: _longest(gso),
            Quantity.GSO_SEGMENTS: self.most_segs,
            Quantity.GSO_PACKETS: sum(form.packets for form in gso),
            Quantity.WIRE_LENGTH: _longest(plain),
            Quantity.LENGTH: _longest(self.forms),
            Quantity.PARTIAL4: self.partial.get(IPV4, 0),
            Quantity.PARTIAL6: self.partial.get(IPV6, 0),
            Quantity.PAGED: self.paged,
        }[quantity]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Which GSO packets a device does not take, so that the stack segments them first.

    Those of a length from `from_bytes` on (net/core/dev.c, gso_features_check()) and of these
    protocols.
    """

    protocols: frozenset[int] = frozenset({IPV4, IPV6})
    from_bytes: int = 0

    def count(self, shapes: Shapes) -> int:
        """How many packets there are behind it."""
        return sum(
            form.packets * (form.segments if self._cuts(form) else 1) for form in shapes.forms
        )

    def _cuts(self, form: Form) -> bool:
        return form.protocol in self.protocols and form.length_bytes >= self.from_bytes


def table_of(stage: Stage, device: str, view: str) -> str:
    """The name of the table that a probe fills for a device."""
    return f"{stage} by {device}, {view}"


def read_shapes(growth: Growth, spot: Spot) -> Shapes:
    """What grew at a spot. Raises MeasurementError where it was not counted."""
    if spot.stage is Stage.DELIVERED:
        return Shapes(forms=_forms(growth, spot, LENGTHS))
    checksums = _rows(growth, spot, CHECKSUMS)
    partial = {
        protocol: packets for (protocol, summed), packets in checksums if summed == CHECKSUM_PARTIAL
    }
    pages = _rows(growth, spot, PAGES) if spot.stage is Stage.SENT else ()
    return Shapes(
        forms=_forms(growth, spot, FORMS),
        most_segs=max((segs for (_, _, segs), _ in pages), default=0),
        paged=sum(packets for (_, paged_bytes, _), packets in pages if paged_bytes),
        partial=partial,
    )


def _forms(growth: Growth, spot: Spot, view: str) -> tuple[Form, ...]:
    more = spot.stage.header_bytes
    return tuple(
        Form(
            packets=packets,
            length_bytes=key[0] + more,
            gso_size_bytes=key[1] if view == FORMS else 0,
            protocol=key[2] if view == FORMS else 0,
        )
        for key, packets in _rows(growth, spot, view)
    )


def _rows(growth: Growth, spot: Spot, view: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    table = growth.table(table_of(spot.stage, spot.device, view))
    return tuple((tuple(map(int, key)), tally.hits) for key, tally in table.items())


def _longest(forms: Iterable[Form]) -> int:
    return max((form.length_bytes for form in forms), default=0)
