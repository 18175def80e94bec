"""A guest under a rate limit: it sends no faster, it is not cut off, and nobody spins for it.

Needs: what the composer needs; tracefs in dom0; a netback that heeds the key `rate` (Linux's does).
"""

from __future__ import annotations

from xenlab.plan.model import DOM0
from xenlab.pytest_plugin import Judge
from xenlab.slots.layout import Frag, Layout
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import composers_loaded
from xenlab.traffic.rate import try_rate
from xenlab.verdict.rate import judge_rate, judge_rest

SEED = 20140521
# More than half a megabyte in packets of an Ethernet frame, and two of 60 kB: each of these is more
# than what comes in one period, but not more than what a queue may save up.
SMALL = Layout(linear_bytes=1514, linear_offset_bytes=0)
LARGE = Layout(
    linear_bytes=42,
    linear_offset_bytes=0,
    frags=(Frag(order=3, offset_bytes=0, size_bytes=30000),) * 2,
)
PACKETS = (*(SMALL,) * 300, LARGE, *(SMALL,) * 10, LARGE)


def test_guest_keeps_to_its_rate_and_nobody_spins_meanwhile(lab: LabHandle, judge: Judge) -> None:
    link = next(one for one in lab.plan.links() if one.source_vif and one.sink == DOM0)
    with composers_loaded(lab, link):
        trial = try_rate(lab, link, PACKETS, seed=SEED)
        judge(judge_rate(trial))
        judge(judge_rest(trial))
