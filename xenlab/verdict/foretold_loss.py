"""The rule of layouts where some packets meet a fault that was put in their way, and are lost."""

from __future__ import annotations

from dataclasses import replace

from xenlab.measure.layouts import LayoutRun
from xenlab.verdict.layouts import AS_PREDICTED, judge_layouts
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict


def judge_foretold(run: LayoutRun, *, subject: str, faults: int, asked: int) -> Verdict:
    """As judge_layouts; `faults` is how many there were, and `asked` how many there should be.

    INCONCLUSIVE where there were others than asked for, and all was right with those.
    """
    verdict = judge_layouts(run, subject=subject)
    if verdict.outcome is Outcome.PASS and faults != asked:
        reasons = (f"{faults} packets met the fault, not {asked}",)
        verdict = replace(verdict, outcome=Outcome.INCONCLUSIVE, reasons=reasons)
    return replace(
        verdict,
        numbers={**verdict.numbers, "faults": faults},
        control=f"{verdict.control}; {faults} met the fault",
    )


def judge_unconcerned(subject: str, why: str) -> Verdict:
    """No packet can meet the fault here: nothing was tested, and this is why."""
    return Verdict(rule=AS_PREDICTED, subject=subject, outcome=Outcome.SKIP, reasons=(why,))
