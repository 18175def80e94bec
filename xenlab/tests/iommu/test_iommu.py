"""In each set-up of an IOMMU: it is what was asked for, and a NIC takes packets of guests by DMA.

What a domU sends goes domU -> netback -> bridge -> NIC -> outside peer, so that the NIC reads pages
that are granted to who has it: dom0, or a driver domain. In a strict dom0, and in any driver
domain, each of these is in the IOMMU's tables only for as long as it is mapped. The NIC is taken
from its driver under such traffic, and given back.
"""

from __future__ import annotations

from xenlab.pytest_plugin import Judge, Show
from xenlab.tests.flows import send_and_judge_flows
from xenlab.traffic.consoles import judge_node_console
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.iommu import read_iommu_evidence
from xenlab.traffic.ladder import Extent
from xenlab.traffic.replug import find_nic_way, measure_nic_replug
from xenlab.verdict.iommu import judge_iommu, skip_without_nic
from xenlab.verdict.replug import judge_replug, skip_without_replug


def test_iommu_that_is_at_work_is_the_one_that_was_asked_for(lab: LabHandle, judge: Judge) -> None:
    judge(judge_iommu(lab.plan, read_iommu_evidence(lab)))


def test_every_packet_over_the_wire_is_intact_and_accounted_for_at_every_hop(
    lab: LabHandle, extent: Extent, judge: Judge, show: Show
) -> None:
    links = lab.plan.uplink_links()
    if not links:
        judge(skip_without_nic(lab.plan))
    for link in links:
        send_and_judge_flows(lab, link, extent, judge, show)


def test_what_is_lost_is_lost_while_the_nic_is_unplugged_and_nothing_afterwards(
    lab: LabHandle, extent: Extent, judge: Judge
) -> None:
    link = find_nic_way(lab.plan)
    if link is None or extent is Extent.QUICK:
        why = "--quick leaves it out" if link else "no guest's way to an outside peer"
        judge(skip_without_replug(lab.plan, why))
        return
    judge(judge_replug(measure_nic_replug(lab, link)))


def test_no_kernel_has_written_of_a_fault_since_power_on(
    lab: LabHandle, node: str, judge: Judge
) -> None:
    judge(judge_node_console(lab, node))
