"""What netback does with packets of more slots than the stock frontend ever sends.

Needs: the series netfront-slots-limit in the sending domU (built and loaded here, and taken out
again), the kernels' headers and source (fetched), a compiler, and a stock netback. A stock
frontend cannot reach these cases: it linearises from 19 slots on, which the suite `slots` shows.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from xenlab.measure.layout_exhibits import show_run
from xenlab.plan.model import DOM0, Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.slots.fate import Fate, predict
from xenlab.slots.limits import Limits
from xenlab.traffic.disabling import disable_vif, reattach
from xenlab.traffic.drivers import netfront_replaced
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.measuring import path_of
from xenlab.verdict.disabling import judge_disabling
from xenlab.verdict.layouts import judge_layouts

SERIES = "netfront-slots-limit"
UNLIMITED = Limits(frontend_slots=64)
PARAMETERS = {"slots_max": str(UNLIMITED.frontend_slots)}
PACKETS = 10
SEED = 20140517


@pytest.fixture(scope="module")
def unlimited(lab: LabHandle) -> Iterator[Link]:
    """A link from a domU to dom0, the frontend without its limit and a composer at both ends."""
    link = next(one for one in lab.plan.links() if one.source_vif and one.sink == DOM0)
    with netfront_replaced(lab, link.source, SERIES, PARAMETERS), composers_loaded(lab, link):
        yield link


@pytest.mark.parametrize("slots", [17, 18, 19, 20, 21])
def test_frontend_without_the_limit_is_met_by_netback_as_the_model_says(
    lab: LabHandle, unlimited: Link, slots: int, judge: Judge, show: Show
) -> None:
    layouts = [
        layout
        for layout in layouts_of_slots(slots, PACKETS)
        if predict(layout, UNLIMITED).fate is not Fate.VIF_DISABLED
    ]
    run = send_layouts(lab, unlimited, layouts, seed=SEED, limits=UNLIMITED)
    subject = f"{run.subject} with {SERIES}, T = {slots}"
    judge(judge_layouts(run, subject=subject))
    for exhibit in show_run(run, path_of(lab, unlimited).source, subject, UNLIMITED):
        show(exhibit)


@pytest.mark.parametrize("slots", [22, 23, 51])
def test_vif_that_netback_disabled_is_told_of_and_works_again_when_attached_anew(
    lab: LabHandle, unlimited: Link, slots: int, judge: Judge
) -> None:
    harmless = list(layouts_of_slots(2, PACKETS))
    fatal = next(
        layout
        for layout in layouts_of_slots(slots, PACKETS)
        if predict(layout, UNLIMITED).fate is Fate.VIF_DISABLED
    )
    try:
        run = disable_vif(lab, unlimited, fatal, harmless, seed=SEED, limits=UNLIMITED)
    finally:
        # The frontend holds what was not answered, and the composer stays until it has it back.
        reattach(lab, unlimited)
    again = send_layouts(lab, unlimited, harmless, seed=SEED, limits=UNLIMITED)
    judge(judge_disabling(run, subject=f"{run.subject} with {SERIES}, T = {slots}"))
    judge(judge_layouts(again, subject=f"{run.subject} attached anew after T = {slots}"))
