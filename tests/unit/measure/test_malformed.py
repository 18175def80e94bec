"""A slot of no bytes: it counts among the slots, and it makes no frag."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.measure.test_foretold_loss import ARRIVED, ONE, run_of
from xenlab.measure.malformed import (
    count_error_answers,
    expect_empty_slot,
    reaches,
    shares_slot,
    shows_empty_slot,
)
from xenlab.slots.fate import Fate, predict
from xenlab.slots.layout import Frag, Layout
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


UNLIMITED = replace(STOCK, frontend_slots=64)
SMALL_HEAD = Layout(linear_bytes=60, linear_offset_bytes=0, frags=(ONE,) * 3)
TINY = Frag(order=0, offset_bytes=0, size_bytes=50)
# 60 and 50 bytes are copied whole, and of the third slot 18 bytes.
TWO_COPIED = replace(SMALL_HEAD, frags=(TINY, *SMALL_HEAD.frags))
CROSSING = Frag(order=1, offset_bytes=3846, size_bytes=500)
LISTED = replace(SMALL_HEAD, frags=(*(ONE,) * 16, CROSSING))


@pytest.mark.parametrize(
    ("layout", "shares", "answers"),
    [
        (SMALL_HEAD, True, {1: 2, 2: 1, 4: 1, 5: 0}),
        (TWO_COPIED, True, {1: 2, 2: 2, 3: 1, 5: 1}),
        (LISTED, True, {1: 2, 2: 1, 18: 1, 19: 1, 20: 0}),
        # The head ends with the slot, or within the first, which is then copied whole.
        (replace(SMALL_HEAD, linear_bytes=128), False, {1: 1, 2: 1}),
        (layout_of(17), False, {1: 1, 2: 1, 18: 1}),
        (layout_of(19), False, {2: 0}),
    ],
)
def test_slot_that_failed_is_answered_so_and_the_one_that_shares_the_head_with_it(
    layout: Layout, shares: bool, answers: dict[int, int]
) -> None:
    prediction = predict(layout, UNLIMITED)

    assert shares_slot(prediction) is shares
    assert {slot: count_error_answers(prediction, slot) for slot in answers} == answers
    assert predict(LISTED, UNLIMITED).fate is Fate.OVERFLOW
