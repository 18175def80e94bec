"""The rule of a steady way: a silence that is too long is told with the packet that ended it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.measure.accounts import way_through
from xenlab.measure.layouts import Landing, LayoutRun, Sighting, Silence
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.slots.fate import Fate
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.steady import judge_steady

(LAYOUT,) = layouts_of_slots(18, 1)
SEEN = Sighting(landing=Landing.WHOLE, dropped=False, linearised=False)


def run_of(*silences_ms: int, delay_ms: int | None = 0) -> LayoutRun:
    """A run in whose every silence the host ran something else for so long."""
    packets = len(silences_ms)
    return LayoutRun(
        source="alice", sink="bob", layouts=(LAYOUT,) * packets, slots=(18,) * packets,
        fates=(Fate.INTACT,) * packets, expected=None, counted=None, way=way_through(packets),
        sightings=tuple(
            replace(SEEN, silence=Silence(silence_ms=silence_ms, host_ms=delay_ms))
            for silence_ms in silences_ms
        ),
    )  # fmt: skip


def test_sink_that_is_never_long_without_a_packet_passes() -> None:
    verdict = judge_steady(run_of(0, 900, 3, delay_ms=400))
    assert verdict.outcome is Outcome.PASS
    assert verdict.numbers["longest_silence_ms"] == 900
    assert verdict.control == "3 packets came, each with its time"


@pytest.mark.parametrize("delay_ms", [0, 900])
def test_stall_of_two_seconds_is_told_with_its_end(delay_ms: int) -> None:
    verdict = judge_steady(run_of(0, 2, 2_004, 3, delay_ms=delay_ms))
    assert verdict.outcome is Outcome.FAIL
    (reason,) = verdict.reasons
    assert reason == (
        f"nothing came to bob for 2.00 s before packet 2, `{LAYOUT}`; 1.00 s are the most,"
        f" and up to {delay_ms / 1000:.2f} s of it may be the host's"
    )


def test_silence_that_may_be_the_host_s_is_no_result() -> None:
    verdict = judge_steady(run_of(0, 2_004, delay_ms=1_100))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "up to 1.10 s of it may be the host's" in verdict.reasons[0]


def test_silence_on_a_host_that_does_not_tell_is_no_result() -> None:
    verdict = judge_steady(run_of(0, 2_004, delay_ms=None))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "this host does not tell" in verdict.reasons[0]


def test_the_stall_is_told_and_not_a_longer_silence_of_the_host_s() -> None:
    own, other = run_of(0, 1_500), run_of(0, 2_500, delay_ms=2_000)
    both = replace(
        own,
        **{
            name: getattr(other, name) + getattr(own, name)
            for name in ("layouts", "slots", "fates", "sightings")
        },
    )
    assert "for 1.50 s before packet 3" in judge_steady(both).reasons[0]


def test_one_packet_shows_nothing() -> None:
    assert judge_steady(run_of(0)).outcome is Outcome.INCONCLUSIVE
