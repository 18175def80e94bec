"""A netback that finds no memory for a packet loses just that packet, and gives all of it back.

Needs: a kernel in dom0 with kprobes, what the composer needs, and for the frag_list the series
netfront-slots-limit in the sending domU. Functions that allocate give netback nothing a few times
(kernels/modules/xlnomem): so many packets must be lost, all others must arrive, every slot must be
answered and every page given back; and afterwards nothing must be lost any more.
"""

from __future__ import annotations

from itertools import chain

from xenlab.measure.foretold_loss import has_frag_list, has_plain_head, lose
from xenlab.plan.model import Link
from xenlab.pytest_plugin import Judge
from xenlab.slots.boundaries import layouts_of_slots
from xenlab.slots.fate import predict
from xenlab.slots.layout import Layout
from xenlab.slots.limits import Limits
from xenlab.tests.unlimited_frontend import frontend_unlimited, read_unlimited
from xenlab.traffic.allocation import (
    FRAG_LIST,
    FRAG_LIST_PAGES,
    HEAD,
    Allocation,
    allocation_watched,
)
from xenlab.traffic.guests import guest_links
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.limits import limits_of
from xenlab.verdict.foretold_loss import judge_foretold, judge_unconcerned
from xenlab.verdict.layouts import judge_layouts

PACKETS = 10
FAILURES = 3
SEED = 20190529
FEW_SLOTS = 2
OVERFLOWING_SLOTS = 19
CONCERNED = {
    HEAD: has_plain_head,
    FRAG_LIST: has_frag_list,
    FRAG_LIST_PAGES: has_frag_list,
}


def test_packet_without_an_skb_is_lost_and_no_other(lab: LabHandle, judge: Judge) -> None:
    link = guest_links(lab.plan)[0]
    layouts = list(layouts_of_slots(FEW_SLOTS, 2 * PACKETS))
    with composers_loaded(lab, link):
        judge_failures(lab, link, HEAD, layouts, limits_of(lab, link), judge)


def test_frag_list_without_memory_is_lost_and_nothing_of_it_is_kept(
    lab: LabHandle, judge: Judge
) -> None:
    link = guest_links(lab.plan)[0]
    with frontend_unlimited(lab, link):
        limits, frags = read_unlimited(lab, link), lab.max_skb_frags(link.source)
        overflowing = layouts_of_slots(OVERFLOWING_SLOTS, PACKETS, max_frags=frags)
        harmless = layouts_of_slots(FEW_SLOTS, PACKETS)
        layouts = list(chain.from_iterable(zip(overflowing, harmless, strict=False)))
        for allocation in (FRAG_LIST, FRAG_LIST_PAGES):
            judge_failures(lab, link, allocation, layouts, limits, judge)


def judge_failures(
    lab: LabHandle, link: Link, allocation: Allocation, layouts: list[Layout], limits: Limits,
    judge: Judge,
) -> None:  # fmt: skip
    """Send the layouts while some allocations fail, and again when none does."""
    concerned = CONCERNED[allocation]
    subject = f"{link.source} -> {link.sink}, no memory for {allocation.what}"
    if sum(concerned(predict(layout, limits)) for layout in layouts) < FAILURES:
        judge(judge_unconcerned(subject, "no packet needs it here"))
        return
    with allocation_watched(lab, link.backends[0], allocation) as watched:
        with watched.failing(FAILURES) as failures:
            sent = send_layouts(lab, link, layouts, seed=SEED, limits=limits)
        counted = allocation is FRAG_LIST_PAGES
        run = lose(sent, limits, concerned, failures.count, is_counted=counted)
        judge(judge_foretold(run, subject=subject, faults=failures.count, asked=FAILURES))
    again = send_layouts(lab, link, layouts, seed=SEED, limits=limits)
    judge(judge_layouts(again, subject=f"{subject}, and then again"))
