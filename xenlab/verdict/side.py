"""Side: all that one side of a comparison came to; where it came to the end of a test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xenlab.verdict.console_fault import ConsoleFault
from xenlab.verdict.fault_table import Category
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

FINE = frozenset({Outcome.PASS, Outcome.SKIP})
TOLD = frozenset({Outcome.PASS, Outcome.FAIL, Outcome.CRASH})
# What suites bring about on purpose, and what no busy host does.
PROVOKED = frozenset({Category.VIF_DISABLED, Category.OUT_OF_MEMORY})

Key = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultMark:
    """A kernel's fault by what is the same in another run of it."""

    node: str
    category: str
    outcome: Outcome
    headline: str
    fingerprint: tuple[str, ...]

    @classmethod
    def of(cls, fault: ConsoleFault) -> FaultMark:
        """The mark of a fault that a console showed."""
        return cls(
            node=fault.node, category=fault.category, outcome=fault.outcome,
            headline=fault.headline, fingerprint=fault.fingerprint,
        )  # fmt: skip

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for the same fault."""
        return (self.node, self.category, *self.fingerprint)

    def __str__(self) -> str:
        """For people."""
        return f"{self.category} in {self.node}: {self.headline} [{' < '.join(self.fingerprint)}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """All that one side came to; a rule that judged a subject twice counts by the worse verdict."""

    verdicts: tuple[Verdict, ...]
    faults: tuple[FaultMark, ...] = ()

    @property
    def by_key(self) -> Mapping[Key, Verdict]:
        """The verdicts by rule and subject."""
        found: dict[Key, Verdict] = {}
        for verdict in self.verdicts:
            key = (verdict.rule, verdict.subject)
            before = found.get(key)
            worse = before is None or combine((before.outcome, verdict.outcome)) != before.outcome
            if worse:
                found[key] = verdict
        return found

    @property
    def crashed(self) -> bool:
        """Whether a kernel did: what came after it may be its consequence."""
        outcomes = [verdict.outcome for verdict in self.verdicts]
        return Outcome.CRASH in {*outcomes, *(fault.outcome for fault in self.faults)}

    @property
    def is_sound(self) -> bool:
        """Whether something passed, nothing went wrong, and no console showed an unmeant fault."""
        outcomes = {verdict.outcome for verdict in self.verdicts}
        shown = {fault.category for fault in self.faults}
        return Outcome.PASS in outcomes and outcomes <= FINE and shown <= PROVOKED

    def came_through(self, test: str) -> bool:
        """Whether it came to the end of a test, so that an alarm which it did not raise is a pass.

        Of no test is what says that a lab is not there: whatever else was judged shows that it was.
        """
        if not test:
            return any(not verdict.alarm for verdict in self.verdicts)
        broken_off = any(verdict.alarm and verdict.test == test for verdict in self.verdicts)
        return self._tells_of(test) and not broken_off

    def find_break(self, test: str) -> Verdict | None:
        """The worst that kept it from judging all that a test judges; None if nothing did.

        That is an alarm of this test, or a doubt where the test came to nothing else. Where it
        never began the test, it is whatever went wrong: its lab did not come up, or it ended at its
        first failure.
        """
        wrong = [verdict for verdict in self.verdicts if verdict.outcome not in FINE]
        if self._began(test):
            mine = [verdict for verdict in wrong if test and verdict.test == test]
            wrong = [each for each in mine if each.alarm or not self._tells_of(test)]
        return _find_worst(wrong)

    def _began(self, test: str) -> bool:
        """Of a verdict that does not know its test, as earlier versions kept them, it may be."""
        return any(
            verdict.test == test if test and verdict.test else not verdict.alarm
            for verdict in self.verdicts
        )

    def _tells_of(self, test: str) -> bool:
        return any(
            not verdict.alarm and verdict.test == test and verdict.outcome in TOLD
            for verdict in self.verdicts
        )


def _find_worst(verdicts: Sequence[Verdict]) -> Verdict | None:
    worst = combine(verdict.outcome for verdict in verdicts)
    return next((verdict for verdict in verdicts if verdict.outcome is worst), None)
