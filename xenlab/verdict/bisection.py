"""Bisection: which of many patches on top of each other is the first with which a test fails."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xenlab.verdict.outcome import Outcome

BAD = frozenset({Outcome.FAIL, Outcome.CRASH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bisection:
    """With the first `good` patches the test passes, with the first `bad` ones it fails.

    `untold` are numbers of patches that say nothing, for they do not build or a lab broke.
    """

    good: int
    bad: int
    untold: frozenset[int] = frozenset()

    @property
    def next_count(self) -> int | None:
        """How many patches to try next; None if nothing more can be told."""
        between = [each for each in range(self.good + 1, self.bad) if each not in self.untold]
        middle = (self.good + self.bad) / 2
        return min(between, key=lambda each: (abs(each - middle), each), default=None)

    @property
    def suspects(self) -> range:
        """The patches, counted from 1, of which one is the first bad one."""
        return range(self.good + 1, self.bad + 1)

    def note(self, count: int, outcome: Outcome) -> Bisection:
        """What is known once so many patches came to this."""
        if outcome in BAD:
            return replace(self, bad=count)
        if outcome is Outcome.PASS:
            return replace(self, good=count)
        return replace(self, untold=self.untold | {count})
