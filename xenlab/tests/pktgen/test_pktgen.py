"""The kernel's own packet generator: sizes, frags and queues, both ways through every vif.

Needs: pktgen in the kernels (the images have it), and nobody else who uses it. What pktgen cannot
make is said in xenlab/slots/pktgen.py; its packets have at most 18 slots, and its payload is zeros.
"""

from __future__ import annotations

from xenlab.measure.load import LoadSpec, account_load
from xenlab.plan.model import Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.slots.pktgen import PktgenFrame
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent
from xenlab.traffic.pktgen import loading
from xenlab.verdict.load import judge_load, judge_load_slots

# On both sides of what netback copies (128 bytes), of a page, and of the limit of slots; 17 frags
# with a head of one slot are the most that a stock frontend sends by grants.
BOUNDARY = (
    (60, 0), (129, 0), (4030, 0), (4031, 0), (8127, 0), (65531, 0), (75, 17), (3700, 1), (9000, 4),
    (17058, 16), (17058, 17), (65531, 17),
)  # fmt: skip
# What facts of pktgen on vifs are told in: small, an Ethernet frame, frags, a jumbo frame.
VOLUME = ((60, 0), (1514, 0), (1514, 4), (9014, 0))
BOUNDARY_PACKETS = 40
VOLUME_PACKETS = {Extent.QUICK: 500, Extent.WHOLE: 5000}


def test_every_packet_of_a_load_is_accounted_for_and_takes_its_slots(
    lab: LabHandle, direct_link: Link, extent: Extent, judge: Judge, show: Show
) -> None:
    kinds = [(kind, BOUNDARY_PACKETS) for kind in BOUNDARY]
    kinds += [(kind, VOLUME_PACKETS[extent]) for kind in VOLUME]
    with loading(lab, direct_link) as loader:
        queues = loader.queues
        for (size_bytes, frags), packets in kinds:
            frame = PktgenFrame(size_bytes=size_bytes, frags=frags)
            load = loader.run(LoadSpec(frame=frame, packets=packets, queues=queues))
            judge(judge_load(load))
            judge(judge_load_slots(load))
            show(account_load(load))
