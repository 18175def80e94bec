"""What netback does with packets of more slots than the stock frontend ever sends.

Needs: the series netfront-slots-limit in the sending domU (built and loaded here, and taken out
again), the kernels' headers and source (fetched), a compiler, and a stock netback. A stock
frontend cannot reach these cases: it linearises from 19 slots on, which the suite `slots` shows.
"""

from __future__ import annotations

import pytest

from xenlab.measure.layout_exhibits import show_slots, show_way
from xenlab.plan.model import DOM0
from xenlab.pytest_plugin import Judge, Show
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.slots.fate import Fate, predict
from xenlab.slots.limits import Limits
from xenlab.traffic.drivers import netfront_replaced
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.measuring import path_of
from xenlab.verdict.layouts import judge_layouts

SERIES = "netfront-slots-limit"
UNLIMITED = Limits(frontend_slots=64)
PACKETS = 10
SEED = 20140517


@pytest.mark.parametrize("slots", [17, 18, 19, 20, 21])
def test_frontend_without_the_limit_is_met_by_netback_as_the_model_says(
    lab: LabHandle, slots: int, judge: Judge, show: Show
) -> None:
    links = lab.plan.links()
    link = next(one for one in links if one.source_vif and one.sink == DOM0)
    layouts = [
        layout
        for layout in layouts_of_slots(slots, PACKETS)
        if predict(layout, UNLIMITED).fate is not Fate.VIF_DISABLED
    ]
    parameters = {"slots_max": str(UNLIMITED.frontend_slots)}
    with (
        netfront_replaced(lab, link.source, SERIES, parameters),
        composers_loaded(lab, link),
    ):
        run = send_layouts(lab, link, layouts, seed=SEED, limits=UNLIMITED)
    subject = f"{run.subject} with {SERIES}, T = {slots}"
    judge(judge_layouts(run, subject=subject))
    show(show_slots(run, subject, UNLIMITED))
    show(show_way(run, path_of(lab, link).source, subject))
