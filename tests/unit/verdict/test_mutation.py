"""What kills a mutant, and what does not."""

from __future__ import annotations

import pytest

from xenlab.verdict.mutation import (
    Catch,
    Control,
    Ending,
    Mutation,
    Place,
    combine_endings,
    find_catch,
    find_troubles,
    judge_control,
)
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict


def verdict(outcome: Outcome) -> Verdict:
    return Verdict(rule="no loss", subject="alice -> bob", outcome=outcome, reasons=("lost",))


PLACE = Place(suite="smoke", test="test_smoke.py::test_flows")
CATCH = Catch(place=PLACE, verdict=verdict(Outcome.FAIL))
CLEAN = Control(why="", elapsed_s=3.0)
FAILED = Control(why="FAIL no loss", elapsed_s=3.0)


def mutation(
    *, harmless: bool = False, equivalent: str = "", catch: Catch | None = None, trouble: str = "",
    control: Control | None = CLEAN,
) -> Mutation:  # fmt: skip
    return Mutation(
        name="netfront-x", harmless=harmless, equivalent=equivalent, elapsed_s=1.5, catch=catch,
        troubles=(trouble,) if trouble else (), control=control if catch else None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("tried", "ending"),
    [
        (mutation(catch=CATCH), Ending.KILLED),
        (mutation(catch=CATCH, trouble="gso: LAB_ERROR"), Ending.KILLED),
        (mutation(), Ending.SURVIVED),
        (mutation(equivalent="nobody reads it"), Ending.EQUIVALENT),
        (mutation(trouble="gso: LAB_ERROR"), Ending.UNDECIDED),
        (mutation(equivalent="nobody reads it", trouble="gso: LAB_ERROR"), Ending.UNDECIDED),
        (mutation(harmless=True), Ending.PASSED),
        (mutation(harmless=True, catch=CATCH), Ending.ACCUSED),
        (mutation(harmless=True, trouble="gso: LAB_ERROR"), Ending.UNDECIDED),
        (mutation(catch=CATCH, control=None), Ending.UNDECIDED),
        (mutation(catch=CATCH, control=FAILED), Ending.UNDECIDED),
        (mutation(harmless=True, catch=CATCH, control=FAILED), Ending.UNDECIDED),
    ],
)
def test_ending_is_what_the_suites_said(tried: Mutation, ending: Ending) -> None:
    assert tried.ending is ending


@pytest.mark.parametrize(
    ("outcome", "kills", "troubles"),
    [
        (Outcome.PASS, False, False),
        (Outcome.SKIP, False, False),
        (Outcome.FAIL, True, False),
        (Outcome.CRASH, True, False),
        (Outcome.LAB_ERROR, False, True),
        (Outcome.INCONCLUSIVE, False, True),
    ],
)
def test_only_a_fail_or_a_crash_kills(outcome: Outcome, kills: bool, troubles: bool) -> None:
    found = find_catch(PLACE, [verdict(Outcome.PASS), verdict(outcome)])

    assert (found is not None) is kills
    assert bool(find_troubles([verdict(outcome)])) is troubles


def test_stock_drivers_that_were_not_seen_to_pass_are_a_trouble() -> None:
    caught = mutation(catch=CATCH, control=None)

    assert caught.controlled(CLEAN) == mutation(catch=CATCH)
    assert caught.controlled(FAILED).troubles == (
        "control: stock drivers were not seen to pass it: FAIL no loss",
    )


@pytest.mark.parametrize(
    ("outcomes", "broken", "passed"),
    [
        ([Outcome.PASS], [], True),
        ([Outcome.PASS, Outcome.SKIP], [], True),
        ([Outcome.SKIP], [], False),
        ([], [], False),
        ([Outcome.PASS, Outcome.FAIL], [], False),
        ([Outcome.PASS, Outcome.INCONCLUSIVE], [], False),
        ([Outcome.PASS], ["pytest ended with USAGE_ERROR"], False),
    ],
)
def test_control_is_a_pass_only_where_stock_drivers_were_seen_to_pass(
    outcomes: list[Outcome], broken: list[str], passed: bool
) -> None:
    assert (not judge_control(map(verdict, outcomes), broken)) is passed


@pytest.mark.parametrize(
    ("tried", "outcome"),
    [
        ((), Outcome.INCONCLUSIVE),
        ((mutation(catch=CATCH), mutation(harmless=True)), Outcome.PASS),
        ((mutation(catch=CATCH), mutation()), Outcome.FAIL),
        ((mutation(harmless=True, catch=CATCH),), Outcome.FAIL),
        ((mutation(catch=CATCH), mutation(trouble="gso: LAB_ERROR")), Outcome.INCONCLUSIVE),
    ],
)
def test_all_together_pass_if_all_mutants_die_and_all_rewrites_live(
    tried: tuple[Mutation, ...], outcome: Outcome
) -> None:
    assert combine_endings(tried) is outcome
