"""Mutation: what came of a driver with a planted bug, or with a harmless rewrite, in the suites."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

CATCHING = frozenset({Outcome.FAIL, Outcome.CRASH})


class Ending(StrEnum):
    """How it ended; only the suites' own FAIL or CRASH kills, a lab that broke does not.

    Nor does a test that stock drivers were not seen to pass in the same run.
    """

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
class Place:
    """A test of a suite; the suite itself for what its consoles show when all tests are over."""

    suite: str
    test: str

    @property
    def is_whole_suite(self) -> bool:
        """Whether no single test is meant."""
        return self.suite == self.test


# Where a lab does not come up.
UP = Place(suite="", test="up")


@dataclass(frozen=True, slots=True, kw_only=True)
class Catch:
    """The first verdict that was against a driver, and the place where it was come to."""

    place: Place
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """What stock drivers came to in a place; `why` that is no pass. Other places may share it."""

    why: str
    elapsed_s: float

    @property
    def passed(self) -> bool:
        """Whether a driver that does not is caught by what is wrong with it."""
        return not self.why


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One mutant's way through the suites.

    `troubles` are what kept a test from a verdict: none of it kills, and none of it is a pass.
    `elapsed_s` is without the control, which is None until it was run.
    """

    name: str
    harmless: bool
    equivalent: str
    elapsed_s: float
    catch: Catch | None
    troubles: tuple[str, ...]
    control: Control | None = None

    @property
    def ending(self) -> Ending:
        """How it ended."""
        if self.catch is not None and self.control is not None and self.control.passed:
            return Ending.ACCUSED if self.harmless else Ending.KILLED
        if self.catch is not None or self.troubles:
            return Ending.UNDECIDED
        if self.harmless:
            return Ending.PASSED
        return Ending.EQUIVALENT if self.equivalent else Ending.SURVIVED

    def controlled(self, control: Control) -> Mutation:
        """The same with its control; that stock drivers were not seen to pass is a trouble."""
        trouble = f"control: stock drivers were not seen to pass it: {control.why}"
        troubles = self.troubles if control.passed else (*self.troubles, trouble)
        return replace(self, control=control, troubles=troubles)


def combine_endings(mutations: Iterable[Mutation]) -> Outcome:
    """What all of them together say of the suites; nothing at all is inconclusive."""
    return combine(mutation.ending.outcome for mutation in mutations)


def find_catch(place: Place, verdicts: Iterable[Verdict]) -> Catch | None:
    """The first of a place's verdicts that kills."""
    found = (verdict for verdict in verdicts if verdict.outcome in CATCHING)
    return next((Catch(place=place, verdict=verdict) for verdict in found), None)


def judge_control(verdicts: Iterable[Verdict], broken: Iterable[str]) -> str:
    """Why stock drivers were not seen to pass; nothing where they were. Silence is no pass."""
    verdicts = tuple(verdicts)
    bad = [str(each) for each in verdicts if each.outcome not in {Outcome.PASS, Outcome.SKIP}]
    said = "; ".join((*bad, *broken))
    if not said and combine(each.outcome for each in verdicts) is not Outcome.PASS:
        return "no verdict of it is a pass"
    return said


def find_troubles(verdicts: Iterable[Verdict]) -> tuple[str, ...]:
    """What kept tests from a verdict."""
    unclear = {Outcome.LAB_ERROR, Outcome.INCONCLUSIVE}
    return tuple(str(verdict) for verdict in verdicts if verdict.outcome in unclear)
