"""The rule of reach: netback's frag_list is met only by a frontend without its limit of slots."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.measure.layouts import LayoutRun
from xenlab.slots.fate import Fate
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

OUT_OF_REACH = "frag_list out of reach"


def judge_reach(limited: LayoutRun, unlimited: LayoutRun, *, subject: str) -> Verdict:
    """PASS if no packet of the limited frontend overflowed, and packets of the other one did.

    Both runs begin at a netfront. INCONCLUSIVE where the limited one met no packet of too many
    slots, or no packet of the control overflowed; SKIP where dom0 has room for all that it takes.
    """
    reached, control = _overflows(limited), _overflows(unlimited)
    reasons = tuple(_doubts(limited, unlimited))
    outcome = Outcome.INCONCLUSIVE if reasons else Outcome.PASS
    if not unlimited.count(Fate.OVERFLOW):
        outcome = Outcome.SKIP
        reasons = ("an skb of dom0's has room for every packet that netback takes: no frag_list",)
    if reached:
        outcome, reasons = Outcome.FAIL, (f"{reached} packets came with a frag_list",)
    return Verdict(
        rule=OUT_OF_REACH,
        subject=subject,
        outcome=outcome,
        reasons=reasons,
        numbers={
            "packets": len(limited.layouts),
            "most_slots": max(limited.slots, default=0),
            "linearised": limited.seen_linearised,
            "tx_frag_overflow": reached,
            "tx_frag_overflow_of_control": control,
        },
        control=(
            f"without the limit {control} of {len(unlimited.layouts)} packets of"
            f" {max(unlimited.slots, default=0)} slots have a frag_list"
        ),
    )


def _overflows(run: LayoutRun) -> int:
    assert run.counted is not None
    return run.counted.tx_frag_overflow


def _doubts(limited: LayoutRun, unlimited: LayoutRun) -> Iterator[str]:
    if not limited.seen_linearised:
        yield "no packet had to be linearised"
    if not _overflows(unlimited):
        yield "no packet of the control has a frag_list either"
