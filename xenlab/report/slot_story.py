"""What becomes of a layout, in sentences: frontend, backend, counters, guests."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.slots.backend import Acceptance, Reception
from xenlab.slots.fate import Fate, Prediction
from xenlab.slots.frontend import Refusal, Sending
from xenlab.slots.limits import COPY_BYTES, RING_SLOTS, WIRE_MAX_BYTES, Limits
from xenlab.slots.receive import Delivery, GuestFate, deliver_layout

FATES = {
    Fate.INTACT: "arrives, granted as it lies",
    Fate.BOUNCED: "arrives, copied to another page by the frontend",
    Fate.LINEARISED: "arrives, copied into one buffer by the frontend",
    Fate.RELOCATED: "arrives, some of it copied into pages of the frontend's own",
    Fate.OVERFLOW: "arrives, copied into local pages by the backend",
    Fate.DROPPED: "dropped by the frontend, and counted in tx_dropped",
    Fate.LOST: "lost in the backend, and no counter moves",
    Fate.VIF_DISABLED: "lost, and nothing passes until the vif connects anew",
}


def tell_fate(prediction: Prediction) -> Iterator[tuple[str, str]]:
    """A heading and a sentence for each station on the way to dom0, the fate last."""
    sending, accepted = prediction.sending, prediction.acceptance
    yield "frontend", _tell_sending(sending, prediction.limits)
    if accepted:
        yield "backend", _tell_acceptance(accepted, prediction.limits)
    moved = [
        f"{name} +{by}"
        for name, by in (
            ("tx_packets (frontend)", prediction.counters.frontend_tx_packets),
            ("tx_dropped (frontend)", prediction.counters.frontend_tx_dropped),
            ("rx_packets (vif)", prediction.counters.vif_rx_packets),
            ("tx_frag_overflow", prediction.counters.tx_frag_overflow),
            ("tx_zerocopy_sent", prediction.counters.tx_zerocopy_sent),
        )
        if by
    ]
    yield "counters", ", ".join(moved)
    yield "fate", f"{prediction.fate.upper()}: {FATES[prediction.fate]}"


def tell_deliveries(prediction: Prediction) -> Iterator[tuple[str, str]]:
    """What the packet takes on a guest's receive ring, from dom0 itself and from the sender."""
    yield "from dom0", _tell_delivery(deliver_layout(prediction.layout, prediction.limits))
    if prediction.delivery:
        yield "forwarded", _tell_delivery(prediction.delivery)


def _tell_sending(sending: Sending, limits: Limits) -> str:
    counted = _slots(sending.counted_slots)
    match sending.refusal:
        case Refusal.OVERSIZE:
            return f"more than the {WIRE_MAX_BYTES} bytes that the wire can say: dropped"
        case Refusal.SCATTER_GATHER:
            return f"{counted}, and scatter-gather is off: dropped"
        case Refusal.GSO:
            return (
                "not a GSO packet for this device: dropped if the driver is called directly; "
                "through a qdisc the stack segments it first"
            )
        case Refusal.NONE:
            pass
    limit = f"the limit is {limits.frontend_slots}"
    done = "sent as it lies"
    if sending.linearised:
        order = sending.copy_order
        done = f"skb_linearize() copies {sending.linear_bytes} bytes into pages of order {order}"
    if sending.relocated:
        done = f"{sending.relocated_bytes} bytes are copied to pages of the frontend's own"
    parts = [f"{counted}, {limit}: {done}"]
    if sending.bounced:
        parts.append("the Ethernet header would cross its page's end: bounced to a page's start")
    extra = f" and {sending.extra_slots} extra" if sending.extra_slots else ""
    parts.append(f"{_slots(sending.slots)}{extra} of the ring's {RING_SLOTS}")
    return "; ".join(parts)


def _tell_acceptance(accepted: Acceptance, limits: Limits) -> str:
    count = _slots(accepted.slots)
    match accepted.reception:
        case Reception.VIF_DISABLED:
            return f"{count}, {limits.fatal_slots} are fatal: the vif is disabled"
        case Reception.LOST_SLOTS:
            return (
                f"{count}, {limits.lost_slots - 1} are accepted: every slot is answered with an "
                "error that the frontend ignores"
            )
        case Reception.LOST_SHORT:
            return "the first slot is shorter than an Ethernet header: answered with errors"
        case Reception.MAPPED | Reception.FIRST_SLOT_COPIED | Reception.FRAG_LIST:
            return "; ".join(_tell_mapping(accepted, limits))


def _tell_mapping(accepted: Acceptance, limits: Limits) -> Iterator[str]:
    whole = f": the whole first slot, not {COPY_BYTES}"
    yield (
        f"{accepted.headlen_bytes} bytes copied into the head by "
        f"{_grant_copies(accepted.copy_operations)}"
        f"{whole if accepted.headlen_bytes > COPY_BYTES else ''}"
    )
    yield f"{_slots(accepted.mapped_slots)} mapped"
    if accepted.frag_overflow:
        yield (
            f"{limits.backend_max_skb_frags} are all that an skb has: the rest goes to a "
            f"frag_list, and all is copied into {len(accepted.frags)} local pages"
        )


def _tell_delivery(delivery: Delivery) -> str:
    extras = f" + {delivery.extra_slots} extra" if delivery.extra_slots else ""
    parts = [f"{_slots(delivery.data_slots)}{extras}, netback waits for {delivery.estimated_slots}"]
    if delivery.shortfall_slots:
        parts.append(f"{delivery.shortfall_slots} too few")
    parts.append(_grant_copies(delivery.copy_operations))
    match delivery.guest:
        case GuestFate.REJECTED:
            parts.append("the guest rejects it (rx_errors)")
        case GuestFate.PADDED:
            parts.append(
                f"the guest gets {delivery.length_bytes} bytes, the headroom counted as data"
            )
        case GuestFate.INTACT:
            parts.append(
                f"the guest gets a head of {delivery.headlen_bytes} bytes and "
                f"{delivery.frags} frag{'' if delivery.frags == 1 else 's'}"
            )
    return "; ".join(parts)


def _slots(count: int) -> str:
    return f"{count} slot{'' if count == 1 else 's'}"


def _grant_copies(count: int) -> str:
    return f"{count} grant {'copy' if count == 1 else 'copies'}"
