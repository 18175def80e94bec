"""A flow and layouts for the composer's tests."""

from __future__ import annotations

from xenlab.slots.layout import Frag, Layout
from xenlab.traffic.composer.batch import Batch, ComposerFlow, Order, Way

FLOW = ComposerFlow(
    source_mac="00:16:3e:00:00:01",
    sink_mac="00:16:3e:00:00:02",
    source4="10.77.1.10",
    sink4="10.77.1.11",
    source6="fd00::10",
    sink6="fd00::11",
)
PLAIN = Layout(linear_bytes=60, linear_offset_bytes=0)
PAGED = Layout(
    linear_bytes=70,
    linear_offset_bytes=4061,
    frags=(
        Frag(order=3, offset_bytes=4095, size_bytes=4098),
        Frag(order=0, offset_bytes=9, size_bytes=0),
    ),
)


def batch_of(*orders: Order) -> Batch:
    """A batch for eth0."""
    return Batch(orders=orders, flow=FLOW, way=Way(device="eth0"), seed=3, first_id=1000)
