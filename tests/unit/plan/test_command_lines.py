"""Words for an IOMMU and for a NIC are those of the plan, and none where it is so unasked."""

from __future__ import annotations

from pathlib import Path

import pytest

from xenlab.hypervisor.qemu_devices import render_uplink_arguments
from xenlab.plan.command_lines import render_dom0_command_line, render_xen_command_line
from xenlab.plan.model import Dom0Iommu, LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.plan.uplink import UPLINK_SLOT
from xenlab.topology.loading import load_topology, parse_topology


def plan_of(text: str) -> LabPlan:
    whole = f"{text}\ndomus: {{alice: }}"
    return plan_lab(parse_topology(whole.encode(), file="lab.yaml", name="lab"))


@pytest.mark.parametrize(
    ("text", "words", "mode"),
    [
        ("", [], None),
        ("machine: {iommu: intel}", [], Dom0Iommu.RELAXED),
        ("machine: {iommu: intel}\ndom0: {iommu: relaxed}", [], Dom0Iommu.RELAXED),
        (
            "machine: {iommu: intel}\ndom0: {iommu: strict}",
            ["dom0-iommu=strict"],
            Dom0Iommu.STRICT,
        ),
        (
            "machine: {iommu: intel}\ndom0: {iommu: passthrough}",
            ["dom0-iommu=passthrough"],
            Dom0Iommu.PASSTHROUGH,
        ),
        (
            "machine: {iommu: intel}\ndom0: {type: pvh}",
            ["dom0=pvh", "dom0-iommu=strict", "iommu=no-sharept"],
            Dom0Iommu.STRICT,
        ),
        (
            "machine: {iommu: amd, interrupt_remapping: on}\ndom0: {type: pvh}",
            ["dom0=pvh", "dom0-iommu=strict"],
            Dom0Iommu.STRICT,
        ),
        ("machine: {iommu: intel, interrupt_remapping: on}", [], Dom0Iommu.RELAXED),
        ("machine: {iommu: amd, interrupt_remapping: on}", [], Dom0Iommu.RELAXED),
        ("machine: {iommu: amd}", ["iommu=no-intremap"], Dom0Iommu.RELAXED),
        ("machine: {iommu: intel}\nxen: {iommu: off}", ["iommu=off"], None),
        ("machine: {iommu: amd}\nxen: {iommu: off}", ["iommu=off"], None),
    ],
)
def test_words(text: str, words: list[str], mode: Dom0Iommu | None) -> None:
    plan = plan_of(text)
    line = render_xen_command_line(plan).split()
    assert [word for word in line if "iommu" in word or word.startswith("dom0=")] == words
    assert plan.dom0.iommu == mode


def test_dom0_hides_the_nic_that_it_gives_away_and_no_other() -> None:
    hidden = "xen-pciback.hide=(0000:00:1e.0)"
    given, kept = (plan_lab(load_topology(name)) for name in ("iommu-i7", "iommu-i1"))
    assert render_dom0_command_line(given).split()[-1] == hidden
    assert "pciback" not in render_dom0_command_line(kept)
    assert f"addr={UPLINK_SLOT:#x}" in render_uplink_arguments(given, Path("/wire"))[-1]


def test_the_users_words_come_behind_ours() -> None:
    """So that a lab can be made to boot otherwise than it says: the evidence has to find it."""
    plan = plan_of(
        "machine: {iommu: intel}\ndom0: {iommu: strict}\nxen: {command_line: dom0-iommu=no-strict}"
    )
    assert render_xen_command_line(plan).endswith("dom0-iommu=strict dom0-iommu=no-strict")
