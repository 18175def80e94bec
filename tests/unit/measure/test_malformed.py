"""A slot of no bytes: it counts among the slots, and it makes no frag."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.measure.test_foretold_loss import ARRIVED, ONE, run_of
from xenlab.measure.malformed import expect_empty_slot, reaches, shows_empty_slot
from xenlab.slots.fate import predict
from xenlab.slots.layout import Layout
from xenlab.slots.limits import STOCK


def layout_of(frags: int, head_bytes: int = 300) -> Layout:
    return Layout(linear_bytes=head_bytes, linear_offset_bytes=0, frags=(ONE,) * frags)


def test_fault_is_in_packets_that_have_the_slot() -> None:
    assert reaches(predict(layout_of(1)), 2)
    assert not reaches(predict(layout_of(0)), 2)


@pytest.mark.parametrize(
    ("layout", "head_bytes", "frags"),
    [
        (layout_of(0), 128, 1),
        (layout_of(3), 128, 4),
        (layout_of(3, head_bytes=60), 128, 3),
        # With the empty one they are 18: the first slot is copied whole.
        (layout_of(16), 300, 16),
        (layout_of(17), 300, 17),
    ],
)
def test_empty_slot_counts_and_makes_no_frag(layout: Layout, head_bytes: int, frags: int) -> None:
    run = expect_empty_slot(run_of((layout, ARRIVED)), STOCK, 2)

    assert run.heads_bytes == (head_bytes,)
    assert run.frags == (frags,)


def test_empty_slot_is_shown_by_those_alone_whose_head_depends_on_it() -> None:
    shown = [shows_empty_slot(layout_of(frags), STOCK, 2) for frags in (0, 3, 16, 17)]

    assert shown == [False, False, True, False]


def test_packet_that_needs_a_frag_list_is_not_foretold() -> None:
    limits = replace(STOCK, frontend_slots=64)

    with pytest.raises(ValueError, match="needs a frag_list"):
        expect_empty_slot(run_of((layout_of(17, head_bytes=8192), ARRIVED)), limits, 2)
