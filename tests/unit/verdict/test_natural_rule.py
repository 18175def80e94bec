"""The rule of natural slots: each way in which a source can make other packets than its kind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.errors import MeasurementError
from xenlab.guest.dynamic_debug import count_rockets
from xenlab.measure import probed_slots
from xenlab.measure.natural import ROCKETS, NaturalSlots, read_natural_slots
from xenlab.measure.observation import Observation, ObservedEnd
from xenlab.measure.readings import Growth, Table, Tally
from xenlab.slots.fate import Fate
from xenlab.slots.limits import STOCK
from xenlab.verdict.natural import NaturalRange, judge_natural
from xenlab.verdict.outcome import Outcome

LOG = """\
[  9.1] xen_netfront: xennet: skb rides the rocket: 27 slots, 65226 bytes
[  9.2] xen_netfront: xennet: skb rides the rocket: 27 slots, 65226 bytes
[  9.3] xen_netfront: xennet: skb rides the rocket: 19 slots, 30000 bytes
"""
SINGLE = NaturalRange(least=17, most=18, why="one page a frag")
BETWEEN = NaturalRange(least=27, most=33, why="frags between others")
CACHED = NaturalSlots(subject="sendfile", ring={1: 4, 18: 9}, came_with={})
INTERLEAVED = NaturalSlots(
    subject="interleave", ring={2: 3, 8: 1, 16: 5, 17: 4},
    came_with={(27, 65226): 5, (33, 65226): 3, (19, 30000): 1},
)  # fmt: skip


def observation_of(lines: int) -> Observation:
    tables: dict[str, Table] = {
        probed_slots.FIRST: {("1",): Tally(hits=3)},
        probed_slots.FURTHER: {},
        ROCKETS: count_rockets(LOG),
    }
    counters = {"line rides the rocket": lines}
    alice = Growth(node="alice", counters=counters, tables=tables, missing={})
    end = ObservedEnd(node="alice", device="eth0", vif="vif1.0")
    return Observation(from_end=end, to_end=replace(end, node="dom0"), nodes={"alice": alice})


def test_lines_tell_with_how_many_slots_a_packet_came() -> None:
    natural = read_natural_slots("a", observation_of(3))

    assert natural.came_with == {(27, 65226): 2, (19, 30000): 1}
    assert (natural.linearised, natural.packets) == (3, 3)
    assert natural.linearised_from(60000) == {27: 2}
    assert natural.linearised_from(0) == {27: 2, 19: 1}


def test_lines_that_are_not_understood_are_no_zero() -> None:
    with pytest.raises(MeasurementError, match="4 debug lines, 3 understood"):
        read_natural_slots("a", observation_of(4))


def test_histogram_has_each_packet_once_and_the_linearised_where_they_came_from() -> None:
    shown = INTERLEAVED.histogram(STOCK)

    counts = {(each.ring_slots, each.fate): each.packets for each in shown.counts}
    assert counts[27, Fate.LINEARISED] == 5
    assert counts[33, Fate.LINEARISED] == 3
    assert sum(each.packets for each in shown.counts) == INTERLEAVED.packets


def test_linearised_packets_that_never_were_on_the_ring_are_not_put_back() -> None:
    with pytest.raises(MeasurementError, match="interleave: 5 packets"):
        replace(INTERLEAVED, came_with={(27, 65226): 14}).histogram(STOCK)


def test_sources_of_their_kind_pass() -> None:
    assert judge_natural(CACHED, SINGLE, 0).outcome is Outcome.PASS
    verdict = judge_natural(INTERLEAVED, BETWEEN, 9)
    assert verdict.outcome is Outcome.PASS
    assert "5 of 27, 3 of 33" in verdict.control


@pytest.mark.parametrize(
    ("natural", "expected", "linearised", "reason"),
    [
        (
            INTERLEAVED, SINGLE, 9,
            "9 packets came with 1 of 19, 5 of 27, 3 of 33 slots, not 17 to 18 (one page a frag)",
        ),
        (
            INTERLEAVED, NaturalRange(least=27, most=30, why="w"), 9,
            "5 of 8 long packets came with 27 to 30 (w) slots, and not 75 % of them: 5 of 27, 3 of 33",  # noqa: E501
        ),
        (INTERLEAVED, BETWEEN, 8, "8 packets were linearised, and 9 lines tell of them"),
        (CACHED, SINGLE, 2, "2 packets were linearised, and 0 lines tell of them"),
    ],
)  # fmt: skip
def test_source_of_another_kind_fails(
    natural: NaturalSlots, expected: NaturalRange, linearised: int, reason: str
) -> None:
    verdict = judge_natural(natural, expected, linearised)

    assert verdict.outcome is Outcome.FAIL
    assert reason in verdict.reasons


@pytest.mark.parametrize("natural", [replace(CACHED, ring={1: 4, 16: 9}), replace(CACHED, ring={})])
def test_source_whose_packets_were_short_says_nothing(natural: NaturalSlots) -> None:
    assert judge_natural(natural, SINGLE, 0).outcome is Outcome.INCONCLUSIVE


def test_few_packets_that_were_cut_elsewhere_are_no_fault() -> None:
    expected = NaturalRange(least=27, most=32, why="w")
    mostly = replace(INTERLEAVED, came_with={(27, 65226): 8, (33, 65226): 1})

    assert judge_natural(mostly, expected, 9).outcome is Outcome.PASS


def test_source_none_of_whose_packets_was_linearised_says_nothing() -> None:
    assert judge_natural(CACHED, BETWEEN, 0).outcome is Outcome.INCONCLUSIVE
