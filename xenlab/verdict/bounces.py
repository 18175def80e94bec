"""The rule of bounces: a NIC's packets are copied for DMA only where their pages straddle."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xenlab.measure.bounces import BounceCell
from xenlab.measure.pv_memory import PvMemory
from xenlab.plan.model import Dom0Kind, LabPlan
from xenlab.verdict.iommu import NO_NIC
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

BOUNCES = "bounces where pages straddle"
# Xen builds dom0 of few large pieces: what crosses from one to the next is a rare packet.
FRESH_SHARE = 10


def judge_bounces(cells: Sequence[BounceCell]) -> tuple[Verdict, ...]:
    """A verdict for each cell, with the cell that must bounce as the control of all others.

    FAIL for bounces without compound pages, or of a guest's packets, which are pages of their own;
    and for fresh memory that bounces as often as a tenth of what scattered memory does. Where the
    control did not bounce, nothing can be told: INCONCLUSIVE.
    """
    control = next((cell for cell in cells if cell.straddles and cell.bounces), None)
    return tuple(_judge(cell, control) for cell in cells)


def why_no_bounces(plan: LabPlan) -> str:
    """Why there is nothing to measure in such a lab; best nothing."""
    if plan.uplink is None:
        return NO_NIC
    if plan.nic_domu:
        return f"the NIC is {plan.nic_domu}'s, and what bounces there is not measured"
    if plan.dom0.kind is not Dom0Kind.PV:
        return "only the memory of a PV dom0 is another for devices than for its kernel"
    return ""


def skip_bounces(plan: LabPlan, reason: str) -> Verdict:
    """That there is nothing to measure here."""
    return Verdict(
        rule=BOUNCES,
        subject=f"topology {plan.topology_name}",
        outcome=Outcome.SKIP,
        reasons=(reason,),
    )


def _judge(cell: BounceCell, control: BounceCell | None) -> Verdict:
    doubts = tuple(_doubts(cell, control))
    reasons = () if doubts or control is None else tuple(_wrong(cell, control))
    outcome = Outcome.FAIL if reasons else Outcome.INCONCLUSIVE if doubts else Outcome.PASS
    return Verdict(
        rule=BOUNCES,
        subject=cell.subject,
        outcome=outcome,
        reasons=reasons or doubts,
        numbers={
            "packets": cell.packets,
            "bounces": cell.bounces,
            "bounced_bytes": cell.bounced_bytes,
            "bounces_per_thousand": _round(cell),
            "grant_maps": cell.maps,
        },
        control=_describe(control) if control else "",
    )


def _doubts(cell: BounceCell, control: BounceCell | None) -> Iterator[str]:
    if not cell.packets:
        yield "no packet left the NIC"
    if control is None:
        yield "no packet bounced where pages straddle: scattered memory with compound pages"
    elif cell.straddles and not cell.bounces:
        yield "none of these packets bounced"


def _wrong(cell: BounceCell, control: BounceCell) -> Iterator[str]:
    if cell.straddles or not cell.bounces:
        return
    told = f"{cell.bounces} bounces of {cell.packets} packets"
    if cell.forwarded:
        yield f"{told} that hold pages of a guest, none of which straddles"
    elif not cell.compound:
        yield f"{told} that hold no compound page"
    elif cell.memory is PvMemory.FRESH and _round(cell) * FRESH_SHARE > _round(control):
        yield f"{told} from fresh memory, {_round(cell)} of a thousand"


def _describe(control: BounceCell) -> str:
    return (
        f"{control.subject}: {control.bounces} bounces of {control.packets} packets,"
        f" {_round(control)} of a thousand"
    )


def _round(cell: BounceCell) -> int:
    return round(cell.per_thousand or 0)
