"""Packets towards a guest that does not run: what its ring takes, what waits, and what is lost.

Lines are of drivers/net/xen-netback/rx.c in linux-source-6.1 6.1.192-2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from xenlab.measure.layouts import Landing
from xenlab.measure.ring import RingSide
from xenlab.slots.layout import Layout
from xenlab.slots.receive import Delivery, GuestFate

# rx_drain_timeout_msecs, as netback comes (drivers/net/xen-netback/netback.c).
PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VifSight:
    """A vif of one queue at one moment, from dom0.

    `sent` are packets that came into the ring, `dropped` were refused (tx_dropped), `expired` grew
    too old in the queue (rx_dropped, RX:155).
    """

    ring: RingSide
    queued: int
    queued_bytes: int
    sent: int
    dropped: int
    expired: int
    carrier: bool
    carrier_losses: int
    carrier_gains: int

    @property
    def free_slots(self) -> int:
        """What the guest has offered and netback has not taken."""
        return self.ring.req_prod - self.ring.req_cons


@dataclass(frozen=True, slots=True, kw_only=True)
class RingFill:
    """What a ring that nobody empties takes: packets, the slots they use, and how many are left.

    `left_slots` is below 0 where netback took slots that nobody had offered: it waits for as many
    as it reckons with (RX:48), which are too few where there is XDP headroom.
    """

    packets: int
    used_slots: int
    left_slots: int


def fill_ring(free_slots: int, deliveries: Sequence[Delivery]) -> RingFill:
    """The ring after these packets, in their order (RX:66, RX:490)."""
    left_slots, packets = free_slots, 0
    for delivery in deliveries:
        # The comparison is one of unsigned numbers: more than offered is plenty.
        if 0 <= left_slots < delivery.estimated_slots:
            break
        left_slots -= delivery.used_slots
        packets += 1
    return RingFill(packets=packets, used_slots=free_slots - left_slots, left_slots=left_slots)


@dataclass(frozen=True, slots=True, kw_only=True)
class RxRun:
    """Packets sent to a guest while it was paused, and what became of each.

    The sights are from before the first packet, from the end of the pause, and from when nothing
    was on its way any more. The pause lasted `pause_s`; what waits for `patience_s` grows too old.
    """

    subject: str
    layouts: tuple[Layout, ...]
    deliveries: tuple[Delivery, ...]
    landings: tuple[Landing, ...]
    before: VifSight
    during: VifSight
    after: VifSight
    pause_s: float = 0.0
    patience_s: float = PATIENCE_S

    @property
    def is_overdue(self) -> bool:
        """Whether packets may have grown too old in the pause."""
        return self.pause_s >= self.patience_s

    @property
    def fill(self) -> RingFill:
        """What the ring must have taken."""
        return fill_ring(self.before.free_slots, self.deliveries)

    @property
    def rejected(self) -> int:
        """How many packets the guest must refuse: see GuestFate."""
        return sum(delivery.guest is GuestFate.REJECTED for delivery in self.deliveries)

    @property
    def landed(self) -> Counter[Landing]:
        """How many packets landed how."""
        return Counter(self.landings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overrun:
    """A ring from which netback took slots that its guest had not offered.

    `told` is how many responses the guest's netfront found too many in all, 0 if it said nothing.
    """

    subject: str
    deliveries: tuple[Delivery, ...]
    before: VifSight
    during: VifSight
    told: int

    @property
    def fill(self) -> RingFill:
        """What the ring must have taken."""
        return fill_ring(self.before.free_slots, self.deliveries)
