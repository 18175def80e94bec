"""The rule of a steady way: a silence that is too long is told with the packet that ended it."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.measure.accounts import way_through
from xenlab.measure.layouts import Landing, LayoutRun, Sighting
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.slots.fate import Fate
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.steady import judge_steady

(LAYOUT,) = layouts_of_slots(18, 1)
SEEN = Sighting(landing=Landing.WHOLE, dropped=False, linearised=False)


def run_of(*silences_ms: int) -> LayoutRun:
    packets = len(silences_ms)
    return LayoutRun(
        source="alice", sink="bob", layouts=(LAYOUT,) * packets, slots=(18,) * packets,
        fates=(Fate.INTACT,) * packets, expected=None, counted=None, way=way_through(packets),
        sightings=tuple(replace(SEEN, silence_ms=silence_ms) for silence_ms in silences_ms),
    )  # fmt: skip


def test_sink_that_is_never_long_without_a_packet_passes() -> None:
    verdict = judge_steady(run_of(0, 900, 3), 1.0)
    assert verdict.outcome is Outcome.PASS
    assert verdict.numbers["longest_silence_ms"] == 900
    assert verdict.control == "3 packets came, each with its time"


def test_stall_of_two_seconds_is_told_with_its_end() -> None:
    verdict = judge_steady(run_of(0, 2, 2_004, 3), 1.0)
    assert verdict.outcome is Outcome.FAIL
    assert verdict.reasons == (
        f"nothing came to bob for 2.00 s before packet 2, `{LAYOUT}`; 1.00 s are the most",
    )


def test_stall_on_a_machine_that_is_as_slow_is_none() -> None:
    assert judge_steady(run_of(0, 2_004), 2.5).outcome is Outcome.PASS


def test_one_packet_shows_nothing() -> None:
    assert judge_steady(run_of(0), 1.0).outcome is Outcome.INCONCLUSIVE
