"""Rules of a guest that does not run: its ring is filled exactly, then packets wait or expire."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xenlab.measure.layouts import Landing
from xenlab.measure.rx import Overrun, RxRun
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

RING_FILLED = "ring filled as predicted"
NOTHING_MORE_LOST = "recovery without loss"
STALL_SHOWN = "stall shown by the carrier"
EXPIRY_COUNTED = "expiry counted"
OVERRUN = "ring overrun as predicted"
KNOWN_OVERRUN = (
    "known: netback took {slots} slots that nobody had offered, for it does not reckon with the"
    " headroom (xen-netback/rx.c:48), and netfront gave the device up"
)


def judge_fill(run: RxRun) -> Verdict:
    """Whether the guest offered all of its ring, which took what it must, and all else waits.

    Before the ring is exhausted nothing is shown: that is INCONCLUSIVE.
    """
    fill, before, during = run.fill, run.before, run.during
    taken = during.sent - before.sent
    used = during.ring.req_cons - before.ring.req_cons
    waiting = len(run.layouts) - taken
    aged = during.expired - before.expired if run.is_overdue else 0
    reasons = [
        *_differs("slots that the guest offered", before.ring.entries, before.free_slots),
        *_differs("packets in the ring", fill.packets, taken),
        *_differs("slots used", fill.used_slots, used),
        *_differs("packets waiting", waiting - aged, during.queued),
        *_differs("packets refused (tx_dropped)", 0, during.dropped - before.dropped),
        *_differs("packets expired (rx_dropped)", aged, during.expired - before.expired),
    ]
    doubts = [] if during.queued else ["the ring was not exhausted: no packet had to wait"]
    doubts += _overdue(run) if aged else []
    return _verdict(
        RING_FILLED,
        run,
        reasons,
        doubts,
        control=f"{before.free_slots} slots were free, {during.free_slots} are left",
    )


def judge_recovery(run: RxRun, *, expired: int = 0) -> Verdict:
    """Whether everything but what had expired arrived whole, and the ring is as full as before."""
    whole, since = run.landed[Landing.WHOLE], run.after.expired - run.during.expired
    excused = run.is_overdue and not expired
    aged = run.after.expired - run.before.expired if excused else 0
    due = len(run.layouts) - expired - aged - run.rejected
    reasons = [
        f"{count} of {len(run.layouts)} packets {landing}"
        for landing, count in run.landed.items()
        if landing not in {Landing.WHOLE, Landing.MISSING}
    ]
    reasons += [
        *_differs("packets that arrived whole", due, whole),
        *_differs("packets expired since the pause", since if excused else 0, since),
        *_differs("packets refused since the pause", 0, run.after.dropped - run.during.dropped),
        *_differs("packets still waiting", 0, run.after.queued),
        *_differs("free slots of the ring", run.before.free_slots, run.after.free_slots),
    ]
    if not run.after.carrier:
        reasons.append("the vif is without a carrier")
    waited = run.during.queued or expired
    doubts = [] if waited else ["no packet had to wait: nothing had to recover"]
    doubts += _overdue(run) if aged else []
    return _verdict(
        NOTHING_MORE_LOST,
        run,
        reasons,
        doubts,
        control=f"{run.during.queued} packets waited for the guest, {expired} had expired",
    )


def judge_stall(run: RxRun) -> Verdict:
    """Whether the carrier went exactly once, while packets waited, and came back afterwards."""
    before, during, after = run.before, run.during, run.after
    reasons = [
        *_differs(
            "losses of the carrier in the pause", 1, during.carrier_losses - before.carrier_losses
        ),
        *_differs("losses of the carrier in all", 1, after.carrier_losses - before.carrier_losses),
        *_differs("returns of the carrier in all", 1, after.carrier_gains - before.carrier_gains),
    ]
    if during.carrier:
        reasons.append("the vif had its carrier while its guest was stalled")
    doubts = [] if before.carrier else ["the vif had no carrier to begin with"]
    return _verdict(
        STALL_SHOWN, run, reasons, doubts, control=f"{during.queued} packets waited at that time"
    )


def judge_expiry(run: RxRun) -> Verdict:
    """Whether all that waited expired, and each packet counts as dropped exactly once."""
    waiting = len(run.layouts) - run.fill.packets
    reasons = [
        *_differs("packets expired (rx_dropped)", waiting, run.during.expired - run.before.expired),
        *_differs("packets still waiting", 0, run.during.queued),
        *_differs("packets missing", waiting, run.landed[Landing.MISSING]),
    ]
    doubts = [] if waiting else ["no packet had to wait: nothing could expire"]
    return _verdict(
        EXPIRY_COUNTED, run, reasons, doubts, control=f"{waiting} packets found no room in the ring"
    )


def judge_overrun(overrun: Overrun) -> Verdict:
    """Whether netback took exactly as many slots too many as its estimate must make it take.

    That is a fault of stock netback, which its guest answers by giving the device up: the verdict
    passes where the model knows it, and its reason tells of it. A netback without it passes too.
    """
    before, during, fill = overrun.before, overrun.during, overrun.fill
    used = during.ring.req_cons - before.ring.req_cons
    numbers = {
        "free_slots": before.free_slots,
        "slots_used": used,
        "slots_predicted": fill.used_slots,
        "packets_in_ring": during.sent - before.sent,
        "responses_refused": overrun.told,
    }
    if fill.left_slots >= 0:
        outcome, reasons = Outcome.INCONCLUSIVE, ["nothing should have been overrun"]
    elif used <= before.free_slots and not overrun.told and during.queued:
        outcome, reasons = Outcome.PASS, []
    elif used <= before.free_slots and not overrun.told:
        outcome, reasons = Outcome.INCONCLUSIVE, ["no packet had to wait for room in the ring"]
    elif used == fill.used_slots and overrun.told == used:
        outcome = Outcome.PASS
        reasons = [KNOWN_OVERRUN.format(slots=-during.free_slots)]
    else:
        outcome = Outcome.FAIL
        reasons = [
            *_differs("slots used", fill.used_slots, used),
            *_differs("responses that netfront refused", used, overrun.told),
        ]
    return Verdict(
        rule=OVERRUN,
        subject=overrun.subject,
        outcome=outcome,
        reasons=tuple(reasons),
        numbers=numbers,
        control=f"{before.free_slots} slots were free, {fill.used_slots} were to be used",
    )


def _overdue(run: RxRun) -> list[str]:
    return [f"the pause lasted {run.pause_s:.1f} s, and what waits {run.patience_s:.1f} s expires"]


def _differs(what: str, must: int, is_: int) -> Iterator[str]:
    if must != is_:
        yield f"{what}: {is_}, not {must}"


def _verdict(
    rule: str, run: RxRun, reasons: Sequence[str], doubts: Sequence[str], *, control: str
) -> Verdict:
    outcome = Outcome.FAIL if reasons else Outcome.INCONCLUSIVE if doubts else Outcome.PASS
    return Verdict(
        rule=rule,
        subject=run.subject,
        outcome=outcome,
        reasons=tuple(reasons or doubts),
        numbers={
            "packets": len(run.layouts),
            "ring_took": run.during.sent - run.before.sent,
            "slots_used": run.during.ring.req_cons - run.before.ring.req_cons,
            "waited": run.during.queued,
            "expired": run.after.expired - run.before.expired,
            "refused": run.after.dropped - run.before.dropped,
            "arrived_whole": run.landed[Landing.WHOLE],
            "carrier_losses": run.after.carrier_losses - run.before.carrier_losses,
        },
        control=control,
    )
