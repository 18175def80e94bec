"""A frontend that finds no memory to linearise: a loss that is seen as what it is.

Needs: what the composer needs, and compaction in the domU's kernel, which is held back meanwhile. A
module (kernels/modules/xlpieces) leaves no free block above 16 pages, then none above 8, which
/proc/buddyinfo proves before and after. Packets whose copy needs more must be dropped and counted
by the frontend, all others must arrive.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.guest.block_probes import block_probe
from xenlab.measure.penalties import Penalties
from xenlab.measure.slot_histogram import observe_histogram
from xenlab.measure.starvation import BLOCKS, starve
from xenlab.pytest_plugin import Judge, Show
from xenlab.slots.compound import copied_layouts
from xenlab.traffic.guests import guest_links
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.limits import limits_of
from xenlab.traffic.observing import observing
from xenlab.traffic.sources.fragments import PIECES_S, memory_fragmented
from xenlab.verdict.layouts import judge_layouts
from xenlab.verdict.ring_slots import judge_linearised, judge_ring_slots

SEED = 20140520
REPEATS = 5


@pytest.mark.parametrize("order", [4, 3])
def test_packets_that_find_no_memory_are_dropped_and_counted_and_all_others_arrive(
    lab: LabHandle, order: int, judge: Judge, show: Show
) -> None:
    layouts = tuple(copied_layouts()) * REPEATS
    links = guest_links(lab.plan)
    with (
        composers_loaded(lab, *links),
        memory_fragmented(lab, links[0].source, order) as memory,
    ):
        for link in links:
            probe, limits = block_probe(order), limits_of(lab, link)
            with observing(lab, link, probes=True, in_source=[probe]) as observer:
                sent = send_layouts(lab, link, layouts, seed=SEED)
                penalties = Penalties(observation=observer.read())
                memory.require(lab.budget(PIECES_S))
            blocks = penalties.observation.source.hits(BLOCKS)
            run = starve(sent, limits, order, blocks=blocks)
            subject = f"{run.subject}, no free block above order {order}"
            seen = f"{memory.found}; {blocks} larger ones for a moment"
            for verdict in (
                judge_layouts(run, subject=subject),
                judge_linearised(run, penalties, subject=subject),
                judge_ring_slots(run, penalties, subject=subject),
            ):
                control = verdict.control and f"{verdict.control}; {seen}"
                judge(replace(verdict, control=control))
            show(observe_histogram(subject, run, penalties.slots, limits))
