"""What a NIC cannot read in place: compound pages of a PV dom0 whose memory is scattered.

Needs: a PV dom0 with a NIC to the outside. dom0's memory is fresh from Xen at first; then most of
it is given back and taken anew, which cannot be undone. Packets of a guest never bounce, for each
of their pages is granted by itself.
"""

from __future__ import annotations

import pytest

from xenlab.measure.bounces import BounceCell, BounceTable
from xenlab.measure.pv_memory import PvMemory
from xenlab.plan.model import DOM0
from xenlab.pytest_plugin import Judge, Show
from xenlab.traffic.ballooning import scatter_memory
from xenlab.traffic.bounces import measure_bounces
from xenlab.traffic.handle import LabHandle
from xenlab.verdict.bounces import judge_bounces, skip_bounces, why_no_bounces
from xenlab.verdict.iommu import describe_asked
from xenlab.verdict.rules import judge_measurement


@pytest.mark.spoils_lab
def test_packets_bounce_where_compound_pages_straddle_in_scattered_memory_and_nowhere_else(
    lab: LabHandle, judge: Judge, show: Show
) -> None:
    if reason := why_no_bounces(lab.plan):
        judge(skip_bounces(lab.plan, reason))
        return
    cells: list[BounceCell] = []
    for memory in PvMemory:
        if memory is PvMemory.SCATTERED:
            scatter_memory(lab, DOM0)
        for run in measure_bounces(lab, memory):
            cells.append(run.cell)
            for verdict in judge_measurement(run.measurement):
                judge(verdict)
    show(BounceTable(subject=describe_asked(lab.plan), cells=tuple(cells)))
    for verdict in judge_bounces(cells):
        judge(verdict)
