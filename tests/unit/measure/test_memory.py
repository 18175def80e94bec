"""Memory in pieces: what /proc/buddyinfo tells, and what becomes of packets for want of blocks."""

from __future__ import annotations

import pytest

from tests.unit.measure.accounts import way_through
from xenlab.errors import MeasurementError
from xenlab.measure.buddy import parse_buddyinfo
from xenlab.measure.layouts import Landing, LayoutCounters, LayoutRun, Sighting
from xenlab.measure.starvation import is_starved, starve
from xenlab.slots.fate import Fate, predict
from xenlab.slots.layout import Frag, Layout
from xenlab.slots.limits import STOCK

# A PV domU of 192 MiB, Linux 6.1.0-56-amd64.
BUDDYINFO = """\
Node 0, zone      DMA      2      2      1      2      2      2      3      2      3      1      2 
Node 0, zone    DMA32      0      1      1      1     12      9      7      9     10      8      9 
"""  # noqa: W291 (as it is)
COUNTERS = LayoutCounters(frontend_tx_dropped=0, tx_frag_overflow=0, tx_zerocopy_sent=4)


INTACT = Sighting(landing=Landing.WHOLE, dropped=False, linearised=False)
COPIED = Sighting(landing=Landing.WHOLE, dropped=False, linearised=True)
DROPPED = Sighting(landing=Landing.MISSING, dropped=True, linearised=False)


def layout_of(frag_bytes: int, frags: int = 17) -> Layout:
    frag = Frag(order=1, offset_bytes=4095, size_bytes=frag_bytes)
    return Layout(linear_bytes=70, linear_offset_bytes=0, frags=(frag,) * frags)


def test_free_blocks_are_those_of_all_zones() -> None:
    blocks = parse_buddyinfo("alice", BUDDYINFO)

    assert blocks.by_order == (2, 3, 2, 3, 14, 11, 10, 11, 13, 9, 11)
    assert blocks.largest_order == 10
    assert blocks.free_kib == sum(4 * n << order for order, n in enumerate(blocks.by_order))


def test_memory_in_pieces_has_no_large_order() -> None:
    text = "Node 0, zone   Normal    100     20      3      1      0      0\n"

    assert parse_buddyinfo("alice", text).largest_order == 3
    assert parse_buddyinfo("alice", "Node 0, zone DMA 0 0\n").largest_order == -1


@pytest.mark.parametrize(
    "text", ["", "no such file\n", "Node 0, zone DMA 1 2\nNode 0, zone DMA32 1\n"]
)
def test_anything_else_is_no_answer(text: str) -> None:
    with pytest.raises(MeasurementError, match="alice"):
        parse_buddyinfo("alice", text)


@pytest.mark.parametrize(
    ("layout", "order"),
    [(layout_of(1000), 3), (layout_of(3000), 4), (layout_of(3700), 4), (layout_of(3840), 5)],
)
def test_packet_starves_below_the_order_that_its_copy_needs(layout: Layout, order: int) -> None:
    prediction = predict(layout, STOCK)

    assert prediction.sending.copy_order == order
    assert is_starved(prediction, order - 1)
    assert not is_starved(prediction, order)


def test_packet_that_is_not_linearised_needs_no_memory() -> None:
    assert not is_starved(predict(layout_of(3840, frags=8), STOCK), 0)


def sent(*sightings: Sighting) -> LayoutRun:
    layouts = (layout_of(10, frags=1), layout_of(1000), layout_of(3000), layout_of(3840))
    return LayoutRun(
        source="alice", sink="dom0", layouts=layouts, slots=(3, 35, 35, 35), sightings=sightings,
        fates=(Fate.INTACT, *(Fate.LINEARISED,) * 3), ring_slots=(3, 5, 13, 16),
        expected=COUNTERS, counted=None, way=way_through(2),
    )  # fmt: skip


def test_starved_packets_are_dropped_and_counted_by_the_frontend_alone() -> None:
    starved = starve(sent(INTACT, COPIED, DROPPED, DROPPED), STOCK, 3)

    assert starved.fates == (Fate.INTACT, Fate.LINEARISED, Fate.DROPPED, Fate.DROPPED)
    assert starved.ring_slots == (3, 5, 0, 0)
    assert starved.expected == LayoutCounters(
        frontend_tx_dropped=2, tx_frag_overflow=0, tx_zerocopy_sent=2
    )


def test_packet_that_was_copied_anyway_has_to_be_dropped_while_no_block_came_up() -> None:
    assert starve(sent(INTACT, COPIED, COPIED, DROPPED), STOCK, 3).count(Fate.DROPPED) == 2


def test_packet_that_found_a_block_that_came_up_must_arrive() -> None:
    starved = starve(sent(INTACT, COPIED, COPIED, DROPPED), STOCK, 3, blocks=1)

    assert starved.fates == (Fate.INTACT, Fate.LINEARISED, Fate.LINEARISED, Fate.DROPPED)
    assert starved.ring_slots == (3, 5, 13, 0)
    assert starved.expected == LayoutCounters(
        frontend_tx_dropped=1, tx_frag_overflow=0, tx_zerocopy_sent=3
    )


def test_packet_that_was_sent_as_it_is_has_to_be_dropped_whatever_came_up() -> None:
    assert (
        starve(sent(INTACT, COPIED, INTACT, DROPPED), STOCK, 3, blocks=1).count(Fate.DROPPED) == 2
    )


def test_more_packets_than_there_were_blocks_have_found_none() -> None:
    starved = starve(sent(INTACT, COPIED, COPIED, COPIED), STOCK, 3, blocks=1)

    assert starved.count(Fate.DROPPED) == 2


def test_run_in_which_all_packets_found_blocks_is_no_result() -> None:
    with pytest.raises(
        MeasurementError, match="no packet was without memory: 3 blocks above order 3"
    ):
        starve(sent(INTACT, COPIED, COPIED, COPIED), STOCK, 3, blocks=3)
