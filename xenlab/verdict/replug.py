"""The rule of a replug: what is lost is lost while the device is away, and another one came."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.measure.replug import Replug
from xenlab.plan.model import LabPlan
from xenlab.verdict.interrupted_stream import count_stream, tell_doubts, tell_faults
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

LOST_ONLY_UNPLUGGED = "lost only while the device was unplugged"


def judge_replug(replug: Replug) -> Verdict:
    """Whether each missing datagram was sent meanwhile, and each later one by the new device."""
    wrong, doubts = tuple(_tell_faults(replug)), tuple(_tell_doubts(replug))
    outcome = Outcome.FAIL if wrong else Outcome.INCONCLUSIVE if doubts else Outcome.PASS
    return Verdict(
        rule=LOST_ONLY_UNPLUGGED,
        subject=replug.subject,
        outcome=outcome,
        reasons=(*wrong, *doubts),
        numbers=count_stream(replug.stream)
        | {"packets_lost": replug.lost, "carried_by_the_new": replug.carried_anew},
        control=f"{replug.lost} packets were lost, so {replug.device} was away",
    )


def skip_without_replug(plan: LabPlan, why: str) -> Verdict:
    """There is no such device on the way of any stream."""
    return Verdict(
        rule=LOST_ONLY_UNPLUGGED, subject=plan.topology_name, outcome=Outcome.SKIP, reasons=(why,)
    )


def _tell_faults(replug: Replug) -> Iterator[str]:
    yield from tell_faults(replug.stream, replug.device, replug.lost)
    for place, packets in replug.silent.items():
        yield f"silent loss {place}: {packets} packets"


def _tell_doubts(replug: Replug) -> Iterator[str]:
    yield from tell_doubts(replug.stream, replug.device, replug.lost)
    if not replug.is_another:
        yield f"{replug.device} is the one that it was: it was never unplugged"
