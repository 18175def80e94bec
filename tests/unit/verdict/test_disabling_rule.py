"""The rule of too many slots: each way in which a vif can fail to be disabled as it must be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.disabling import DisablingRun
from xenlab.measure.layouts import Landing, Sighting
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.verdict.disabling import judge_disabling
from xenlab.verdict.outcome import Outcome

(LAYOUT,) = layouts_of_slots(22, 1)
WHOLE = Sighting(landing=Landing.WHOLE, dropped=False, linearised=False)
GONE = Sighting(landing=Landing.MISSING, dropped=False, linearised=None)
RUN = DisablingRun(
    source="alice", sink="dom0", layout=LAYOUT, slots=22, fatal_index=2,
    sightings=(WHOLE, WHOLE, GONE, GONE), outstanding_skbs=2, carrier=False, told_slots=(20,),
)  # fmt: skip


def test_vif_that_is_disabled_and_told_of_passes() -> None:
    verdict = judge_disabling(RUN)
    assert (verdict.outcome, verdict.reasons) == (Outcome.PASS, ())
    assert verdict.numbers["arrived_before"] == 2


@pytest.mark.parametrize(
    ("run", "reason"),
    [
        (replace(RUN, sightings=(WHOLE, GONE, GONE, GONE)), "1 of 2 packets before"),
        (replace(RUN, sightings=(WHOLE, WHOLE, WHOLE, GONE)), "1 packets arrived of"),
        (replace(RUN, sightings=(WHOLE, WHOLE, GONE, WHOLE)), "and what came behind it"),
        (replace(RUN, carrier=True), "still has its carrier"),
        (replace(RUN, told_slots=()), "told 0 times"),
        (replace(RUN, told_slots=(20, 20)), "told 2 times"),
    ],
)
def test_each_contradiction_fails(run: DisablingRun, reason: str) -> None:
    verdict = judge_disabling(run)
    assert verdict.outcome is Outcome.FAIL
    assert any(reason in each for each in verdict.reasons)


def test_nothing_sent_before_shows_nothing() -> None:
    run = replace(RUN, fatal_index=0, sightings=(GONE, GONE))
    assert judge_disabling(run).outcome is Outcome.INCONCLUSIVE
