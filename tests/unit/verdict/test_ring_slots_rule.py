"""The rules of the ring: each way in which what probes saw can contradict the model."""

from __future__ import annotations

import pytest

from tests.unit.measure.accounts import way_through
from xenlab.errors import MeasurementError
from xenlab.measure import penalties, probed_slots
from xenlab.measure.layouts import LayoutRun
from xenlab.measure.observation import Observation, ObservedEnd
from xenlab.measure.penalties import Penalties
from xenlab.measure.readings import Growth, Table, Tally
from xenlab.measure.slot_histogram import observe_histogram
from xenlab.slots.fate import Fate
from xenlab.slots.limits import STOCK
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.ring_slots import judge_linearised, judge_ring_slots

XMIT = ("xennet_start_xmit",)


def run_of(*packets: tuple[int, Fate]) -> LayoutRun:
    return LayoutRun(
        source="alice", sink="dom0", layouts=(), slots=(), sightings=(),
        fates=tuple(fate for _, fate in packets), ring_slots=tuple(slots for slots, _ in packets),
        expected=None, counted=None, way=way_through(0),
    )  # fmt: skip


def penalties_of(
    slots: dict[int, int], *, pulled: int = 0, failed: int = 0, dropped: int | None = None
) -> Penalties:
    """What probes saw: packets by slots, and what became of attempts to linearise."""
    at_least = {
        at: sum(count for each, count in slots.items() if each >= at)
        for at in range(1, max(slots, default=0) + 1)
    }
    tables: dict[str, Table] = {
        probed_slots.FIRST: {("1",): Tally(hits=at_least[1])} if slots else {},
        probed_slots.FURTHER: {(str(at),): Tally(hits=n) for at, n in at_least.items() if at > 1},
        penalties.PULLED: {XMIT: Tally(hits=pulled)} if pulled else {},
        penalties.PULL_FAILED: {XMIT: Tally(hits=failed)} if failed else {},
    }
    counters = {
        "eth0 tx_packets": sum(slots.values()),
        "eth0 tx_dropped": failed if dropped is None else dropped,
    }
    alice = Growth(node="alice", counters=counters, tables=tables, missing={})
    dom0 = Growth(node="dom0", counters={}, tables={}, missing={})
    return Penalties(
        observation=Observation(
            from_end=ObservedEnd(node="alice", device="eth0", vif="vif1.0"),
            to_end=ObservedEnd(node="dom0", device="br-lan", vif=""),
            nodes={"alice": alice, "dom0": dom0},
        )
    )


RUN = run_of((3, Fate.INTACT), (17, Fate.LINEARISED), (17, Fate.INTACT))


def test_slots_that_were_foretold_pass_and_are_told_as_control() -> None:
    verdict = judge_ring_slots(RUN, penalties_of({3: 1, 17: 2}))

    assert verdict.outcome is Outcome.PASS
    assert verdict.control == "of each number of slots: 1 of 3, 2 of 17"


@pytest.mark.parametrize(
    ("slots", "reason"),
    [
        ({3: 2, 17: 2}, "2 packets took 3 slots, not 1"),
        ({3: 1, 16: 1, 17: 1}, "1 packets took 16 slots, not 0"),
        ({17: 2}, "0 packets took 3 slots, not 1"),
    ],
)
def test_other_slots_fail(slots: dict[int, int], reason: str) -> None:
    verdict = judge_ring_slots(RUN, penalties_of(slots))

    assert verdict.outcome is Outcome.FAIL
    assert reason in verdict.reasons


def test_ring_without_packets_says_nothing() -> None:
    assert judge_ring_slots(run_of(), penalties_of({})).outcome is Outcome.INCONCLUSIVE


def test_probe_that_is_not_there_is_no_zero() -> None:
    blind = Observation(
        from_end=ObservedEnd(node="alice", device="eth0", vif="vif1.0"),
        to_end=ObservedEnd(node="dom0", device="br-lan", vif=""),
        nodes={"alice": Growth(node="alice", counters={}, tables={}, missing={})},
    )
    with pytest.raises(MeasurementError):
        judge_ring_slots(RUN, Penalties(observation=blind))
    with pytest.raises(MeasurementError):
        judge_linearised(RUN, Penalties(observation=blind))


def test_linearised_as_foretold_passes() -> None:
    assert judge_linearised(RUN, penalties_of({3: 1, 17: 2}, pulled=1)).outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("pulled", "failed", "dropped", "reason"),
    [
        (0, 0, 0, "0 packets were linearised, not 1"),
        (2, 0, 0, "2 packets were linearised, not 1"),
        (
            1, 1, 1,
            "eth0 found no memory to linearise 1 packets, not 0, and dropped them (tx_dropped 1)",
        ),
        (1, 0, 1, "eth0 dropped 1 packets, 0 of them for want of memory"),
    ],
)  # fmt: skip
def test_what_was_linearised_failed_or_dropped_otherwise_is_named(
    pulled: int, failed: int, dropped: int, reason: str
) -> None:
    seen = penalties_of({3: 1, 17: 2}, pulled=pulled, failed=failed, dropped=dropped)

    verdict = judge_linearised(RUN, seen)

    assert verdict.outcome is Outcome.FAIL
    assert reason in verdict.reasons


def test_failures_that_must_be_are_no_fault() -> None:
    run = run_of((0, Fate.DROPPED), (0, Fate.DROPPED), (3, Fate.INTACT))

    assert judge_linearised(run, penalties_of({3: 1}, failed=2)).outcome is Outcome.PASS
    assert judge_linearised(run, penalties_of({3: 1})).outcome is Outcome.FAIL


def test_histogram_shows_what_was_seen_with_the_fates_that_were_foretold() -> None:
    shown = observe_histogram("a", RUN, {3: 1, 17: 2, 18: 1}, STOCK)

    counts = {(each.ring_slots, each.fate): each.packets for each in shown.counts}
    assert counts == {
        (3, Fate.INTACT): 1, (17, Fate.INTACT): 1, (17, Fate.LINEARISED): 1, (18, Fate.INTACT): 1,
    }  # fmt: skip
