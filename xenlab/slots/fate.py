"""Prediction: all that must happen to one layout on its way out of a guest, and into another."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from xenlab.slots.backend import Acceptance, Reception, accept
from xenlab.slots.frontend import Refusal, Sending, send
from xenlab.slots.layout import Layout
from xenlab.slots.limits import STOCK, Limits
from xenlab.slots.receive import Delivery, deliver_accepted


class Fate(StrEnum):
    """What becomes of a packet between the sending driver and dom0's stack.

    DROPPED is counted by the frontend; LOST moves no counter at all; after VIF_DISABLED nothing
    passes until the vif connects anew. Linearised and bounced, a packet is LINEARISED; RELOCATED is
    what patched frontends make of it in place of that.
    """

    INTACT = "intact"
    BOUNCED = "bounced"
    LINEARISED = "linearised"
    RELOCATED = "relocated"
    OVERFLOW = "overflow"
    DROPPED = "dropped"
    LOST = "lost"
    VIF_DISABLED = "vif-disabled"

    @property
    def arrives(self) -> bool:
        """Whether dom0's stack gets it."""
        return self in ARRIVING


ARRIVING = frozenset({Fate.INTACT, Fate.BOUNCED, Fate.LINEARISED, Fate.RELOCATED, Fate.OVERFLOW})


@dataclass(frozen=True, slots=True, kw_only=True)
class Counters:
    """By how much one packet moves each counter; the vif's are named as in `ethtool -S`.

    `tx_zerocopy_sent` comes to rest as success where dom0 forwards, as fail where it consumes.
    `error_responses` counts nowhere: only a probe of make_tx_response() sees them.
    """

    frontend_tx_packets: int
    frontend_tx_dropped: int
    vif_rx_packets: int
    tx_frag_overflow: int
    tx_zerocopy_sent: int
    error_responses: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One layout under one set of limits.

    `acceptance` is None where the frontend sends nothing; `delivery`, to a second guest behind the
    bridge, is None where nothing reaches dom0's stack.
    """

    layout: Layout
    limits: Limits
    fate: Fate
    sending: Sending
    acceptance: Acceptance | None
    delivery: Delivery | None

    @property
    def counters(self) -> Counters:
        """What the packet does to the counters on its way to dom0's stack."""
        accepted = self.acceptance
        return Counters(
            frontend_tx_packets=int(accepted is not None),
            frontend_tx_dropped=int(accepted is None),
            vif_rx_packets=int(self.fate.arrives),
            tx_frag_overflow=accepted.frag_overflow if accepted else 0,
            tx_zerocopy_sent=accepted.zerocopy_sent if accepted else 0,
            error_responses=accepted.error_responses if accepted else 0,
        )


def predict(layout: Layout, limits: Limits = STOCK) -> Prediction:
    """What must become of a layout that a guest's netfront is given."""
    sending = send(layout, limits)
    acceptance = None
    delivery = None
    if sending.refusal is Refusal.NONE:
        acceptance = accept([request.piece for request in sending.requests], limits)
        if acceptance.reception.arrives:
            gso = layout.gso_size_bytes > 0
            delivery = deliver_accepted(acceptance, gso=gso, limits=limits)
    return Prediction(
        layout=layout,
        limits=limits,
        fate=_fate(sending, acceptance),
        sending=sending,
        acceptance=acceptance,
        delivery=delivery,
    )


def _fate(sending: Sending, acceptance: Acceptance | None) -> Fate:
    if acceptance is None:
        return Fate.DROPPED
    match acceptance.reception:
        case Reception.VIF_DISABLED:
            return Fate.VIF_DISABLED
        case Reception.LOST_SLOTS | Reception.LOST_SHORT:
            return Fate.LOST
        case Reception.FRAG_LIST:
            return Fate.OVERFLOW
        case Reception.MAPPED | Reception.FIRST_SLOT_COPIED:
            return _fate_of_sending(sending)


def _fate_of_sending(sending: Sending) -> Fate:
    if sending.linearised:
        return Fate.LINEARISED
    if sending.relocated:
        return Fate.RELOCATED
    return Fate.BOUNCED if sending.bounced else Fate.INTACT
