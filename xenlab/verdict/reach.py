"""The rule of reach: netback's frag_list is met only by a frontend without its limit of slots."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.measure.layouts import Landing, LayoutRun
from xenlab.slots.fate import Fate
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

OUT_OF_REACH = "frag_list out of reach"


def judge_reach(limited: LayoutRun, unlimited: LayoutRun, *, subject: str) -> Verdict:
    """PASS if no packet of the limited frontend overflowed, and packets of the other one did.

    Both runs are of the same layouts and begin at a netfront. INCONCLUSIVE where none arrived from
    the limited one, or none of the control overflowed; SKIP where none of these can overflow.
    """
    reached, control = _overflows(limited), _overflows(unlimited)
    reasons = tuple(_doubts(limited, unlimited))
    outcome = Outcome.INCONCLUSIVE if reasons else Outcome.PASS
    if not unlimited.count(Fate.OVERFLOW):
        outcome = Outcome.SKIP
        reasons = ("no packet that netback takes needs a frag_list here",)
    if reached:
        outcome, reasons = Outcome.FAIL, (f"{reached} packets came with a frag_list",)
    return Verdict(
        rule=OUT_OF_REACH,
        subject=subject,
        outcome=outcome,
        reasons=reasons,
        numbers={
            "packets": len(limited.layouts),
            "arrived": limited.landings[Landing.WHOLE],
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
    if not limited.landings[Landing.WHOLE]:
        yield "no packet of too many slots arrived"
    if not _overflows(unlimited):
        yield "no packet of the control has a frag_list either"
