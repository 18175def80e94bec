"""What a node says that it runs: believed where it says all of it, and it is what was asked."""

from __future__ import annotations

import pytest

from xenlab.errors import LabError
from xenlab.life.evidence import CLOCKS_FILE, RELEASE_FILE, XEN_FILES, NodeEvidence, evidence_files
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology

# What these files say: dom0 of Xen 4.17 and Linux without Xen, under QEMU 7.2's TCG.
RELEASE = "6.1.0-56-amd64"
CLOCKS, CLOCKS_ON_XEN = "hpet acpi_pm", "xen"


@pytest.fixture(scope="module")
def control() -> LabPlan:
    return plan_lab(load_topology("uplink-no-xen"))


@pytest.fixture(scope="module")
def controlled() -> LabPlan:
    return plan_lab(load_topology("uplink"))


def test_each_node_is_asked_for_what_it_can_tell(control: LabPlan, controlled: LabPlan) -> None:
    assert evidence_files(controlled, "dom0") == (RELEASE_FILE, *XEN_FILES)
    assert evidence_files(controlled, "alice") == (RELEASE_FILE,)
    for plan, node in ((controlled, "peer"), (control, "dom0"), (control, "peer")):
        assert evidence_files(plan, node) == (RELEASE_FILE, CLOCKS_FILE)


def test_node_tells_its_kernel_and_dom0_its_xen(control: LabPlan, controlled: LabPlan) -> None:
    dom0 = NodeEvidence.parse(controlled, "dom0", f"{RELEASE}\n4\n17\n.7\n")
    assert dom0 == NodeEvidence(kernel=RELEASE, xen="4.17.7")
    alice = NodeEvidence.parse(controlled, "alice", f"{RELEASE}\n")
    assert alice == NodeEvidence(kernel=RELEASE)
    plain = NodeEvidence.parse(control, "dom0", f"{RELEASE}\n{CLOCKS}\n")
    assert plain == NodeEvidence(kernel=RELEASE)


@pytest.mark.parametrize("clocks", [CLOCKS_ON_XEN, f"tsc {CLOCKS_ON_XEN} {CLOCKS}"])
@pytest.mark.parametrize("node", ["dom0", "peer"])
def test_node_that_is_to_run_without_xen_and_runs_on_it_is_an_error_of_the_lab(
    control: LabPlan, node: str, clocks: str
) -> None:
    with pytest.raises(LabError, match=f"{node} is to run without Xen, and has Xen's clock"):
        NodeEvidence.parse(control, node, f"{RELEASE} {clocks}")


@pytest.mark.parametrize("told", ["", RELEASE])
def test_node_that_does_not_tell_its_clocks_is_not_believed(control: LabPlan, told: str) -> None:
    with pytest.raises(LabError, match="dom0 does not say what it runs"):
        NodeEvidence.parse(control, "dom0", told)
