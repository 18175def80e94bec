"""The loads of the suite: sizes crossed with frags at their boundaries, on one queue and on all."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from xenlab.measure.load import LoadSpec
from xenlab.slots.pktgen import PktgenFrame
from xenlab.traffic.ladder import Extent

BOUNDARY_PACKETS = 40
VOLUME_PACKETS = {Extent.QUICK: 500, Extent.WHOLE: 5000}
# Both sides of a size, and of a number of frags: whole heads before the first frag, and the most
# frags that a stock frontend sends by grants, with a head of one slot.
NO_FRAG, MOST_FRAGS = (0, 1), (17, 16)
EDGES = (
    ((128, 129), MOST_FRAGS),  # what netback copies, which is a packet with its frags then
    ((4030, 4031), NO_FRAG),  # the head of a packet ends with its page
    ((4096, 4097), MOST_FRAGS),  # a page on the way to a guest
    ((8126, 8127), NO_FRAG),  # two pages of head; with a frag that is full, one
)
# The shortest, the one with the least in each frag, and the longest, of either kind.
ENDS = ((60, 0), (75, 17), (65531, 0), (65531, 17))
# What facts of pktgen on vifs are told in: small, an Ethernet frame, frags, a jumbo frame.
VOLUME = ((60, 0), (1514, 0), (1514, 4), (9014, 0))
# On fewer queues than there are: one slot, and as many as there can be.
QUEUED = ((60, 0), (4097, 17))


def boundary_frames(extent: Extent) -> Iterator[PktgenFrame]:
    """Both sides of each boundary; in short without the other side of its frags."""
    for sizes_bytes, frags in EDGES:
        counts = frags if extent is Extent.WHOLE else frags[:1]
        yield from _frames(*product(sizes_bytes, counts))
    yield from _frames(*ENDS)


def loads_on(queues: int, extent: Extent) -> Iterator[LoadSpec]:
    """All loads of a device with so many queues: all on all of them, and some on each fewer."""
    for frame in boundary_frames(extent):
        yield LoadSpec(frame=frame, packets=BOUNDARY_PACKETS, queues=queues)
    for frame in _frames(*VOLUME):
        yield LoadSpec(frame=frame, packets=VOLUME_PACKETS[extent], queues=queues)
    for fewer, frame in product(range(1, queues), _frames(*QUEUED)):
        yield LoadSpec(frame=frame, packets=BOUNDARY_PACKETS, queues=fewer)


def _frames(*pairs: tuple[int, int]) -> tuple[PktgenFrame, ...]:
    return tuple(PktgenFrame(size_bytes=size_bytes, frags=frags) for size_bytes, frags in pairs)
