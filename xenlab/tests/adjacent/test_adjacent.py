"""A guest's compound pages at adjacent pages of dom0, as one frag: and what a device makes of them.

Needs: a NIC to the outside, netback in dom0, and what a driver's build needs: the kernel's headers
and source (fetched) and a compiler. The guest cuts its streams itself, so that the NIC reads its
pages. They lie where Xen put them at first; then most of the guest's memory is given back and taken
anew, which cannot be undone.
"""

from __future__ import annotations

import pytest

from xenlab.measure.joining import JoinCell, JoinTable
from xenlab.pytest_plugin import Judge, Show
from xenlab.traffic.consoles import judge_node_console
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.iommu import read_iommu_evidence
from xenlab.traffic.joining import measure_joining
from xenlab.verdict.iommu import describe_asked, judge_iommu
from xenlab.verdict.joining import judge_joining, skip_joining, why_no_joining
from xenlab.verdict.rules import judge_measurement


def test_iommu_that_is_at_work_is_the_one_that_was_asked_for(lab: LabHandle, judge: Judge) -> None:
    judge(judge_iommu(lab.plan, read_iommu_evidence(lab)))


@pytest.mark.spoils_lab
def test_slots_are_joined_and_bounce_where_they_straddle_and_nowhere_else(
    lab: LabHandle, judge: Judge, show: Show
) -> None:
    if reason := why_no_joining(lab.plan):
        judge(skip_joining(lab.plan, reason))
        return
    cells: list[JoinCell] = []
    for run in measure_joining(lab):
        cells.append(run.cell)
        for verdict in judge_measurement(run.measurement):
            judge(verdict)
    show(JoinTable(subject=describe_asked(lab.plan), cells=tuple(cells)))
    for verdict in judge_joining(cells):
        judge(verdict)


def test_no_kernel_has_written_of_a_fault_since_power_on(
    lab: LabHandle, node: str, judge: Judge
) -> None:
    judge(judge_node_console(lab, node))
