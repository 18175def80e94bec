"""Faults that were put in the way of packets: as many as asked for, or it is in doubt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.verdict.test_layouts_rule import WHOLE, run_of
from xenlab.measure.layouts import Landing
from xenlab.slots.fate import Fate
from xenlab.verdict.foretold_loss import judge_foretold, judge_unconcerned
from xenlab.verdict.outcome import Outcome

GOOD = run_of((Fate.INTACT, WHOLE), (Fate.INTACT, WHOLE))
BAD = run_of((Fate.INTACT, WHOLE), (Fate.INTACT, replace(WHOLE, landing=Landing.DAMAGED)))


@pytest.mark.parametrize(
    ("faults", "outcome"), [(3, Outcome.PASS), (1, Outcome.INCONCLUSIVE), (4, Outcome.INCONCLUSIVE)]
)
def test_other_faults_than_asked_for_are_in_doubt(faults: int, outcome: Outcome) -> None:
    verdict = judge_foretold(GOOD, subject="it", faults=faults, asked=3)

    assert verdict.outcome is outcome
    assert verdict.numbers["faults"] == faults
    assert verdict.control.endswith(f"{faults} met the fault")


@pytest.mark.parametrize("faults", [1, 3])
def test_what_is_wrong_is_wrong_whatever_was_asked_for(faults: int) -> None:
    assert judge_foretold(BAD, subject="it", faults=faults, asked=3).outcome is Outcome.FAIL


def test_where_no_packet_is_concerned_nothing_was_tested() -> None:
    verdict = judge_unconcerned("it", "no packet has that slot")

    assert (verdict.outcome, verdict.reasons) == (Outcome.SKIP, ("no packet has that slot",))
