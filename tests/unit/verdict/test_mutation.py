"""What kills a mutant, and what does not."""

from __future__ import annotations

import pytest

from xenlab.verdict.mutation import (
    Catch,
    Ending,
    Mutation,
    combine_endings,
    find_catch,
    find_troubles,
)
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict


def verdict(outcome: Outcome) -> Verdict:
    return Verdict(rule="no loss", subject="alice -> bob", outcome=outcome, reasons=("lost",))


CATCH = Catch(test="test_smoke.py::test_flows", verdict=verdict(Outcome.FAIL))


def mutation(
    *, harmless: bool = False, equivalent: str = "", catch: Catch | None = None, trouble: str = ""
) -> Mutation:
    return Mutation(
        name="netfront-x", harmless=harmless, equivalent=equivalent, elapsed_s=1.5, catch=catch,
        troubles=(trouble,) if trouble else (),
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
    found = find_catch("test_smoke.py::test_flows", [verdict(Outcome.PASS), verdict(outcome)])

    assert (found is not None) is kills
    assert bool(find_troubles([verdict(outcome)])) is troubles


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
