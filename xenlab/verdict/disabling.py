"""The rule of too many slots: netback disables the vif, says so, and lets nothing more through."""

from __future__ import annotations

from collections.abc import Iterator

from xenlab.measure.disabling import DisablingRun
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

VIF_DISABLED = "vif disabled and told of"


def judge_disabling(run: DisablingRun, *, subject: str = "") -> Verdict:
    """PASS if the vif was disabled by this packet, visibly, and by no packet before it.

    Without a packet before it nothing shows that the vif had worked: INCONCLUSIVE.
    """
    reasons = tuple(_find_problems(run))
    outcome = Outcome.FAIL if reasons else Outcome.PASS
    if not run.before:
        outcome, reasons = Outcome.INCONCLUSIVE, ("nothing was sent before the packet",)
    return Verdict(
        rule=VIF_DISABLED,
        subject=subject or run.subject,
        outcome=outcome,
        reasons=reasons,
        numbers={
            "slots": run.slots,
            "arrived_before": run.arrived_before,
            "arrived_after": run.arrived_after,
            "outstanding_skbs": run.outstanding_skbs,
        },
        control=f"{run.arrived_before} of {len(run.before)} packets arrived before it",
    )


def _find_problems(run: DisablingRun) -> Iterator[str]:
    layout = f"`{run.layout}` ({run.slots} slots)"
    if run.arrived_before != len(run.before):
        yield f"{run.arrived_before} of {len(run.before)} packets before {layout} arrived"
    if run.arrived_after:
        yield f"{run.arrived_after} packets arrived of {layout} and what came behind it"
    if run.carrier:
        yield f"the vif still has its carrier after {layout}"
    if len(run.told_slots) != 1:
        yield f"netback told {len(run.told_slots)} times, not once, of a malicious frontend"
