"""The rule of reach: a frag_list that was met, and each way in which a run shows nothing of it."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.measure.accounts import way_through
from xenlab.measure.layouts import Landing, LayoutCounters, LayoutRun, Sighting
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.slots.fate import Fate
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.reach import judge_reach
from xenlab.verdict.verdict import Verdict

(LAYOUT,) = layouts_of_slots(19, 1)


def run_of(fate: Fate, *, overflows: int, linearised: bool = False) -> LayoutRun:
    counted = LayoutCounters(frontend_tx_dropped=0, tx_frag_overflow=overflows, tx_zerocopy_sent=0)
    seen = Sighting(landing=Landing.WHOLE, dropped=False, linearised=linearised)
    return LayoutRun(
        source="alice", sink="dom0", layouts=(LAYOUT,), slots=(19,), fates=(fate,),
        sightings=(seen,), expected=counted, counted=counted, way=way_through(1),
    )  # fmt: skip


LIMITED = run_of(Fate.LINEARISED, overflows=0, linearised=True)
CONTROL = run_of(Fate.OVERFLOW, overflows=1)


def judge(limited: LayoutRun, control: LayoutRun) -> Verdict:
    return judge_reach(limited, control, subject="alice -> dom0")


def test_frag_list_that_only_the_control_meets_passes_and_the_control_is_told() -> None:
    verdict = judge(LIMITED, CONTROL)

    assert verdict.outcome is Outcome.PASS
    assert verdict.control == "without the limit 1 of 1 packets of 19 slots have a frag_list"


def test_frag_list_that_the_frontend_itself_meets_fails_whatever_the_control_says() -> None:
    met = run_of(Fate.LINEARISED, overflows=1, linearised=True)

    for control in (CONTROL, run_of(Fate.INTACT, overflows=0)):
        verdict = judge(met, control)
        assert verdict.outcome is Outcome.FAIL
        assert verdict.reasons == ("1 packets came with a frag_list",)


def test_frontend_that_relocates_in_place_of_linearising_passes_too() -> None:
    assert judge(run_of(Fate.RELOCATED, overflows=0), CONTROL).outcome is Outcome.PASS


def test_without_a_packet_that_arrives_nothing_is_shown() -> None:
    gone = replace(LIMITED, sightings=(replace(LIMITED.sightings[0], landing=Landing.MISSING),))

    assert judge(gone, CONTROL).reasons == ("no packet of too many slots arrived",)
    assert judge(gone, CONTROL).outcome is Outcome.INCONCLUSIVE


def test_control_that_meets_none_shows_nothing() -> None:
    verdict = judge(LIMITED, run_of(Fate.OVERFLOW, overflows=0))

    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert verdict.reasons == ("no packet of the control has a frag_list either",)


def test_dom0_with_room_for_all_is_a_skip() -> None:
    assert judge(LIMITED, run_of(Fate.INTACT, overflows=0)).outcome is Outcome.SKIP
