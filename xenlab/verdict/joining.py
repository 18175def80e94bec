"""The rule of joined slots: netback joins what it says; a device bounces only what straddles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xenlab.measure.joining import JoinCell
from xenlab.plan.model import DOM0, LabPlan
from xenlab.verdict.iommu import NO_NIC
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

JOINED_SLOTS = "joined slots reach the device"
# Xen builds a guest of large pieces, and its kernel has given some of them away: a tenth was seen.
FRESH_SHARE = 2


def judge_joining(cells: Sequence[JoinCell]) -> tuple[Verdict, ...]:
    """A verdict for each cell.

    FAIL for slots joined where none may be, and for bounces of frags that a device can read in one
    go; fresh memory may bounce half as often as scattered. INCONCLUSIVE where none were joined
    that should be, or where the control, joined slots of scattered memory, did not bounce. With
    translated memory nothing bounces; that something could is what an untranslated dom0 shows.
    """
    control = next((cell for cell in cells if cell.straddles and cell.bounces), None)
    return tuple(_judge(cell, control) for cell in cells)


def why_no_joining(plan: LabPlan) -> str:
    """Why there is nothing to measure in such a lab; best nothing."""
    if plan.uplink is None:
        return NO_NIC
    if plan.network(plan.uplink.network).backend != DOM0:
        return "the NIC's network has its backend in a driver domain, and the series is for dom0's"
    if not any(link.source != DOM0 and plan.is_peer(link.sink) for link in plan.uplink_links()):
        return "no domU is on the NIC's network"
    return ""


def skip_joining(plan: LabPlan, reason: str) -> Verdict:
    """That there is nothing to measure here."""
    return Verdict(
        rule=JOINED_SLOTS,
        subject=f"topology {plan.topology_name}",
        outcome=Outcome.SKIP,
        reasons=(reason,),
    )


def _judge(cell: JoinCell, control: JoinCell | None) -> Verdict:
    reasons = tuple(_wrong(cell, control))
    doubts = () if reasons else tuple(_doubts(cell, control))
    outcome = Outcome.FAIL if reasons else Outcome.INCONCLUSIVE if doubts else Outcome.PASS
    return Verdict(
        rule=JOINED_SLOTS,
        subject=cell.subject,
        outcome=outcome,
        reasons=reasons or doubts,
        numbers={
            "packets": cell.packets,
            "slots_joined": cell.slots_joined,
            "slots_apart": cell.slots_apart,
            "bounces": cell.bounces,
            "bounced_bytes": cell.bounced_bytes,
            "grant_maps": cell.maps,
        },
        control=_describe(control) if control else "",
    )


def _doubts(cell: JoinCell, control: JoinCell | None) -> Iterator[str]:
    if not cell.packets:
        yield "no packet left the NIC"
    if cell.joining and not cell.slots_joined:
        yield "no slot was joined to the one before it"
    if not cell.joining and not cell.slots_apart:
        yield "no slot went on where the one before it ended: there was nothing to join"
    if control is None and not cell.translated:
        yield "no packet bounced where joined slots straddle: those of scattered memory"
    elif cell.straddles and not cell.bounces:
        yield "none of these packets bounced"


def _wrong(cell: JoinCell, control: JoinCell | None) -> Iterator[str]:
    if not cell.joining and cell.slots_joined:
        yield f"{cell.slots_joined} slots were joined with join_slots=N"
    if not cell.bounces or cell.straddles:
        return
    told = f"{cell.bounces} bounces of {cell.packets} packets"
    if not cell.joining:
        yield f"{told} whose frags are a page each, or less"
    elif cell.translated:
        yield f"{told} although dom0's memory is translated for its devices"
    elif control and cell.bounces * FRESH_SHARE > control.bounces:
        yield f"{told} from memory in one piece"


def _describe(control: JoinCell) -> str:
    return (
        f"{control.subject}: {control.bounces} bounces of {control.packets} packets with"
        f" {control.slots_joined} slots joined"
    )
