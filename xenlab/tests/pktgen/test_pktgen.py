"""The kernel's own packet generator: sizes, frags and queues, both ways through every vif.

Needs: pktgen in the kernels (the images have it), and nobody else who uses it. What pktgen cannot
make is said in xenlab/slots/pktgen.py; its packets have at most 18 slots, and its payload is zeros.
Several queues are those of the vif: topologies queues-1-2 and queues-3-4.
"""

from __future__ import annotations

from xenlab.measure.load import account_load
from xenlab.plan.model import Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.tests.pktgen.cells import loads_on
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent
from xenlab.traffic.pktgen import loading
from xenlab.verdict.load import judge_load, judge_load_slots


def test_every_packet_of_a_load_is_accounted_for_and_takes_its_slots(
    lab: LabHandle, direct_link: Link, extent: Extent, judge: Judge, show: Show
) -> None:
    with loading(lab, direct_link) as loader:
        for spec in loads_on(loader.queues, extent):
            load = loader.run(spec)
            judge(judge_load(load))
            judge(judge_load_slots(load))
            show(account_load(load))
