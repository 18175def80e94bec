"""Packets that come into a node as out of a network card's pages, and leave it by a vif.

Needs: the module `tun` in the source node, and what the composer needs, whose receiver inspects the
packets. Where frags lie in their pages the stack decides: packets are either so small that they
take at most 18 slots however it does, or so large that they take more.
"""

from __future__ import annotations

from dataclasses import replace

from xenlab.measure.layouts import LayoutRun
from xenlab.measure.natural import read_natural_slots
from xenlab.measure.penalties import Penalties
from xenlab.plan.model import Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.traffic.guests import guest_links, kinds_of_links
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import composers_loaded, send_layouts
from xenlab.traffic.limits import limits_of
from xenlab.traffic.observing import observing
from xenlab.traffic.settings import path_widened
from xenlab.traffic.sources.tap import Tap, tap_layout
from xenlab.verdict.layouts import judge_layouts
from xenlab.verdict.natural import NaturalRange, judge_natural
from xenlab.verdict.observation import judge_observation
from xenlab.verdict.ring_slots import judge_linearised

SEED = 20140519
BATCHES = 4
# Two slots a frag at most: 17 with the head. Of 16 frags of 4000 bytes, each 4032 below the one
# before, at least 14 cross a page.
SMALL = tuple(tap_layout(frags, size) for frags in range(1, 9) for size in (64, 1000, 4000))
LARGE = (tap_layout(16, 4000),) * 3
LARGE_RANGE = NaturalRange(least=31, most=33, why="frags of 4000 bytes at multiples of 64")


def test_forwarded_packets_arrive_and_are_linearised_where_they_have_too_many_slots(
    lab: LabHandle, judge: Judge, show: Show
) -> None:
    for link in guest_links(lab.plan):
        with composers_loaded(lab, link), path_widened(lab, link):
            _judge_forwarded(lab, link, judge, show)


def test_packets_forwarded_by_dom0_arrive_in_a_guest(lab: LabHandle, judge: Judge) -> None:
    (link,) = set(kinds_of_links(lab.plan)) - set(guest_links(lab.plan))
    with composers_loaded(lab, link):
        run = _send(lab, link)
    judge(judge_layouts(run, subject=f"{run.subject}, tap in dom0's bridge"))


def _judge_forwarded(lab: LabHandle, link: Link, judge: Judge, show: Show) -> None:
    with observing(lab, link, probes=True, debug=True) as observer:
        run = replace(_send(lab, link), frags=())  # the stack decides where they lie
        observation = observer.read()
    subject = f"{run.subject}, tap in {run.source}"
    penalties = Penalties(observation=observation)
    natural = read_natural_slots(subject, observation)
    judge(judge_layouts(run, subject=subject))
    judge(judge_linearised(run, penalties, subject=subject))
    judge(judge_natural(natural, LARGE_RANGE, penalties.linearised))
    judge(judge_observation(observation, subject=subject))
    show(natural.histogram(limits_of(lab, link)))


def _send(lab: LabHandle, link: Link) -> LayoutRun:
    at_once = SMALL + LARGE
    source = Tap(batch_packets=len(at_once))
    return send_layouts(lab, link, at_once * BATCHES, seed=SEED, source=source)
