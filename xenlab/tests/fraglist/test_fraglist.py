"""What netback does with packets of more slots than the stock frontend ever sends.

Needs: the series netfront-slots-limit in the sending domU (built and loaded here, and taken out
again), the kernels' headers and source (fetched), a compiler, and a stock netback. A stock
frontend cannot reach these cases: the first test shows it, with the one that can as its control.
Between packets that must be lost go some that must arrive, so that a dead way is no success.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, islice

import pytest

from xenlab.measure.layout_exhibits import show_run
from xenlab.measure.layouts import LayoutRun
from xenlab.plan.model import Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.slots.fate import Fate, predict
from xenlab.slots.layout import Layout
from xenlab.slots.limits import Limits
from xenlab.slots.random_layouts import Mix, random_layouts
from xenlab.tests.unlimited_frontend import SERIES, frontend_unlimited, read_unlimited
from xenlab.traffic.disabling import disable_vif, reattach
from xenlab.traffic.endurance import Endurance
from xenlab.traffic.guests import guest_links
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent
from xenlab.traffic.layout_file import require_frags
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.measuring import path_of
from xenlab.verdict.disabling import judge_disabling
from xenlab.verdict.layouts import judge_layouts
from xenlab.verdict.reach import judge_reach
from xenlab.verdict.steady import judge_steady

PACKETS = 10
RANDOM = {Extent.QUICK: 100, Extent.WHOLE: 1000}
RUN_LAYOUTS = 20_000
SEED = 20140517
SUITE = "fraglist"
HARMLESS_SLOTS = 2
REACHING_SLOTS = 19


@pytest.fixture(scope="module")
def limited(lab: LabHandle) -> LayoutRun:
    """What becomes of packets of one slot too many while the frontend is as it came."""
    link = guest_links(lab.plan)[0]
    layouts = tuple(layouts_of_slots(REACHING_SLOTS, PACKETS))
    with composers_loaded(lab, link):
        return send_layouts(lab, link, layouts, seed=SEED)


@pytest.fixture(scope="module")
def links(lab: LabHandle, limited: LayoutRun) -> Iterator[tuple[Link, ...]]:
    """From a domU to dom0 and to another domU, the frontend without its limit, composers there."""
    ways = guest_links(lab.plan)
    with frontend_unlimited(lab, *ways):
        yield ways


@pytest.fixture(scope="module")
def unlimited(links: tuple[Link, ...]) -> Link:
    """The one to dom0."""
    return links[0]


def test_frontend_as_it_came_keeps_packets_out_of_the_frag_list(
    lab: LabHandle, limited: LayoutRun, unlimited: Link, judge: Judge
) -> None:
    limits = read_unlimited(lab, unlimited)
    control = send_layouts(lab, unlimited, limited.layouts, seed=SEED, limits=limits)
    judge(judge_reach(limited, control, subject=limited.subject))


@pytest.mark.parametrize("slots", [17, 18, 19, 20, 21])
def test_frontend_without_the_limit_is_met_by_netback_as_the_model_says(
    lab: LabHandle, unlimited: Link, slots: int, judge: Judge, show: Show
) -> None:
    limits, frags = read_unlimited(lab, unlimited), lab.max_skb_frags(unlimited.source)
    asked = _survived(layouts_of_slots(slots, PACKETS, max_frags=frags), limits)
    harmless = layouts_of_slots(HARMLESS_SLOTS, PACKETS)
    layouts = list(chain.from_iterable(zip(asked, harmless, strict=False)))
    run = send_layouts(lab, unlimited, layouts, seed=SEED, limits=limits)
    subject = f"{run.subject} with {SERIES}, T = {slots}"
    judge(judge_layouts(run, subject=subject, suite=SUITE))
    for exhibit in show_run(run, path_of(lab, unlimited).source, subject, limits):
        show(exhibit)


def test_random_layouts_without_the_limit_meet_the_fate_that_the_model_says(
    lab: LabHandle, links: tuple[Link, ...], extent: Extent, endurance: Endurance, judge: Judge,
    show: Show,
) -> None:  # fmt: skip
    seed = endurance.seed if endurance.seed_given else SEED
    count = len(endurance.given) or endurance.layouts or RANDOM[extent]
    kind = "given" if endurance.given else "random"
    for link in links:
        limits, frags = read_unlimited(lab, link), lab.max_skb_frags(link.source)
        mix = Mix(most_slots=limits.fatal_slots - 1, max_frags=frags)
        require_frags(endurance.given, link.source, frags)
        stream = _survived(endurance.given or random_layouts(seed, mix), limits)
        for first in range(0, count, RUN_LAYOUTS):
            layouts = tuple(islice(stream, min(RUN_LAYOUTS, count - first)))
            run = send_layouts(lab, link, layouts, seed=seed + first, limits=limits)
            drawn = f"{kind} layouts {first + 1} to {first + len(layouts)} of seed {seed}"
            subject = f"{run.subject} with {SERIES}, {drawn}"
            judge(judge_layouts(run, subject=subject, suite=SUITE))
            if len(run.layouts) > 1:  # of one that was given there is no silence between two
                judge(judge_steady(run, subject=subject))
            for exhibit in show_run(run, path_of(lab, link).source, subject, limits):
                show(exhibit)


@pytest.mark.parametrize("slots", [22, 23, 51])
def test_vif_that_netback_disabled_is_told_of_and_works_again_when_attached_anew(
    lab: LabHandle, unlimited: Link, slots: int, judge: Judge
) -> None:
    limits, frags = read_unlimited(lab, unlimited), lab.max_skb_frags(unlimited.source)
    harmless = list(layouts_of_slots(HARMLESS_SLOTS, PACKETS))
    fatal = next(
        layout
        for layout in layouts_of_slots(slots, PACKETS, max_frags=frags)
        if predict(layout, limits).fate is Fate.VIF_DISABLED
    )
    try:
        run = disable_vif(lab, unlimited, fatal, harmless, seed=SEED, limits=limits)
    finally:
        # The frontend holds what was not answered, and the composer stays until it has it back.
        reattach(lab, unlimited)
    again = send_layouts(lab, unlimited, harmless, seed=SEED, limits=limits)
    judge(judge_disabling(run, subject=f"{run.subject} with {SERIES}, T = {slots}"))
    subject = f"{run.subject} attached anew after T = {slots}"
    judge(judge_layouts(again, subject=subject, suite=SUITE))


def _survived(layouts: Iterable[Layout], limits: Limits) -> Iterator[Layout]:
    """Those by which netback does not disable the vif."""
    return (each for each in layouts if predict(each, limits).fate is not Fate.VIF_DISABLED)
