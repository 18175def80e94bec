"""Batch: layouts with their ids, seed and flow, as the kernel module takes them."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from xenlab.errors import InputError
from xenlab.slots.layout import Checksum, Layout, Protocol
from xenlab.traffic.composer import wire
from xenlab.traffic.composer.wire import Mode, Plant

PROTOCOL_NUMBERS: Mapping[Protocol, int] = MappingProxyType(
    {Protocol.UDP4: 0, Protocol.UDP6: 1, Protocol.TCP4: 2, Protocol.TCP6: 3}
)
CHECKSUM_NUMBERS: Mapping[Checksum, int] = MappingProxyType({Checksum.PARTIAL: 0, Checksum.NONE: 1})
DEVICE_MAX_BYTES = 15
# NET_SKB_PAD (include/linux/skbuff.h): what most skbs have. netfront keeps it in its copies.
HEADROOM_BYTES = 64
# Less than the 512 KiB from which on a vif drops what comes (XENVIF_RX_QUEUE_BYTES,
# drivers/net/xen-netback/interface.c:45; xenvif_rx_queue_tail() in rx.c).
VIF_WINDOW_KIB = 448


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposerFlow:
    """Who talks to whom: MACs as `00:16:3e:..`, addresses as text."""

    source_mac: str
    sink_mac: str
    source4: str
    sink4: str
    source6: str
    sink6: str
    source_port: int = 7007
    sink_port: int = 7007

    def encode(self) -> tuple[bytes, ...]:
        """The fields of struct xlc_flow, in its order."""
        return (
            bytes.fromhex(self.sink_mac.replace(":", "")),
            bytes.fromhex(self.source_mac.replace(":", "")),
            ipaddress.IPv4Address(self.source4).packed,
            ipaddress.IPv4Address(self.sink4).packed,
            ipaddress.IPv6Address(self.source6).packed,
            ipaddress.IPv6Address(self.sink6).packed,
            self.source_port.to_bytes(2, "big"),
            self.sink_port.to_bytes(2, "big"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A layout, how many packets of it, and a fault to plant in each of them."""

    layout: Layout
    repeat: int = 1
    plant: Plant = Plant.NOTHING
    plant_offset_bytes: int = 0

    @property
    def payload_bytes(self) -> int:
        """What the L4 header carries: mark and pattern."""
        return self.layout.length_bytes - self.layout.protocol.header_bytes

    def encode(self) -> bytes:
        """One struct xlc_record with its frags."""
        layout = self.layout
        head = wire.RECORD.pack(
            layout.linear_bytes,
            layout.linear_offset_bytes,
            layout.gso_size_bytes,
            len(layout.frags),
            PROTOCOL_NUMBERS[layout.protocol],
            CHECKSUM_NUMBERS[layout.checksum],
            self.plant,
            self.repeat,
            self.plant_offset_bytes,
        )
        return head + b"".join(
            wire.FRAG.pack(frag.offset_bytes, frag.size_bytes | frag.order << 24)
            for frag in layout.frags
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a batch leaves: device, path, packets under one lock, queue, and patience.

    `headroom_bytes` lie before each linear part; HEADROOM_PAGE begins each buffer with a page.
    At most `window_kib` are under way at once, 0 is no limit; VIF_WINDOW_KIB where a vif must not
    drop.
    """

    device: str
    mode: Mode = Mode.DIRECT
    burst: int = 16
    queue: int = wire.QUEUE_ANY
    drain_ms: int = 5000
    stall_ms: int = 10000
    headroom_bytes: int = HEADROOM_BYTES
    window_kib: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Orders sent in one go; packet i of all has the id `first_id + i`."""

    orders: tuple[Order, ...]
    flow: ComposerFlow
    way: Way
    seed: int = 1
    first_id: int = 0

    def __post_init__(self) -> None:
        if problems := tuple(self._problems()):
            raise InputError(*problems)

    @property
    def packets(self) -> int:
        """How many ids it takes."""
        return sum(order.repeat for order in self.orders)

    @property
    def layouts(self) -> Iterator[Layout]:
        """The layout of each packet, in the order of ids."""
        for order in self.orders:
            for _ in range(order.repeat):
                yield order.layout

    def encode(self) -> bytes:
        """One struct xlc_batch with all its records."""
        records = b"".join(order.encode() for order in self.orders)
        way = self.way
        head = wire.BATCH.pack(
            wire.BATCH_MAGIC,
            wire.VERSION,
            wire.BATCH.size,
            wire.BATCH.size + len(records),
            len(self.orders),
            self.seed,
            self.first_id,
            encode_device(way.device),
            *self.flow.encode(),
            way.mode,
            way.burst,
            way.queue,
            way.drain_ms,
            way.stall_ms,
            way.headroom_bytes,
            way.window_kib,
        )
        return head + records

    def _problems(self) -> Iterator[str]:
        if not 1 <= self.packets <= wire.IDS_MAX:
            yield f"a batch has 1 to {wire.IDS_MAX} packets, not {self.packets}"
        for index, order in enumerate(self.orders):
            layout = order.layout
            if order.payload_bytes < 0 or layout.length_bytes > wire.LENGTH_MAX_BYTES:
                least = layout.protocol.header_bytes
                yield (
                    f"order {index}, `{layout}`: {layout.length_bytes} bytes,"
                    f" not {least} to {wire.LENGTH_MAX_BYTES}"
                )


def encode_device(name: str) -> bytes:
    """A device's name as the kernel keeps it; InputError if it is too long."""
    encoded = name.encode()
    if not 1 <= len(encoded) <= DEVICE_MAX_BYTES:
        raise InputError(f"`{name}`: a device's name has 1 to {DEVICE_MAX_BYTES} bytes")
    return encoded
