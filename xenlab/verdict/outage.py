"""The rule of an outage: what is lost is lost while the backend is away, and its place is known."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.measure.outage import Outage
from xenlab.plan.model import LabPlan
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

LOST_ONLY_MEANWHILE = "lost only while the backend was away"
# What a run must show of the time after it: less proves nothing.
AFTER_MIN = 100
SHOWN = 8


def judge_outage(outage: Outage) -> Verdict:
    """Whether each missing datagram was sent meanwhile, and the place of each packet is known."""
    wrong, doubts = tuple(_faults(outage)), tuple(_doubts(outage))
    outcome = Outcome.FAIL if wrong else Outcome.INCONCLUSIVE if doubts else Outcome.PASS
    return Verdict(
        rule=LOST_ONLY_MEANWHILE,
        subject=outage.subject,
        outcome=outcome,
        reasons=(*wrong, *doubts),
        numbers={
            "datagrams": len(outage.flow.spec.sizes_bytes),
            "datagrams_missing": outage.flow.missing,
            "never_sent": outage.never_sent,
            "packets_lost": outage.lost,
            "refused_by_the_router": outage.refused_pkts,
            "lost_with_the_backend": outage.lost_with_backend,
            "lost_while_it_returned": outage.lost_anew,
            "arrived_before_the_kill": outage.arrived_before,
            "sent_until_it_was_back": outage.sent_until_back,
            "sent_afterwards": outage.sent_after,
        },
        control=f"{outage.lost} packets were lost, so {outage.backend} was away",
    )


def skip_without_driver_domain(plan: LabPlan) -> Verdict:
    """There is nothing to kill."""
    return Verdict(
        rule=LOST_ONLY_MEANWHILE,
        subject=plan.topology_name,
        outcome=Outcome.SKIP,
        reasons=("no driver domain behind a router: see the topology `driver-domain`",),
    )


def _faults(outage: Outage) -> Iterator[str]:
    flow = outage.flow
    if outage.untimely:
        which = ", ".join(map(str, outage.untimely[:SHOWN]))
        yield (
            f"{len(outage.untimely)} datagrams are missing that were sent while {outage.backend}"
            f" was there (first: {which})"
        )
    for place, packets in outage.silent.items():
        yield f"silent loss {place}: {packets} packets"
    if flow.missing - outage.never_sent != outage.lost:
        yield (
            f"{flow.missing - outage.never_sent} datagrams are missing,"
            f" and the counters say {outage.lost}"
        )
    damaged = flow.corrupt + flow.truncated + flow.foreign
    if damaged or flow.duplicates:
        yield f"{damaged} datagrams came damaged, {flow.duplicates} twice"


def _doubts(outage: Outage) -> Iterator[str]:
    if outage.lost <= 0:
        yield f"nothing was lost: {outage.backend} may never have been away"
    if len(outage.flow.missing_indexes) != outage.flow.missing:
        yield f"of {outage.flow.missing} missing datagrams not all are known by their number"
    if outage.sent_after < AFTER_MIN:
        after = max(0, outage.sent_after)
        yield f"only {after} datagrams were sent after {outage.backend} was back"
