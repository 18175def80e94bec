"""FlowSpec: one flow as it was asked for; UdpFlow and TcpFlow: what its two ends say of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from xenlab.measure.fragments import Family, wire_packets

# The largest UDP payloads: 65535 less the UDP header, less the IPv4 header (IPv6 has it outside).
UDP4_PAYLOAD_MAX_BYTES = 65507
UDP6_PAYLOAD_MAX_BYTES = 65527
TCP_WRITE_MAX_BYTES = 1 << 20

PAGE_BYTES = 4096
# What one wire packet may cost in the receive buffer (skb->truesize): netfront gives each its pages
# (drivers/net/xen-netfront.c, xennet_fill_frags), to which come the head and the sk_buff; twice
# that is the margin.
TRUESIZE_OVERHEAD_BYTES = 1024
TRUESIZE_MARGIN = 2
# RECEIVE_BUFFER_BYTES of xlflow.h: a flow within it cannot overrun a receiver that reads nothing.
RECEIVE_BUFFER_BYTES = 16 << 20


class Transport(StrEnum):
    """The protocol above IP."""

    UDP = "udp"
    TCP = "tcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSpec:
    """One flow to a sink's address: UDP datagrams, or TCP writes, of these sizes in this order.

    The payload is the words of splitmix64 under `seed`: see xenlab/images/tools/xlflow/payload.c.
    Raises ValueError for what no socket can send.
    """

    transport: Transport
    address: str
    port: int
    seed: int
    sizes_bytes: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.sizes_bytes:
            raise ValueError("a flow of nothing proves nothing")
        outside = [size for size in self.sizes_bytes if not 1 <= size <= self.size_max_bytes]
        if outside:
            raise ValueError(f"{self} cannot send {outside[0]} bytes at once")

    def __str__(self) -> str:
        """Such as `udp4`."""
        return self.transport.value + ("4" if self.family is Family.IPV4 else "6")

    @property
    def family(self) -> Family:
        """IPv4 or IPv6, as the address says."""
        return Family.IPV6 if ":" in self.address else Family.IPV4

    @property
    def size_max_bytes(self) -> int:
        """The largest datagram, or write."""
        if self.transport is Transport.TCP:
            return TCP_WRITE_MAX_BYTES
        return UDP4_PAYLOAD_MAX_BYTES if self.family is Family.IPV4 else UDP6_PAYLOAD_MAX_BYTES

    @property
    def total_bytes(self) -> int:
        """Payload of the whole flow."""
        return sum(self.sizes_bytes)

    @property
    def argument(self) -> str:
        """This flow on xlflow's command line."""
        sizes = ",".join(
            str(size) if (count := len(tuple(run))) == 1 else f"{size}x{count}"
            for size, run in groupby(self.sizes_bytes)
        )
        return f"{self.transport}@{self.address}@{self.port}@{self.seed}@{sizes}"

    def wire_packets(self, mtu_bytes: int) -> int:
        """How many packets leave the source for these datagrams; ValueError for TCP."""
        if self.transport is Transport.TCP:
            raise ValueError("the packets of a TCP flow are not known beforehand")
        return sum(wire_packets(size, self.family, mtu_bytes) for size in self.sizes_bytes)

    def fits_receive_buffer(self, mtu_bytes: int) -> bool:
        """Whether a receiver that reads nothing at all still has room for every datagram."""
        if self.transport is Transport.TCP:
            return True
        pages_bytes = -(-mtu_bytes // PAGE_BYTES) * PAGE_BYTES
        packet_bytes = TRUESIZE_MARGIN * (pages_bytes + TRUESIZE_OVERHEAD_BYTES)
        return self.wire_packets(mtu_bytes) * packet_bytes <= RECEIVE_BUFFER_BYTES


class DamageKind(StrEnum):
    """In what way a datagram came damaged."""

    CORRUPT = "corrupt"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One damaged datagram: `index` is that of the outstanding one which it resembles most."""

    kind: DamageKind
    index: int
    expected_bytes: int
    got_bytes: int
    first_bad_offset: int
    bad_bytes: int

    def __str__(self) -> str:
        """For a verdict's reasons."""
        if self.kind is DamageKind.TRUNCATED:
            return (
                f"datagram {self.index} came with {self.got_bytes} of {self.expected_bytes} bytes"
            )
        return (
            f"datagram {self.index} of {self.expected_bytes} bytes has {self.bad_bytes} bad,"
            f" the first at offset {self.first_bad_offset}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UdpFlow:
    """A UDP flow in datagrams: expected = intact + corrupt + truncated + missing.

    `errors` are the sender's, by errno name. `ended` says how the receiver did: complete, idle
    or timeout; and `sender_ended` how the sender: complete, timeout or blocked.
    """

    spec: FlowSpec
    sent: int
    errors: tuple[tuple[str, int], ...]
    received: int
    intact: int
    corrupt: int
    truncated: int
    missing: int
    duplicates: int
    foreign: int
    reordered: int
    missing_indexes: tuple[int, ...]
    damages: tuple[Damage, ...]
    ended: str
    sender_ended: str

    @property
    def stood_still(self) -> bool:
        """Whether the sender had no room in its socket's buffer until its time was up."""
        return self.sender_ended == "blocked"

    @property
    def adds_up(self) -> bool:
        """Whether each datagram that was asked for, and each that came, is counted exactly once."""
        came = self.intact + self.corrupt + self.truncated
        expected = len(self.spec.sizes_bytes) == came + self.missing
        return expected and self.received == came + self.duplicates + self.foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class TcpFlow:
    """A TCP flow in bytes; `first_bad_offset` is -1 when no byte is bad."""

    spec: FlowSpec
    sent_bytes: int
    errors: tuple[tuple[str, int], ...]
    received_bytes: int
    bad_bytes: int
    first_bad_offset: int
    sender_ended: str
    receiver_ended: str

    @property
    def missing_bytes(self) -> int:
        """What the receiver did not get."""
        return self.spec.total_bytes - self.received_bytes


Flow = UdpFlow | TcpFlow


def is_told(flow: Flow) -> bool:
    """Whether the sender knows that not everything went out: then that is no silent loss."""
    return bool(flow.errors) or flow.sender_ended != "complete"
