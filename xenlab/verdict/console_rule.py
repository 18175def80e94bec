"""The rule of consoles: no kernel wrote of a fault, on a console that was seen to be alive."""

from __future__ import annotations

from collections.abc import Iterable

from xenlab.verdict.console import ConsoleFault
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

CONSOLE_CLEAN = "console clean"
REASONS_MAX = 10


def judge_console(
    console: str, faults: Iterable[ConsoleFault], *, log_bytes: int, control_seen: bool
) -> Verdict:
    """The verdict on one console's faults.

    `control_seen` says that a line written to the kernel's log came out on this console: without
    it a console that nobody writes to, or that was lost, would look clean.
    """
    faults = tuple(faults)
    outcome = combine(fault.outcome for fault in faults) if faults else Outcome.PASS
    reasons = tuple(map(str, faults[:REASONS_MAX]))
    if len(faults) > REASONS_MAX:
        reasons += (f"and {len(faults) - REASONS_MAX} more",)
    if not faults and not control_seen:
        outcome = Outcome.INCONCLUSIVE
        reasons = (f"the console of {console} did not show the control line",)
    crashed = next((fault.node for fault in faults if fault.outcome is Outcome.CRASH), "")
    return Verdict(
        rule=CONSOLE_CLEAN,
        subject=console,
        outcome=outcome,
        reasons=reasons,
        numbers={"faults": len(faults), "log_bytes": log_bytes},
        control="control line seen" if control_seen else "control line not seen",
        node=crashed,
    )
