"""What repetitions in turns tell of two sides: the ratio, its bounds, or that nothing was seen."""

from __future__ import annotations

from dataclasses import replace

from xenlab.measure.contest import NO_DIFFERENCE, Bout, Contest
from xenlab.measure.hops import Drop
from xenlab.measure.path import DropCounter
from xenlab.measure.strategy_trial import StrategyCounts, StrategyRound

COUNTS = StrategyCounts(
    sent_pkts=1000, linearised_pkts=200, unlinearised_pkts=0, relocated_pkts=0, relocated_bytes=0,
    frag_list_pkts=0, drops=(), silent_pkts=0,
)  # fmt: skip


def taken(payload_bytes: int, cpu_ns: int = 1_000_000) -> StrategyRound:
    return StrategyRound(payload_bytes=payload_bytes, elapsed_us=1_000_000, cpu_ns=cpu_ns)


def contest(*pairs: tuple[int, int]) -> Contest:
    bouts = tuple(Bout(base=taken(base), patched=taken(patched)) for base, patched in pairs)
    return Contest(subject="alice -> bob", bouts=bouts, base=COUNTS, patched=COUNTS)


def test_host_that_slows_down_half_way_is_in_no_ratio() -> None:
    told = contest((1000, 900), (1000, 910), (1000, 890), (100, 90), (100, 91), (100, 89))

    assert told.goodput is not None
    assert (told.goodput.low, told.goodput.high) == (0.89, 0.91)
    assert told.goodput_said == "0.90 (0.89 to 0.91): slower"
    assert told.differences == ("goodput 0.90 of the base's", "CPU a byte 1.11 of the base's")


def test_sides_that_change_places_are_no_different() -> None:
    told = contest(*((100, 110), (110, 100)) * 3)

    assert told.goodput_said.endswith(NO_DIFFERENCE)
    assert told.differences == ()
    assert NO_DIFFERENCE in told.table.subject


def test_cpu_is_compared_a_byte() -> None:
    """Half the bytes in the same CPU time are twice the cost of each."""
    told = contest(*((1000, 500),) * 6)

    assert told.cpu is not None
    assert told.cpu.median == 2.0
    assert told.cpu_said == "2.00 (2.00 to 2.00): dearer"


def test_repetition_that_brought_nothing_is_no_ratio() -> None:
    assert contest(*((1000, 500),) * 5, (1000, 0)).goodput is None
    assert contest(*((1000, 500),) * 5).goodput is None
    assert "too few" in contest(*((1000, 500),) * 5).goodput_said


def test_both_sides_are_rows_of_a_table() -> None:
    place = DropCounter(node="dom0", device="vif1.0", counter="rx_dropped")
    counts = replace(COUNTS, drops=(Drop(place=place, packets=3),), silent_pkts=4)
    both = replace(contest(*((1000, 500),) * 6), patched=counts)

    base, patched = both.table.rows

    assert (base.name, patched.name) == ("base", "patched")
    assert (base.drops_pkts, patched.drops_pkts) == (0, 7)
    assert both.table.throughput_ratio(patched) == 0.5
