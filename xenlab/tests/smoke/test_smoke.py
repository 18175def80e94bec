"""Every link carries verified traffic, every vif is negotiated, and every console is clean.

Links over the wire to the outside are among them. Without Xen there are no others, and they are the
control of those in a lab with it.
"""

from __future__ import annotations

import pytest

from xenlab.plan.model import DomUPlan, Link
from xenlab.pytest_plugin import Judge, Show
from xenlab.tests.flows import send_and_judge_flows
from xenlab.traffic.consoles import judge_node_console
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent
from xenlab.traffic.proof import judge_vifs
from xenlab.verdict.vif import skip_without_xen


@pytest.mark.usefixtures("planted")
def test_every_packet_of_every_flow_is_intact_and_accounted_for_at_every_hop(
    lab: LabHandle, link: Link, extent: Extent, judge: Judge, show: Show
) -> None:
    send_and_judge_flows(lab, link, extent, judge, show)


def test_both_ends_of_every_vif_are_connected_with_their_features(
    lab: LabHandle, domu: DomUPlan | None, judge: Judge
) -> None:
    if domu is None:
        judge(skip_without_xen(lab.plan.topology_name))
        return
    for verdict in judge_vifs(lab, domu):
        judge(verdict)


def test_no_kernel_has_written_of_a_fault_since_power_on(
    lab: LabHandle, node: str, judge: Judge
) -> None:
    judge(judge_node_console(lab, node))
