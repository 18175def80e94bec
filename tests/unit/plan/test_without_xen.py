"""The plan of a machine without Xen: a Linux at dom0's place on the wire, and nothing else."""

from __future__ import annotations

import json

import pytest

from xenlab.plan.command_lines import render_dom0_command_line, render_peer_command_line
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology
from xenlab.traffic.guests import link_for_faults


@pytest.fixture(scope="module")
def control() -> LabPlan:
    return plan_lab(load_topology("uplink-no-xen"))


@pytest.fixture(scope="module")
def controlled() -> LabPlan:
    return plan_lab(load_topology("uplink"))


def test_what_is_sent_goes_over_the_wire_of_what_it_controls(
    control: LabPlan, controlled: LabPlan
) -> None:
    assert control.links() == ()
    links = {(link.source, link.sink): link for link in control.uplink_links()}
    assert set(links) == {("dom0", "peer"), ("peer", "dom0")}
    same = {(link.source, link.sink): link for link in controlled.uplink_links()}
    for ends, link in links.items():
        assert link.source_device == same[ends].source_device
        assert link.sink_device == same[ends].sink_device
    assert control.uplink is not None
    assert controlled.uplink is not None
    assert control.uplink.model is controlled.uplink.model


def test_linux_has_the_whole_machine(control: LabPlan) -> None:
    assert control.dom0.vcpus == control.machine.cpus
    assert control.dom0.memory_mib == control.machine.memory_mib


def test_both_ends_are_without_xen_and_with_it_the_peer_alone(
    control: LabPlan, controlled: LabPlan
) -> None:
    assert [node for node in control.node_names if control.is_plain(node)] == ["dom0", "peer"]
    assert [node for node in controlled.node_names if controlled.is_plain(node)] == ["peer"]


def test_console_is_that_of_a_machine_and_not_of_xen(control: LabPlan, controlled: LabPlan) -> None:
    assert render_dom0_command_line(controlled).startswith("console=hvc0")
    assert render_dom0_command_line(control).startswith("console=ttyS0")
    assert "transparent_hugepage=never" in render_dom0_command_line(control)
    assert "transparent_hugepage" not in render_peer_command_line()


def test_the_word_is_written_only_where_there_is_no_xen(
    control: LabPlan, controlled: LabPlan
) -> None:
    assert json.loads(control.to_json())["plan"]["xen"]["boot"] is False
    assert "boot" not in json.loads(controlled.to_json())["plan"]["xen"]
    assert LabPlan.from_json(control.to_json()) == control


def test_fault_is_planted_on_the_wire_where_there_is_no_vif(control: LabPlan) -> None:
    link = link_for_faults(control)
    assert (link.source, link.sink, link.sink_device) == ("dom0", "peer", "uplink")
