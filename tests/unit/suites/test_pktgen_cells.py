"""The loads of the suite pktgen: both sides of each boundary, each queue, nothing twice."""

from __future__ import annotations

import pytest

from xenlab.slots.limits import LEGACY_SLOTS
from xenlab.tests.pktgen.cells import EDGES, VOLUME, boundary_frames, loads_on
from xenlab.traffic.ladder import Extent


@pytest.mark.parametrize("extent", list(Extent))
def test_sizes_are_on_both_sides_of_each_boundary_with_the_same_frags(extent: Extent) -> None:
    frames = {(frame.size_bytes, frame.frags) for frame in boundary_frames(extent)}

    for (below, above), frags in EDGES:
        assert above == below + 1
        assert {(below, frags[0]), (above, frags[0])} <= frames


def test_whole_extent_crosses_both_sides_of_sizes_and_of_frags() -> None:
    frames = {(frame.size_bytes, frame.frags) for frame in boundary_frames(Extent.WHOLE)}

    for sizes_bytes, frags in EDGES:
        assert abs(frags[0] - frags[1]) == 1
        assert {(size, count) for size in sizes_bytes for count in frags} <= frames


def test_boundaries_are_where_slots_change() -> None:
    least = {
        (frame.size_bytes, frame.frags): frame.least_slots
        for frame in boundary_frames(Extent.WHOLE)
    }
    delivery = {
        (frame.size_bytes, frame.frags): frame.delivery_slots
        for frame in boundary_frames(Extent.WHOLE)
    }

    assert (least[4030, 0], least[4031, 0]) == (1, 2)
    assert (least[8126, 0], least[8127, 0]) == (2, 3)
    assert (least[8126, 1], least[8127, 1]) == (2, 3)
    assert (least[4097, 16], least[4097, 17]) == (LEGACY_SLOTS - 1, LEGACY_SLOTS)
    assert (delivery[4096, 17], delivery[4097, 17]) == (1, 2)


@pytest.mark.parametrize("queues", [1, 2, 4])
def test_every_number_of_queues_is_used_and_each_load_has_a_name_of_its_own(queues: int) -> None:
    loads = tuple(loads_on(queues, Extent.WHOLE))

    assert {load.queues for load in loads} == set(range(1, queues + 1))
    names = {(load.frame, load.queues, load.packets) for load in loads}
    assert len(names) == len(loads)


def test_whole_extent_has_at_most_half_as_many_loads_more_than_the_short_one() -> None:
    """Each load is set up and counted at every hop, which takes longer than its packets do."""
    short, whole = (tuple(loads_on(1, extent)) for extent in (Extent.QUICK, Extent.WHOLE))

    assert len(whole) <= 1.5 * len(short)
    assert [load.packets for load in whole].count(5000) == len(VOLUME)
