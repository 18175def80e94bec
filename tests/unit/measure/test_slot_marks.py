"""Marks of a slot histogram: where the slot model has another fate, under whatever limits."""

from __future__ import annotations

import pytest

from xenlab.measure.slot_histogram import mark_slots
from xenlab.slots.backend import Reception, accept
from xenlab.slots.layout import PAGE_BYTES
from xenlab.slots.limits import STOCK, Limits
from xenlab.slots.pages import Piece
from xenlab.slots.series import NEGOTIATED, limits_with

MEANINGS = {
    Reception.FRAG_LIST: "dom0: frag_list",
    Reception.LOST_SLOTS: "dom0: lost without a counter",
    Reception.VIF_DISABLED: "dom0: vif disabled",
}
LONGEST_SLOTS = 64
PAGE = Piece(offset_bytes=0, size_bytes=PAGE_BYTES)


def marks_of(limits: Limits) -> list[tuple[int, str]]:
    return [(mark.ring_slots, mark.meaning) for mark in mark_slots(limits)]


@pytest.mark.parametrize(
    "limits",
    [
        STOCK,
        Limits(max_skb_frags=18, backend_max_skb_frags=18),
        Limits(backend_max_skb_frags=45),
        Limits(fatal_skb_slots=0),
        Limits(fatal_skb_slots=30, backend_max_skb_frags=18, backend_slots=25),
        limits_with(NEGOTIATED, NEGOTIATED),
        limits_with(NEGOTIATED, NEGOTIATED, Limits(backend_max_skb_frags=18)),
    ],
)
def test_marks_of_dom0_are_where_the_model_first_has_that_fate(limits: Limits) -> None:
    first: dict[str, int] = {}
    for slots in range(1, LONGEST_SLOTS):
        if meaning := MEANINGS.get(accept([PAGE] * slots, limits).reception):
            first.setdefault(meaning, slots)

    assert {text: at for at, text in marks_of(limits) if text.startswith("dom0")} == first


def test_two_limits_of_one_number_of_slots_are_both_marked() -> None:
    assert marks_of(Limits(max_skb_frags=18, backend_max_skb_frags=18)) == [
        (18, "MAX_SKB_FRAGS"),
        (18, "the most that netfront sends"),
        (20, "dom0: lost without a counter"),
        (22, "dom0: vif disabled"),
    ]
