"""Packets of every number of ring slots, on both sides of every limit, over every link.

Needs: the kernels' headers (fetched) and a compiler for the composer's module; drivers whose limits
are the stock ones, or those of a series that comes with xenlab. Kernels may differ in how many
frags an skb has: what each end can take is read there. With `--layout-file` those layouts are sent
over every link, and no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import pytest

from xenlab.measure.layout_exhibits import show_run
from xenlab.plan.model import Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.slots.boundaries import boundary_layouts, sweep_layouts
from xenlab.slots.layout import Layout
from xenlab.slots.random_layouts import random_layouts, widest_mix
from xenlab.traffic.endurance import Endurance
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent
from xenlab.traffic.layout_file import require_frags
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.limits import limits_of
from xenlab.traffic.measuring import path_of
from xenlab.verdict.layouts import judge_layouts, judge_unsent
from xenlab.verdict.steady import judge_steady

SEED = 20140516
RANDOM = {Extent.QUICK: 200, Extent.WHOLE: 2000}
RUN_LAYOUTS = 20_000  # one verdict each, so that a disagreement is told of before hours are over


@pytest.fixture(scope="module")
def composers(lab: LabHandle) -> Iterator[None]:
    """A composer at every end of every link."""
    with composers_loaded(lab, *(link for link in lab.plan.links() if not link.routed)):
        yield


@pytest.fixture(scope="module")
def composed(composers: None, direct_link: Link) -> Link:
    """A link with a composer at both ends."""
    return direct_link


def test_layouts_of_every_number_of_slots_meet_the_fate_that_the_model_says(
    lab: LabHandle, composed: Link, endurance: Endurance, judge: Judge, show: Show
) -> None:
    if endurance.given:
        judge(judge_unsent(f"{composed.source} -> {composed.sink}, every number of slots, edges"))
        return
    frags = lab.max_skb_frags(composed.source)
    for name, layouts in (
        ("every number of slots", sweep_layouts(max_frags=frags)),
        ("edges", boundary_layouts(frags)),
    ):
        send_and_judge(lab, composed, Drawn(name, SEED, layouts), judge, show)


def test_random_layouts_meet_the_fate_that_the_model_says(
    lab: LabHandle, composed: Link, extent: Extent, endurance: Endurance, judge: Judge, show: Show
) -> None:
    seed = endurance.seed if endurance.seed_given else SEED
    frags = lab.max_skb_frags(composed.source)
    require_frags(endurance.given, composed.source, frags)
    count = len(endurance.given) or endurance.layouts or RANDOM[extent]
    stream = iter(endurance.given or random_layouts(seed, widest_mix(frags)))
    kind = "given" if endurance.given else "random"
    for first in range(0, count, RUN_LAYOUTS):
        layouts = tuple(islice(stream, min(RUN_LAYOUTS, count - first)))
        name = f"{kind} layouts {first + 1} to {first + len(layouts)} of seed {seed}"
        send_and_judge(lab, composed, Drawn(name, seed + first, layouts), judge, show)


class Drawn(NamedTuple):
    """Layouts by name, and the seed of their payload."""

    name: str
    seed: int
    layouts: tuple[Layout, ...]


def send_and_judge(lab: LabHandle, link: Link, drawn: Drawn, judge: Judge, show: Show) -> None:
    limits = limits_of(lab, link)
    run = send_layouts(lab, link, drawn.layouts, seed=drawn.seed, limits=limits)
    subject = f"{run.subject}, {drawn.name}"
    judge(judge_layouts(run, subject=subject))
    if len(run.layouts) > 1:  # of one that was given there is no silence between two
        judge(judge_steady(run, subject=subject))
    for exhibit in show_run(run, path_of(lab, link).source, subject, limits):
        show(exhibit)
