"""Outcomes: how many make one, and what the command returns for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xenlab.errors import (
    CommandFailed,
    EmulatorFault,
    InputError,
    KernelFault,
    MeasurementError,
)
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict, verdict_of_error

WORST_FIRST = [
    Outcome.LAB_ERROR,
    Outcome.CRASH,
    Outcome.FAIL,
    Outcome.INCONCLUSIVE,
    Outcome.PASS,
    Outcome.SKIP,
]


@given(st.lists(st.sampled_from(WORST_FIRST), min_size=1))
def test_worst_outcome_decides_and_a_skip_never_hides_a_pass(outcomes: list[Outcome]) -> None:
    assert combine(outcomes) is min(outcomes, key=WORST_FIRST.index)


def test_no_outcome_at_all_is_inconclusive() -> None:
    assert combine([]) is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.PASS, 0),
        (Outcome.FAIL, 1),
        (Outcome.CRASH, 1),
        (Outcome.SKIP, 5),
        (Outcome.LAB_ERROR, 6),
        (Outcome.INCONCLUSIVE, 7),
    ],
)
def test_exit_code_of_each_outcome(outcome: Outcome, code: int) -> None:
    assert outcome.exit_code == code


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (MeasurementError("no counter"), Outcome.INCONCLUSIVE),
        (CommandFailed("tc returned 2"), Outcome.LAB_ERROR),
        (KernelFault("bob", "f < g", ()), Outcome.CRASH),
        (EmulatorFault("bob", "a triple fault", ()), Outcome.LAB_ERROR),
    ],
)
def test_error_of_the_lab_is_a_verdict(error: Exception, outcome: Outcome) -> None:
    verdict = verdict_of_error("no loss", "alice -> bob", error)
    assert verdict is not None
    assert verdict.outcome is outcome
    assert verdict.reasons == (str(error),)


def test_error_of_ours_is_no_verdict() -> None:
    assert verdict_of_error("no loss", "alice -> bob", ValueError("a bug")) is None
    assert verdict_of_error("no loss", "alice -> bob", InputError("a typo")) is None


def test_verdict_reads_as_one_line() -> None:
    verdict = Verdict(
        rule="console clean", subject="bob", outcome=Outcome.CRASH, reasons=("oops",), node="bob"
    )
    assert str(verdict) == "CRASH(bob) console clean, bob: oops"
