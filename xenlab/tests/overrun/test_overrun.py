"""A paused guest with XDP headroom: netback takes slots that nobody has offered.

Needs: what the suite `rx` needs. It comes last in its lab, for the last domU's device is lost for
good where netback has this fault, which stock Linux has. A verdict that passes says that the fault
is the known one, or that there is none.
"""

from __future__ import annotations

from itertools import repeat

import pytest

from xenlab.pytest_plugin import Judge
from xenlab.tests.rx.mixes import ONE_SLOT, SMALL, build_packet
from xenlab.tests.rx.test_rx import SEED, link_to_guest
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.headroom import HEADROOM, ask_for_headroom
from xenlab.traffic.layouts import composers_loaded
from xenlab.traffic.overrun import overrun_paused
from xenlab.traffic.pausing import guest_of
from xenlab.verdict.rx import judge_overrun
from xenlab.verdict.shapes import judge_refused

# Three slots, then two each: one is left for a packet that netback takes for one of a single slot.
# From then on it reckons with four thousand million.
KINDS = (ONE_SLOT, *repeat(SMALL, 130))


@pytest.mark.spoils_lab
def test_slots_that_netback_takes_unoffered_are_those_that_the_model_says(
    lab: LabHandle, judge: Judge
) -> None:
    link = link_to_guest(lab.plan)
    layouts = tuple(build_packet(*kind) for kind in KINDS)
    with composers_loaded(lab, link):
        if refused := ask_for_headroom(lab, link):
            judge(judge_refused(f"{link.sink}, XDP headroom", [refused]))
            return
        guest = guest_of(lab, link)
        judge(judge_overrun(overrun_paused(guest, layouts, seed=SEED, limits=HEADROOM)))
