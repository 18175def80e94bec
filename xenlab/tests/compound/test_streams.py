"""Streams whose packets the network stack lays out: from the page cache, and of sockets in turn.

Needs: a frontend with stock limits. What a packet came to it with is told by its debug lines, for
those it linearised, and by the slots on the ring for all others. net.core.high_order_alloc_disable
is the control: with it no frag crosses a page, and nothing has to be linearised any more.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.natural import read_natural_slots
from xenlab.measure.penalties import Penalties
from xenlab.pytest_plugin import Judge, Show
from xenlab.traffic.guests import guest_links
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.limits import limits_of
from xenlab.traffic.settings import sysctl_set
from xenlab.traffic.sources.streams import StreamKind, StreamOrder, observe_streams
from xenlab.verdict.natural import NaturalRange, judge_natural
from xenlab.verdict.observation import judge_observation
from xenlab.verdict.rules import judge_measurement

SINGLE_PAGES = "net.core.high_order_alloc_disable"
MIB = 1 << 20
# A long packet has at most 17 frags, and its head is one slot.
ONE_PAGE_A_FRAG = NaturalRange(least=17, most=18, why="no frag crosses a page")
CACHED = {kind: StreamOrder(kind=kind, write_bytes=MIB, writes=8) for kind in
          (StreamKind.SENDFILE, StreamKind.SPLICE)}  # fmt: skip


def _in_turn(write_bytes: int) -> StreamOrder:
    writes = 4 * MIB // write_bytes
    return StreamOrder(
        kind=StreamKind.INTERLEAVE, write_bytes=write_bytes, writes=writes, sockets=2
    )


BETWEEN = "each socket's frags lie between the other's"
# Computed for whole packets; 17 frags of 1000 bytes are all that one of those writes can have. One
# more slot than computed for 4098 bytes was seen often: the first frag is the end of a write.
INTERLEAVED = {
    1000: NaturalRange(least=18, most=25, why=BETWEEN, long_bytes=0),
    4098: NaturalRange(least=27, most=34, why=BETWEEN),
    5000: NaturalRange(least=30, most=32, why=BETWEEN),
    9000: NaturalRange(least=24, most=26, why=BETWEEN),
}


@pytest.mark.parametrize("kind", CACHED)
def test_pages_of_a_file_are_one_slot_each(
    lab: LabHandle, kind: StreamKind, judge: Judge, show: Show
) -> None:
    _judge_streams(lab, CACHED[kind], ONE_PAGE_A_FRAG, "0", judge, show)


@pytest.mark.parametrize("write_bytes", INTERLEAVED)
def test_sockets_written_in_turn_make_packets_that_have_to_be_linearised(
    lab: LabHandle, write_bytes: int, judge: Judge, show: Show
) -> None:
    order, expected = _in_turn(write_bytes), INTERLEAVED[write_bytes]
    _judge_streams(lab, order, expected, "0", judge, show)
    _judge_streams(lab, order, ONE_PAGE_A_FRAG, "1", judge, show)


def _judge_streams(
    lab: LabHandle, order: StreamOrder, expected: NaturalRange, single_pages: str, judge: Judge,
    show: Show,
) -> None:  # fmt: skip
    link = guest_links(lab.plan)[-1]
    with sysctl_set(lab, link.source, SINGLE_PAGES, single_pages):
        measurement, observation = observe_streams(lab, link, order)
    subject = f"{measurement.subject}, {order}, {SINGLE_PAGES}={single_pages}"
    natural = read_natural_slots(subject, observation)
    penalties = Penalties(observation=observation)
    judge(judge_natural(natural, expected, penalties.linearised))
    judge(judge_observation(observation, subject=subject))
    for verdict in judge_measurement(measurement):
        judge(replace(verdict, subject=subject))
    show(natural.histogram(limits_of(lab, link)))
