"""The rule of consoles: no kernel wrote of a fault, on a console that was seen to be alive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from xenlab.verdict.console_fault import ConsoleFault
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
    reasons = _reasons(faults)
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


def _reasons(faults: tuple[ConsoleFault, ...]) -> tuple[str, ...]:
    """One reason a fault, however often it came."""
    first: dict[tuple[str, ...], ConsoleFault] = {}
    times: Counter[tuple[str, ...]] = Counter()
    for fault in faults:
        key = (fault.node, fault.category, *fault.fingerprint)
        first.setdefault(key, fault)
        times[key] += 1
    reasons = [
        f"{fault} ({times[key]} times)" if times[key] > 1 else str(fault)
        for key, fault in first.items()
    ]
    if len(reasons) > REASONS_MAX:
        reasons = [*reasons[:REASONS_MAX], f"and {len(reasons) - REASONS_MAX} more"]
    return tuple(reasons)
