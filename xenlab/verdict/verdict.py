"""Verdict: what one rule says of one subject, with the numbers and the control that prove it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from xenlab.errors import DriverFailed, EmulatorFault, KernelFault, LabError, MeasurementError
from xenlab.verdict.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`control` says what was seen that a blind rule would not have seen; `node` who crashed.

    `test` is where a lab's plugin heard it, by pytest's name; empty for what is of no test, such as
    that a lab does not come up. `alarm` marks what is said only where something went wrong: whoever
    comes to the end of the same test without it has passed it.
    `layouts` are those by which a rule of layouts failed, to be sent again, as words.
    """

    rule: str
    subject: str
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    numbers: Mapping[str, int] = field(default_factory=dict)
    control: str = ""
    node: str = ""
    test: str = ""
    alarm: bool = False
    layouts: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line; a crash names its kernel."""
        outcome = f"{self.outcome}({self.node})" if self.node else str(self.outcome)
        why = f": {'; '.join(self.reasons)}" if self.reasons else ""
        return f"{outcome} {self.rule}, {self.subject}{why}"


def verdict_of_error(rule: str, subject: str, error: Exception) -> Verdict | None:
    """The verdict that an error stands for, an alarm; None for one that is a bug in xenlab."""
    reasons = tuple(str(error).splitlines()) or (type(error).__name__,)
    match error:
        case EmulatorFault():
            outcome = Outcome.LAB_ERROR
        case KernelFault():
            return Verdict(
                rule=rule, subject=subject, outcome=Outcome.CRASH, reasons=reasons,
                node=error.node, alarm=True,
            )  # fmt: skip
        case DriverFailed():
            outcome = Outcome.FAIL
        case MeasurementError():
            outcome = Outcome.INCONCLUSIVE
        case LabError():
            outcome = Outcome.LAB_ERROR
        case _:
            return None
    return Verdict(rule=rule, subject=subject, outcome=outcome, reasons=reasons, alarm=True)
