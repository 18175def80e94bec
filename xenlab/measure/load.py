"""Load: packets that pktgen made, what became of them at every hop, and the ring slots they took.

Their payload is zeros and is not compared: a load proves counts, lengths and marks. Contents are
what the composer is for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from xenlab.measure.attachment import Role
from xenlab.measure.counters import QDISC_DROPS
from xenlab.measure.flow_account import (
    FlowAccount,
    Payload,
    named_losses,
    passages_of,
    stations_of,
)
from xenlab.measure.hops import Drop, HopAccount
from xenlab.measure.path import Path
from xenlab.slots.layout import ETHERNET_HEADER_BYTES, PAGE_BYTES
from xenlab.slots.limits import RING_SLOTS
from xenlab.slots.pktgen import PktgenFrame

PACKETS = "packets"
MICRO = 1_000_000
# A vif keeps half a ring's worth of bytes for its guest and refuses what comes beyond
# (xenvif_rx_queue_tail(), xen-netback/rx.c:92); a bridge's packets wait in its qdisc before.
# pktgen does not care: such drops are its own doing, once the vif has so many bytes.
REFUSED = "tx_dropped"
OVERRUN = frozenset({REFUSED, QDISC_DROPS})
# XENVIF_RX_QUEUE_BYTES, xen-netback/interface.c:45.
QUEUE_BYTES = RING_SLOTS // 2 * PAGE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSpec:
    """Packets of one frame, given to one device's queues in turn."""

    frame: PktgenFrame
    packets: int
    queues: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What came to the sink's device: with pktgen's mark and addresses, and all else.

    `marked_bytes` begin with the IP header.
    """

    marked_pkts: int
    marked_bytes: int
    other_pkts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RingUse:
    """Slots that went through a vif's rings in one direction, by queue."""

    vif: str
    slots: Mapping[int, int]

    @property
    def total(self) -> int:
        """Of all queues."""
        return sum(self.slots.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One run. `from_guest` and `to_guest` are None where the link has no such vif.

    The source's device has `device_queues`, of which the load may use fewer.

    `filtered` were dropped by somebody's filters at a vif; its queueing drops hold them as well.
    `unrest` is what did not come to rest behind it; best nothing.
    """

    source: str
    sink: str
    device: str
    device_queues: int
    spec: LoadSpec
    generated_pkts: int
    refused: int
    elapsed_us: int
    account: HopAccount
    source_drops: tuple[Drop, ...]
    filtered: tuple[Drop, ...]
    arrivals: Arrivals
    from_guest: RingUse | None
    to_guest: RingUse | None
    unrest: str = ""

    @property
    def subject(self) -> str:
        """For verdicts."""
        queues = f" on {self.spec.queues} queues" if self.spec.queues > 1 else ""
        frames = f"{self.spec.packets} of {self.spec.frame}"
        return f"{self.source} -> {self.sink} pktgen, {frames}{queues}"

    @property
    def packets_a_second(self) -> int:
        """As pktgen generated them."""
        return self.generated_pkts * MICRO // self.elapsed_us if self.elapsed_us else 0

    @property
    def bits_a_second(self) -> int:
        """The same in bits of whole frames."""
        return 8 * self.spec.frame.size_bytes * self.packets_a_second

    @property
    def expected_bytes(self) -> int:
        """What the packets that arrived must have, from the IP header on."""
        return self.arrivals.marked_pkts * (self.spec.frame.size_bytes - ETHERNET_HEADER_BYTES)

    @property
    def arrived_pkts(self) -> int:
        """Marked or not."""
        return self.arrivals.marked_pkts + self.arrivals.other_pkts

    @property
    def balanced(self) -> bool:
        """Whether every packet was counted at every place: then none is on its way."""
        return (
            self.account.balanced
            and self.generated_pkts == self.account.packets_in
            and self.account.packets_out == self.arrived_pkts
        )

    @property
    def overrun_pkts(self) -> int:
        """How many packets that was, in the vif and in the qdisc that it stops with the first."""
        dropped = sum(drop.packets for drop in self.overruns)
        return dropped - sum(drop.packets for drop in self.filtered)

    @property
    def room_pkts(self) -> int:
        """How many packets the last vif keeps before it refuses one, whatever its guest does."""
        return -(-QUEUE_BYTES // self.spec.frame.size_bytes)

    @property
    def overruns(self) -> tuple[Drop, ...]:
        """Drops of the last vif, for which it had no room for its guest."""
        drops = (drop for hop in self.account.hops for drop in hop.drops)
        vif = self.to_guest.vif if self.to_guest is not None else ""
        return find_overruns((*self.source_drops, *drops), vif)


def find_overruns(drops: Iterable[Drop], vif: str) -> tuple[Drop, ...]:
    """Those of a vif that had no room for its guest, itself or in the queue that it stopped."""
    return tuple(
        drop for drop in drops if vif and drop.place.device == vif and drop.place.counter in OVERRUN
    )


def between_devices(path: Path) -> Path:
    """The path without bridge devices: pktgen's packets begin at a device and end at one."""
    legs = tuple(leg for leg in path.legs if Role.BRIDGE not in {leg.start.role, leg.end.role})
    return replace(path, legs=legs)


def account_load(load: Load) -> FlowAccount:
    """The load as a picture shows it."""
    arrivals = load.arrivals
    return FlowAccount(
        subject=load.subject,
        source=f"{load.source} {load.device}",
        sink=load.sink,
        wire_packets=load.generated_pkts,
        stations=stations_of(load.account),
        passages=passages_of(load.account),
        source_drops=named_losses(load.source_drops),
        sink_drops=(),
        payloads=(
            Payload(
                unit=PACKETS,
                sent=load.generated_pkts,
                intact=arrivals.marked_pkts,
                damaged=arrivals.other_pkts,
                missing=max(0, load.generated_pkts - load.arrived_pkts),
                duplicates=max(0, load.arrived_pkts - load.generated_pkts),
                reordered=0,
            ),
        ),
        vanished=(),
        told=False,
    )
