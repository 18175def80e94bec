"""The rule of an outage: what is lost is lost while the backend is away, and its place is known."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.measure.outage import Outage
from xenlab.plan.model import LabPlan
from xenlab.verdict.interrupted_stream import count_stream, tell_doubts, tell_faults
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

LOST_ONLY_MEANWHILE = "lost only while the backend was away"


def judge_outage(outage: Outage) -> Verdict:
    """Whether each missing datagram was sent meanwhile, and the place of each packet is known."""
    wrong = tuple(_tell_faults(outage))
    doubts = tuple(tell_doubts(outage.stream, outage.backend, outage.lost))
    outcome = Outcome.FAIL if wrong else Outcome.INCONCLUSIVE if doubts else Outcome.PASS
    return Verdict(
        rule=LOST_ONLY_MEANWHILE,
        subject=outage.subject,
        outcome=outcome,
        reasons=(*wrong, *doubts),
        numbers=count_stream(outage.stream)
        | {
            "packets_lost": outage.lost,
            "refused_by_the_router": outage.refused_pkts,
            "lost_with_the_backend": outage.lost_with_backend,
            "lost_while_it_returned": outage.lost_anew,
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


def _tell_faults(outage: Outage) -> Iterator[str]:
    yield from tell_faults(outage.stream, outage.backend, outage.lost)
    for place, packets in outage.silent.items():
        yield f"silent loss {place}: {packets} packets"
