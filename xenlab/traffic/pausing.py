"""A paused guest: composed packets from dom0 into its ring, and every one of them afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from xenlab.errors import MeasurementError, WaitTimedOut
from xenlab.measure.layouts import Landing
from xenlab.measure.rx import PATIENCE_S, RxRun, VifSight
from xenlab.plan.model import DOM0, Link
from xenlab.slots.layout import Layout
from xenlab.slots.limits import STOCK, Limits
from xenlab.slots.receive import deliver_layout
from xenlab.traffic.composer.batch import Batch, Order
from xenlab.traffic.composer.delivery import SETTLE_MS, Delivery
from xenlab.traffic.composer.delivery import Fate as Found
from xenlab.traffic.composer.receiver import Post, armed
from xenlab.traffic.composer.route import flow_of, sink_device_of, way_of
from xenlab.traffic.composer.sender import send_batch
from xenlab.traffic.composer.sightings import landing_of
from xenlab.traffic.composer.wire import Plant
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.vif_sight import read_sight
from xenlab.waiting import Deadline, wait_until
from xenlab.xen.pausing import paused

RUN_S = 120.0
REST_S = 30.0  # until nothing is on its way any more
LOOK_S = 15.0
PAUSE_S = 15.0  # more than any time-out of netback's that a suite sets
# How long the sender waits for skbs that do not come back before the guest runs on.
DRAIN_MS = 200
# netback's thread of this vif may not have run between two looks on a busy host.
LOOKS_ALIKE = 4

# $1: a file of a ring. netback looks whether there is something to do, and writes the carrier.
KICK = 'echo kick >"$1"'

Until = Callable[[VifSight], bool]
# Keeps a guest from taking what is in its ring and offering it anew, while the context lasts.
Hold = Callable[[Deadline], AbstractContextManager[None]]
PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class PausedGuest:
    """Where packets go to: the vif of a domU, of one queue; netback keeps them for `patience_s`.

    The guest is paused, unless `hold` keeps it from emptying its ring in another way, `held`.
    """

    lab: LabHandle
    link: Link
    vif: str
    patience_s: float = PATIENCE_S
    hold: Hold | None = None
    held: str = PAUSED

    def holding(self, deadline: Deadline) -> AbstractContextManager[None]:
        """The guest as it is while packets come."""
        if self.hold is not None:
            return self.hold(deadline)
        return paused(self.lab.shell(DOM0), self.link.sink, deadline)

    def look(self, deadline: Deadline) -> VifSight:
        """The vif as it stands. Raises MeasurementError for one of several queues."""
        return read_sight(self.lab.shell(DOM0), self.vif, deadline)

    def compose(self, layouts: Sequence[Layout], seed: int, plant: Plant) -> Batch:
        """One packet of each layout, with a fault in the last."""
        way = replace(way_of(self.lab, self.link), drain_ms=DRAIN_MS, queue=0)
        *all_but_last, last = (Order(layout=layout) for layout in layouts)
        orders = (*all_but_last, replace(last, plant=plant))
        return Batch(orders=orders, flow=flow_of(self.link), way=way, seed=seed)

    def wait_for(self, what: str, until: Until, deadline: Deadline) -> VifSight:
        """The vif once it is as it should be."""
        return self._wait_for(what, until, deadline, deadline, kick=False)

    def wait_or_look(
        self, what: str, until: Until, seconds: float, *, kick: bool = False
    ) -> VifSight:
        """The vif once it is as it should be, or as it stands where it does not become so in time.

        Then it is for a rule to say so. Kicked, it looks for stalls each time.
        """
        soon, late = self.lab.budget(seconds), self.lab.budget(seconds + LOOK_S)
        try:
            return self._wait_for(what, until, soon, late, kick=kick)
        except WaitTimedOut:
            return self.look(self.lab.budget(LOOK_S))

    def _wait_for(
        self, what: str, until: Until, soon: Deadline, deadline: Deadline, *, kick: bool
    ) -> VifSight:
        seen: list[VifSight] = []
        (ring,) = (f"/sys/kernel/debug/xen-netback/{self.vif}/io_ring_q0",)

        def is_so() -> VifSight | None:
            if kick:
                self.lab.shell(DOM0).run_script(KICK, ring, deadline=deadline).require_success()
            seen.append(self.look(deadline))
            return seen[-1] if until(seen[-1]) else None

        return wait_until(is_so, what, soon, last_seen=lambda: str(seen[-1]))


def guest_of(lab: LabHandle, link: Link, *, patience_s: float = PATIENCE_S) -> PausedGuest:
    """The domU at the end of a link from dom0; ValueError for another link."""
    if link.source != DOM0 or link.sink_vif is None:
        raise ValueError(f"{link.source} -> {link.sink}: packets come from dom0 to a paused domU")
    vif = lab.vif(link.sink, link.sink_vif.index)
    return PausedGuest(lab=lab, link=link, vif=vif, patience_s=patience_s)


def send_to_paused(
    guest: PausedGuest,
    layouts: Sequence[Layout],
    pause: Callable[[PausedGuest, Deadline], VifSight],
    *,
    seed: int,
    limits: Limits = STOCK,
    plant: Plant = Plant.NOTHING,
) -> RxRun:
    """Send layouts to a guest while it is paused, wait in the pause, and then for every packet.

    Both ends have the composer. `pause` returns what is seen when the pause is over; `plant` is a
    fault in the last packet. Raises LabError where the lab broke, MeasurementError where an end
    cannot say what it saw.
    """
    deadline = guest.lab.budget(RUN_S)
    before = guest.look(deadline)
    batch = guest.compose(layouts, seed, plant)
    delivery, during, pause_s = _deliver(guest, batch, pause, deadline)
    return RxRun(
        subject=f"{guest.link.source} -> {guest.link.sink}, {guest.held}",
        layouts=tuple(layouts),
        deliveries=tuple(deliver_layout(layout, limits) for layout in layouts),
        landings=tuple(_landing(fate, limits) for fate in delivery.fates),
        before=before,
        during=during,
        after=guest.wait_or_look(f"{guest.vif} to rest", lambda seen: _rests(before, seen), REST_S),
        pause_s=pause_s,
        patience_s=guest.patience_s,
    )


def _deliver(
    guest: PausedGuest,
    batch: Batch,
    pause: Callable[[PausedGuest, Deadline], VifSight],
    deadline: Deadline,
) -> tuple[Delivery, VifSight, float]:
    """The batch from end to end; what was seen at the end of the pause in it, and its seconds."""
    lab, link = guest.lab, guest.link
    dom0 = lab.shell(DOM0)
    post = Post(device=sink_device_of(lab, link))
    with armed(lab.shell(link.sink), batch, post, deadline) as receiver:
        started_s = time.monotonic()
        with guest.holding(deadline):
            sent = send_batch(dom0, batch, deadline)
            during = pause(guest, deadline)
        pause_s = time.monotonic() - started_s
        guest.wait_or_look(f"{guest.vif} to be empty", _is_empty, REST_S)
        receiver.finish(SETTLE_MS, deadline)
        arrived = receiver.wait(deadline)
    sent.require_all_given(f"{link.source} to {link.sink}, {guest.held}")
    if arrived.overflow:
        raise MeasurementError(f"{link.sink}: the receiver had no room for {arrived.overflow}")
    delivery = Delivery(batch=batch, send_report=sent, arrival_report=arrived)
    return delivery, during, pause_s


def look_at_once(guest: PausedGuest, deadline: Deadline) -> VifSight:
    """A pause that ends when the ring has taken what it takes: the same some times over is all."""
    seen: list[VifSight] = []

    def same(now: VifSight) -> bool:
        seen.append(now)
        last = seen[-LOOKS_ALIKE:]
        return len(last) == LOOKS_ALIKE and all(each == now for each in last)

    return guest.wait_for(f"{guest.vif} to stand still", same, deadline)


def wait_for_stall(guest: PausedGuest, _deadline: Deadline) -> VifSight:
    """A pause that ends when the vif has lost its carrier, or should have long ago."""
    what = f"{guest.vif} to lose its carrier"
    return guest.wait_or_look(what, lambda seen: not seen.carrier, PAUSE_S, kick=True)


def wait_for_expiry(guest: PausedGuest, _deadline: Deadline) -> VifSight:
    """A pause that ends when nothing waits for the guest any more, or should not for long."""
    return guest.wait_or_look(f"{guest.vif} to be empty", _is_empty, PAUSE_S)


def _landing(found: Found, limits: Limits) -> Landing:
    """With headroom a packet comes with as many bytes too many, and is whole before them."""
    headroom_bytes = limits.xdp_headroom_bytes
    if not headroom_bytes or len(found.arrivals) != 1:
        return landing_of(found)
    (arrival,) = found.arrivals
    padded = arrival.length_bytes == found.layout.length_bytes + headroom_bytes
    # What lies behind a packet may by chance go on as its payload would.
    only_padding = arrival.first_bad >= found.payload_bytes
    return Landing.WHOLE if padded and only_padding else landing_of(found)


def _is_empty(sight: VifSight) -> bool:
    return sight.queued == 0


def _rests(before: VifSight, seen: VifSight) -> bool:
    """The guest has offered as many slots as before, and nothing waits."""
    return seen.queued == 0 and seen.free_slots >= before.free_slots
