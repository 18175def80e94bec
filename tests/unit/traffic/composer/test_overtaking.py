"""Packets of flows of their own may overtake each other where a vif has several queues."""

from __future__ import annotations

from dataclasses import replace

from xenlab.measure.layouts import Landing, Sighting
from xenlab.slots.layout import parse_layout
from xenlab.traffic.composer.sightings import allow_overtaking

WHOLE = Sighting(landing=Landing.WHOLE, dropped=False, linearised=False)
LATE, MISSING = (replace(WHOLE, landing=landing) for landing in (Landing.LATE, Landing.MISSING))


def test_only_the_order_of_packets_with_a_flow_label_of_their_own_is_forgiven() -> None:
    protocols = ("udp6", "udp6", "udp6", "udp4", "tcp6")
    layouts = [parse_layout(f"lin=100@0 proto={protocol}") for protocol in protocols]

    seen = list(allow_overtaking(layouts, [LATE, MISSING, WHOLE, LATE, LATE]))

    assert seen == [WHOLE, MISSING, WHOLE, LATE, LATE]
