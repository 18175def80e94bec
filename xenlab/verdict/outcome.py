"""Outcome: the six ways a verdict can end, and how several make one."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

EXIT_PASSED = 0
EXIT_FAILED = 1
EXIT_NOTHING_SELECTED = 5
EXIT_LAB_BROKE = 6
EXIT_INCONCLUSIVE = 7


class Outcome(StrEnum):
    """How a rule ended; `LAB_ERROR` and `INCONCLUSIVE` say nothing of what is under test."""

    PASS = "PASS"  # noqa: S105 (not a password)
    FAIL = "FAIL"
    CRASH = "CRASH"
    INCONCLUSIVE = "INCONCLUSIVE"
    LAB_ERROR = "LAB_ERROR"
    SKIP = "SKIP"

    @property
    def exit_code(self) -> int:
        """The command's exit code when this is the outcome of everything that ran."""
        return _EXIT_CODES[self]


# A skip alone means that nothing was tested here.
_EXIT_CODES = {
    Outcome.PASS: EXIT_PASSED,
    Outcome.FAIL: EXIT_FAILED,
    Outcome.CRASH: EXIT_FAILED,
    Outcome.INCONCLUSIVE: EXIT_INCONCLUSIVE,
    Outcome.LAB_ERROR: EXIT_LAB_BROKE,
    Outcome.SKIP: EXIT_NOTHING_SELECTED,
}

# The first that occurs decides. A broken lab comes first, for it may have made all the others.
_WORST_FIRST = (
    Outcome.LAB_ERROR,
    Outcome.CRASH,
    Outcome.FAIL,
    Outcome.INCONCLUSIVE,
)


def combine(outcomes: Iterable[Outcome]) -> Outcome:
    """One outcome for many. None at all is inconclusive: silence is never success.

    Where only passes and skips are left, a pass shows that something was tested.
    """
    seen = set(outcomes)
    for outcome in _WORST_FIRST:
        if outcome in seen:
            return outcome
    if not seen:
        return Outcome.INCONCLUSIVE
    return Outcome.PASS if Outcome.PASS in seen else Outcome.SKIP
