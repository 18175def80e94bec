"""Packets of every number of ring slots, on both sides of every limit, over every link.

Needs: the kernels' headers (fetched) and a compiler for the composer's module; any frontend whose
limits are the stock ones.
"""

from __future__ import annotations

from xenlab.measure.layout_exhibits import show_run
from xenlab.plan.model import Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.slots.boundaries import boundary_layouts, sweep_layouts
from xenlab.slots.random_layouts import Mix, random_layouts
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.measuring import path_of
from xenlab.verdict.layouts import judge_layouts

SEED = 20140516
RANDOM = {Extent.QUICK: 200, Extent.WHOLE: 2000}


def test_layouts_of_every_number_of_slots_meet_the_fate_that_the_model_says(
    lab: LabHandle, direct_link: Link, extent: Extent, judge: Judge, show: Show
) -> None:
    stream = random_layouts(SEED, Mix())
    with composers_loaded(lab, direct_link):
        for name, layouts in (
            ("every number of slots", sweep_layouts()),
            ("edges", boundary_layouts()),
            ("random", tuple(next(stream) for _ in range(RANDOM[extent]))),
        ):
            run = send_layouts(lab, direct_link, layouts, seed=SEED)
            subject = f"{run.subject}, {name}"
            judge(judge_layouts(run, subject=subject))
            for exhibit in show_run(run, path_of(lab, direct_link).source, subject):
                show(exhibit)
