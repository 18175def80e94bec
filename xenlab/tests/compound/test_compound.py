"""Packets over compound pages: of every order, at every place in them, from kernel and userspace.

Needs: a compiler and the kernels' headers (fetched) for the composer's module, and stock limits of
the frontend. net.core.high_order_alloc_disable is 0 and 1 in turn in the sending node, and
afterwards what it was: a sender that brings its own pages has to be met in the same way.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from xenlab.measure.layouts import LayoutRun
from xenlab.measure.penalties import Penalties
from xenlab.measure.slot_histogram import observe_histogram
from xenlab.plan.model import Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.slots.compound import compound_layouts, crossing_layouts
from xenlab.slots.layout import Checksum, Layout, Protocol
from xenlab.slots.limits import Limits
from xenlab.traffic.guests import guest_links, kinds_of_links
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.layouts import LayoutSource, composers_loaded, send_layouts
from xenlab.traffic.limits import limits_of
from xenlab.traffic.observing import observing
from xenlab.traffic.settings import path_widened, sysctl_set
from xenlab.traffic.sources.packets import PACKETS, PAGED_FROM_BYTES, packet_layout
from xenlab.traffic.sources.zerocopy import HEADROOM_BYTES, LIMITS, Zerocopy, fits_zerocopy
from xenlab.verdict.layouts import judge_layouts
from xenlab.verdict.observation import judge_observation
from xenlab.verdict.ring_slots import judge_linearised, judge_ring_slots
from xenlab.verdict.rules import judge_measurement
from xenlab.verdict.steady import judge_steady

SEED = 20140518
SINGLE_PAGES = "net.core.high_order_alloc_disable"
MOST_BYTES = 65000  # a datagram within the largest MTU of a vif
HEADS = (42, 128, 4000, 4094, 4095, 8190, 8191, 16384, 32768, 65531)
LENGTHS = (42, 129, 4079, 4080, 8192, 16384, 65531)
COMPOSED = {
    "pages of order 0 to 5": tuple(compound_layouts()),
    "heads that cross pages": tuple(crossing_layouts()),
}


def test_composed_packets_over_compound_pages_meet_the_fate_that_the_model_says(
    lab: LabHandle, judge: Judge
) -> None:
    for link in kinds_of_links(lab.plan):
        with composers_loaded(lab, link):
            for single_pages, (name, layouts) in product(("0", "1"), COMPOSED.items()):
                with sysctl_set(lab, link.source, SINGLE_PAGES, single_pages):
                    run = send_layouts(lab, link, layouts, seed=SEED)
                what = f"{run.subject}, {name}, {SINGLE_PAGES}={single_pages}"
                judge(judge_layouts(run, subject=what))
                judge(judge_steady(run, subject=what))


@pytest.mark.parametrize("single_pages", ["0", "1"])
@pytest.mark.parametrize("protocol", [Protocol.UDP4, Protocol.UDP6])
def test_datagrams_from_a_sockets_own_compound_pages_are_linearised_where_the_model_says(
    lab: LabHandle, protocol: Protocol, single_pages: str, judge: Judge, show: Show
) -> None:
    stream = compound_layouts(
        protocol.header_bytes, HEADROOM_BYTES, protocol=protocol, most_bytes=MOST_BYTES
    )
    layouts = tuple(filter(fits_zerocopy, stream))
    for link in guest_links(lab.plan):
        source = Zerocopy()
        with (
            sysctl_set(lab, link.source, SINGLE_PAGES, single_pages),
            path_widened(lab, link),
        ):
            run, penalties, limits = _observe(lab, link, layouts, source, LIMITS)
        what = f"{run.subject}, MSG_ZEROCOPY {protocol}, {SINGLE_PAGES}={single_pages}"
        _judge_run(run, penalties, limits, what, judge, show)
        for measurement in source.measurements:
            for verdict in judge_measurement(measurement):
                judge(replace(verdict, subject=what))


def test_frames_from_af_packet_take_the_slots_that_the_model_says(
    lab: LabHandle, judge: Judge, show: Show
) -> None:
    for link in guest_links(lab.plan):
        with composers_loaded(lab, link), path_widened(lab, link):
            run, penalties, limits = _observe(lab, link, _frames(), PACKETS, LIMITS)
        _judge_run(run, penalties, limits, f"{run.subject}, AF_PACKET", judge, show)


def _observe(
    lab: LabHandle, link: Link, layouts: tuple[Layout, ...], source: LayoutSource, limits: Limits
) -> tuple[LayoutRun, Penalties, Limits]:
    with observing(lab, link, probes=True) as observer:
        under = limits_of(lab, link, limits)
        run = send_layouts(lab, link, layouts, seed=SEED, limits=under, source=source)
        return run, Penalties(observation=observer.read()), under


def _judge_run(
    run: LayoutRun, penalties: Penalties, limits: Limits, subject: str, judge: Judge, show: Show
) -> None:
    judge(judge_layouts(run, subject=subject))
    judge(judge_ring_slots(run, penalties, subject=subject))
    judge(judge_linearised(run, penalties, subject=subject))
    judge(judge_observation(penalties.observation, subject=subject))
    show(observe_histogram(subject, run, penalties.slots, limits))


def _frames() -> tuple[Layout, ...]:
    """Linear parts of all lengths, alone and before whole pages; GSO, and both checksums."""
    frames = [
        packet_layout(linear, length, checksum=checksum)
        for checksum in Checksum
        for length in LENGTHS
        for linear in (*HEADS, length)
        if linear == length or (linear < length and length >= PAGED_FROM_BYTES)
    ]
    frames += [
        packet_layout(linear, 65000, protocol=protocol, gso_size_bytes=1440)
        for protocol in (Protocol.TCP4, Protocol.TCP6)
        for linear in (protocol.header_bytes, 4094, 65000)
    ]
    return tuple(frames)
