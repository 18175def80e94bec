"""Mutation: what came of a driver with a planted bug, or with a harmless rewrite, in the suites."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

CATCHING = frozenset({Outcome.FAIL, Outcome.CRASH})


class Ending(StrEnum):
    """How it ended; only the suites' own FAIL or CRASH kills, a lab that broke does not."""

    KILLED = "killed"
    SURVIVED = "survived"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"
    PASSED = "passed"
    ACCUSED = "accused"

    @property
    def outcome(self) -> Outcome:
        """What it says of the suites."""
        return _OUTCOMES[self]


_OUTCOMES = {
    Ending.KILLED: Outcome.PASS,
    Ending.SURVIVED: Outcome.FAIL,
    Ending.EQUIVALENT: Outcome.PASS,
    Ending.UNDECIDED: Outcome.INCONCLUSIVE,
    Ending.PASSED: Outcome.PASS,
    Ending.ACCUSED: Outcome.FAIL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """The first verdict that was against a driver, and the test that came to it."""

    test: str
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One mutant's way through the suites.

    `troubles` are what kept a test from a verdict: none of it kills, and none of it is a pass.
    """

    name: str
    harmless: bool
    equivalent: str
    elapsed_s: float
    catch: Catch | None
    troubles: tuple[str, ...]

    @property
    def ending(self) -> Ending:
        """How it ended."""
        if self.catch is not None:
            return Ending.ACCUSED if self.harmless else Ending.KILLED
        if self.troubles:
            return Ending.UNDECIDED
        if self.harmless:
            return Ending.PASSED
        return Ending.EQUIVALENT if self.equivalent else Ending.SURVIVED


def combine_endings(mutations: Iterable[Mutation]) -> Outcome:
    """What all of them together say of the suites; nothing at all is inconclusive."""
    return combine(mutation.ending.outcome for mutation in mutations)


def find_catch(test: str, verdicts: Iterable[Verdict]) -> Catch | None:
    """The first of a test's verdicts that kills."""
    found = (verdict for verdict in verdicts if verdict.outcome in CATCHING)
    return next((Catch(test=test, verdict=verdict) for verdict in found), None)


def find_troubles(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """What kept tests from a verdict."""
    unclear = {Outcome.LAB_ERROR, Outcome.INCONCLUSIVE}
    return tuple(str(verdict) for verdict in verdicts if verdict.outcome in unclear)
