"""The toll of a frag_list: what packets of 19 slots cost dom0, beside the same bytes in 18.

Needs what the other tests of this suite need; and probes in dom0 for copies and mappings, which are
set for the repetition that is counted and for none that is timed.
"""

from __future__ import annotations

from xenlab.plan.model import DOM0
from xenlab.pytest_plugin import Judge
from xenlab.slots.layout import Frag, Layout
from xenlab.slots.limits import Limits
from xenlab.traffic.drivers import netfront_replaced
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent
from xenlab.traffic.layouts import composers_loaded
from xenlab.traffic.tolls import meter_toll
from xenlab.verdict.toll import judge_toll

SERIES = "netfront-slots-limit"
UNLIMITED = Limits(frontend_slots=64)
HEAD_BYTES = 200  # more than the 128 that netback copies anyway
FRAG_BYTES = 2000
WITHIN = Frag(order=1, offset_bytes=0, size_bytes=FRAG_BYTES)
ACROSS = Frag(order=1, offset_bytes=4096 - FRAG_BYTES // 2, size_bytes=FRAG_BYTES)
PACKETS = {Extent.QUICK: 200, Extent.WHOLE: 1000}
ROUNDS = {Extent.QUICK: 3, Extent.WHOLE: 5}


def test_one_slot_more_than_the_limit_costs_what_is_told(
    lab: LabHandle, extent: Extent, judge: Judge
) -> None:
    links = lab.plan.links()
    link = next(one for one in links if one.source_vif and one.sink == DOM0)
    frags = ((WITHIN,) * 17, (ACROSS, *(WITHIN,) * 16))
    plain, taxed = (
        Layout(linear_bytes=HEAD_BYTES, linear_offset_bytes=0, frags=each) for each in frags
    )
    parameters = {"slots_max": str(UNLIMITED.frontend_slots)}
    with (
        netfront_replaced(lab, link.source, SERIES, parameters),
        composers_loaded(lab, link),
    ):
        meter = meter_toll(
            lab, link, (plain, taxed), limits=UNLIMITED, packets=PACKETS[extent],
            rounds=ROUNDS[extent],
        )  # fmt: skip
    judge(judge_toll(meter))
