"""In how many frags packets come: not foretold of a netback that joins slots, whoever built it."""

from __future__ import annotations

from xenlab.plan.model import DOM0
from xenlab.plan.planner import plan_lab
from xenlab.slots.bulk import predict_bulk
from xenlab.slots.columns import LayoutColumns
from xenlab.slots.layout import Frag, Layout
from xenlab.slots.limits import STOCK
from xenlab.topology.loading import load_topology
from xenlab.traffic.layouts import expect_frags

LINKS = [link for link in plan_lab(load_topology("pair")).links() if link.source == "alice"]
TO_DOM0 = next(link for link in LINKS if link.sink == DOM0)
TO_BOB = next(link for link in LINKS if link.sink == "bob")
LAYOUTS = [
    Layout(
        linear_bytes=200,
        linear_offset_bytes=0,
        frags=(Frag(order=0, offset_bytes=0, size_bytes=900),) * 2,
    )
]
STOCK_VIF = {"tx_frag_overflow": 0}
JOINING_VIF = {**STOCK_VIF, "tx_slots_joined": 0, "tx_slots_apart": 0}


def test_of_a_backend_that_joins_slots_no_number_of_frags_is_foretold() -> None:
    prediction = predict_bulk(LayoutColumns.of(LAYOUTS), STOCK)

    assert expect_frags(TO_DOM0, LAYOUTS, prediction, JOINING_VIF) == ()
    assert len(expect_frags(TO_DOM0, LAYOUTS, prediction, STOCK_VIF)) == len(LAYOUTS)


def test_what_it_hands_to_a_guest_it_lays_out_anew() -> None:
    prediction = predict_bulk(LayoutColumns.of(LAYOUTS), STOCK)

    stock = expect_frags(TO_BOB, LAYOUTS, prediction, STOCK_VIF)
    assert expect_frags(TO_BOB, LAYOUTS, prediction, JOINING_VIF) == stock
