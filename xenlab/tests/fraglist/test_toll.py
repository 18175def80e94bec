"""The toll of a frag_list: what packets of 19 slots cost dom0, beside the same bytes in 18.

Needs what the other tests of this suite need; and probes in dom0 for copies and mappings, which are
set for the repetition that is counted and for none that is timed.
"""

from __future__ import annotations

from xenlab.pytest_plugin import Judge
from xenlab.slots.fate import Fate, predict
from xenlab.slots.layout import Frag, Layout
from xenlab.tests.unlimited_frontend import frontend_unlimited, read_unlimited
from xenlab.traffic.guests import guest_links
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent
from xenlab.traffic.tolls import meter_toll
from xenlab.verdict.toll import judge_toll, judge_untaxed

HEAD_BYTES = 200  # more than the 128 that netback copies anyway
FRAG_BYTES = 2000
WITHIN = Frag(order=1, offset_bytes=0, size_bytes=FRAG_BYTES)
ACROSS = Frag(order=1, offset_bytes=4096 - FRAG_BYTES // 2, size_bytes=FRAG_BYTES)
PACKETS = {Extent.QUICK: 200, Extent.WHOLE: 1000}
ROUNDS = {Extent.QUICK: 3, Extent.WHOLE: 5}


def test_one_slot_more_than_the_limit_costs_what_is_told(
    lab: LabHandle, extent: Extent, judge: Judge
) -> None:
    link = guest_links(lab.plan)[0]
    frags = ((WITHIN,) * 17, (ACROSS, *(WITHIN,) * 16))
    plain, taxed = (
        Layout(linear_bytes=HEAD_BYTES, linear_offset_bytes=0, frags=each) for each in frags
    )
    limits = read_unlimited(lab, link)
    if predict(taxed, limits).fate is not Fate.OVERFLOW:
        judge(judge_untaxed(f"{link.source} -> {link.sink}", limits))
        return
    with frontend_unlimited(lab, link):
        meter = meter_toll(
            lab, link, (plain, taxed), limits=limits, packets=PACKETS[extent],
            rounds=ROUNDS[extent],
        )  # fmt: skip
    judge(judge_toll(meter))
