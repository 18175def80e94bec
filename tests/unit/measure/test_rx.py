"""What the ring of a guest takes that does not empty it: the model, with netback's own mistake."""

from __future__ import annotations

import pytest

from xenlab.measure.rx import fill_ring
from xenlab.slots.limits import Limits
from xenlab.slots.receive import deliver_layout
from xenlab.tests.rx.mixes import HEADROOM_MIXES, MIXES, QUEUE_BYTES, build_mix, build_packet

XDP = Limits(xdp_headroom_bytes=256)


def test_ring_takes_one_packet_a_slot_and_not_one_more() -> None:
    deliveries = [deliver_layout(build_packet(100, gso=False))] * 300

    fill = fill_ring(256, deliveries)

    assert (fill.packets, fill.used_slots, fill.left_slots) == (256, 256, 0)


def test_packet_waits_that_needs_more_slots_than_are_left_and_so_do_all_behind_it() -> None:
    large, small = (deliver_layout(build_packet(length, gso=False)) for length in (9014, 100))

    fill = fill_ring(8, [large, large, large, small])

    assert (fill.packets, fill.used_slots, fill.left_slots) == (2, 6, 2)


def test_headroom_makes_netback_take_a_slot_that_nobody_offered() -> None:
    """It waits for one slot and takes two, the second for the extra info that tells of it."""
    delivery = deliver_layout(build_packet(100, gso=False), XDP)

    assert (delivery.estimated_slots, delivery.used_slots) == (1, 2)
    assert fill_ring(256, [delivery] * 300).left_slots == 0
    overrun = fill_ring(255, [delivery] * 129)
    assert (overrun.packets, overrun.left_slots) == (129, -3)


@pytest.mark.parametrize("name", MIXES)
def test_every_mix_exhausts_a_ring_and_what_waits_fits_the_queue(name: str) -> None:
    layouts = build_mix(MIXES[name])
    fill = fill_ring(256, [deliver_layout(layout) for layout in layouts])

    assert 0 < fill.packets < len(layouts)
    assert sum(layout.length_bytes for layout in layouts[fill.packets :]) <= QUEUE_BYTES


@pytest.mark.parametrize("name", HEADROOM_MIXES)
def test_mix_with_headroom_exhausts_a_ring_and_overruns_none(name: str) -> None:
    layouts = build_mix(HEADROOM_MIXES[name])
    fill = fill_ring(256, [deliver_layout(layout, XDP) for layout in layouts])

    assert 0 < fill.packets < len(layouts)
    assert fill.left_slots >= 0
    assert sum(layout.length_bytes for layout in layouts[fill.packets :]) <= QUEUE_BYTES
