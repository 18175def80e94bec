"""Turns: what kernels reported while the drivers of two sides took turns, and what that proves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xenlab.measure.contest import BASE, PATCHED
from xenlab.verdict.comparison import BAD
from xenlab.verdict.console_fault import ConsoleFault
from xenlab.verdict.fault_table import Category
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.side import FaultMark
from xenlab.verdict.verdict import Verdict

IN_TURNS = "drivers take turns"
# What a kernel reports of itself when the host does not run its CPUs, too.
STALLS = frozenset(
    {Category.HUNG_TASK, Category.SOFT_LOCKUP, Category.HARD_LOCKUP, Category.RCU_STALL}
)
# No detector reports what lasts less (kernel/watchdog.c, watchdog_thresh; the others wait longer).
SHORTEST_STALL_MS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFault:
    """One fault, and the side whose drivers were loaded when it came.

    `host_delay_ms` is how long the host kept the machine's CPUs waiting in that turn; None where
    it does not tell. `places` are the first lines of source in a crash.
    """

    side: str
    fault: ConsoleFault
    host_delay_ms: int | None = None
    places: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for the same fault in another turn."""
        return FaultMark.of(self.fault).key

    @property
    def may_be_the_hosts(self) -> bool:
        """Whether it is a stall, and the host stood still for as long as one takes."""
        delay_ms = self.host_delay_ms
        stalled = delay_ms is None or delay_ms >= SHORTEST_STALL_MS
        return self.fault.category in STALLS and stalled

    def __str__(self) -> str:
        """For people."""
        return f"{self.fault}, while the drivers of the {say_side(self.side)} were loaded"


def judge_turns(subject: str, found: Sequence[TurnFault], base_turns: int) -> Verdict | None:
    """The verdict on the patched side's faults; None where none is its alone.

    The control is what the base's turns, so many of them, did not show. A warning before the first
    of them is INCONCLUSIVE; a kernel that crashed is a CRASH all the same.
    """
    shown = {each.key for each in found if each.side == BASE}
    own = [each for each in found if each.side == PATCHED and _accuses(each, shown)]
    if not own:
        return None
    outcome = combine(each.fault.outcome for each in own)
    if outcome is not Outcome.CRASH and not base_turns:
        outcome = Outcome.INCONCLUSIVE
    crashed = (each.fault.node for each in own if each.fault.outcome is Outcome.CRASH)
    return Verdict(
        rule=IN_TURNS,
        subject=subject,
        outcome=outcome,
        reasons=tuple(dict.fromkeys(line for each in own for line in (str(each), *each.places))),
        numbers={"faults": len(own), "base_turns": base_turns},
        control=say_control(base_turns),
        node=next(crashed, ""),
    )


def say_control(base_turns: int) -> str:
    """What the base's turns show of a fault that is the patched side's alone."""
    if not base_turns:
        return f"no turn of the {BASE} was over before it"
    return f"turns of the {BASE} that were without: {base_turns}"


def say_side(side: str) -> str:
    """What a side is called in a sentence."""
    return BASE if side == BASE else "patched side"


def _accuses(each: TurnFault, shown: set[tuple[str, ...]]) -> bool:
    if each.key in shown or each.may_be_the_hosts:
        return False
    return each.fault.outcome in BAD
