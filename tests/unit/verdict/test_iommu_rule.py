"""The rule of the IOMMU: another one than asked for is LAB_ERROR; DMA that it refused is a FAIL."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xenlab.measure.iommu import Dom0Iommus, IommuEvidence
from xenlab.measure.pci_owner import PciOwner
from xenlab.plan.model import Dom0Iommu, Iommu, LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import parse_topology
from xenlab.verdict.console import scan_console
from xenlab.verdict.fault_table import Category
from xenlab.verdict.iommu import judge_iommu, judge_refused_dma
from xenlab.verdict.outcome import Outcome

STRICT = IommuEvidence(
    driver=Iommu.INTEL,
    dom0_mode=Dom0Iommu.STRICT,
    interrupt_remapping=False,
    dom0=Dom0Iommus(groups=0, swiotlb_slabs=32768, swiotlb_slabs_used=3),
    lines=("I/O virtualisation enabled", "- Dom0 mode: Strict"),
)
OFF = IommuEvidence(
    driver=Iommu.NONE,
    dom0_mode=None,
    interrupt_remapping=False,
    dom0=STRICT.dom0,
    lines=("I/O virtualisation disabled",),
)


def plan_of(text: str) -> LabPlan:
    whole = f"{text}\ndomus: {{alice: }}"
    return plan_lab(parse_topology(whole.encode(), file="lab.yaml", name="lab"))


ASKED = plan_of("machine: {iommu: intel}\ndom0: {iommu: strict}")


def test_what_was_asked_for_passes_with_xens_own_words() -> None:
    verdict = judge_iommu(ASKED, STRICT)
    assert verdict.outcome is Outcome.PASS
    assert verdict.subject == "iommu intel, dom0 pv strict"
    assert verdict.control == "Xen's log: I/O virtualisation enabled; - Dom0 mode: Strict"
    assert verdict.numbers == {
        "iommu_groups": 0,
        "swiotlb_slabs": 32768,
        "swiotlb_slabs_used": 3,
    }


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (replace(STRICT, dom0_mode=Dom0Iommu.RELAXED), "asked for dom0 strict, it is relaxed"),
        (
            replace(STRICT, driver=Iommu.AMD),
            "asked for IOMMU intel, Xen uses amd",
        ),
        (
            replace(STRICT, interrupt_remapping=True),
            "asked for interrupt remapping off, it is on",
        ),
        (
            replace(STRICT, dom0=replace(STRICT.dom0, groups=4)),
            "dom0's own IOMMU driver holds 4 groups of devices: Xen should",
        ),
        (
            replace(STRICT, dom0=replace(STRICT.dom0, swiotlb_slabs=0)),
            "a PV dom0 has no swiotlb: its DMA would go where its memory is not",
        ),
    ],
)
def test_each_difference_is_a_lab_error(evidence: IommuEvidence, reason: str) -> None:
    verdict = judge_iommu(ASKED, evidence)
    assert (verdict.outcome, verdict.reasons) == (Outcome.LAB_ERROR, (reason,))


def test_an_iommu_that_xen_does_not_use_differs_in_all() -> None:
    asked = plan_of("machine: {iommu: amd, interrupt_remapping: on}")
    assert judge_iommu(asked, OFF).reasons == (
        "asked for IOMMU amd, Xen uses none",
        "asked for dom0 relaxed, it is without IOMMU",
        "asked for interrupt remapping on, it is off",
    )


def test_an_iommu_that_xen_was_told_to_leave_alone_passes_where_it_did() -> None:
    asked = plan_of("machine: {iommu: intel, interrupt_remapping: on}\nxen: {iommu: off}")
    assert judge_iommu(asked, OFF).outcome is Outcome.PASS
    assert judge_iommu(asked, STRICT).outcome is Outcome.LAB_ERROR


GIVEN = plan_of("machine: {iommu: intel, nic: {}}\nnetworks: {lan: {backend: alice}}")
RELAXED = replace(STRICT, dom0_mode=Dom0Iommu.RELAXED)
NIC = PciOwner(device="0000:00:1e.0", owner="alice", line="0000:00:1e.0 - d1")


def test_nic_of_the_domu_that_was_asked_for_passes_with_xens_own_words() -> None:
    verdict = judge_iommu(GIVEN, replace(RELAXED, nic=NIC))
    assert verdict.outcome is Outcome.PASS
    assert verdict.subject == "iommu intel, dom0 pv relaxed, NIC in alice"
    assert verdict.control.endswith("; 0000:00:1e.0 - d1")


@pytest.mark.parametrize(
    ("nic", "reason"),
    [
        (
            replace(NIC, owner="dom0"),
            "asked for the NIC 0000:00:1e.0 to be alice's, Xen says that it is dom0's",
        ),
        (None, "asked for the NIC to be alice's, and nobody asked Xen whose it is"),
    ],
)
def test_nic_that_is_anothers_is_a_lab_error(nic: PciOwner | None, reason: str) -> None:
    verdict = judge_iommu(GIVEN, replace(RELAXED, nic=nic))
    assert (verdict.outcome, verdict.reasons) == (Outcome.LAB_ERROR, (reason,))


VTD = (
    "(XEN) [VT-D]DMAR:[DMA Read] Request device [0000:00:1b.0] fault addr 1000000000\n"
    "(XEN) [VT-D]DMAR: reason 06 - PTE Read access is not set\n"
)
AMD = "(XEN) AMD-Vi: IO_PAGE_FAULT: 0000:00:1b.0 d0 addr 0000001000000000 flags 0x20 RW\n"


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        (VTD, 1),
        (VTD + VTD.replace("1000000000", "2000000000"), 2),
        ("(XEN) [VT-D]INTR-REMAP: Request device [0000:00:1b.0] fault index 3f\n", 1),
        (AMD, 1),
        ("(XEN) AMD-Vi: ILLEGAL_DEV_TABLE_ENTRY: 00000000 00000001 00000002 00000003\n", 1),
        ("(XEN) AMD-Vi: IOMMU 0 Enabled.\n(XEN) [VT-D] Queued invalidation is not enabled\n", 0),
        # Only Xen is believed when it speaks of its IOMMU.
        (VTD.replace("(XEN) ", "[   12.345678] "), 0),
    ],
)
def test_faults_of_both_kinds_of_iommu_are_found(text: str, faults: int) -> None:
    found = scan_console("dom0", text.encode())
    assert [fault.category for fault in found] == [Category.IOMMU_FAULT] * faults
    assert all((fault.node, fault.outcome) == ("xen", Outcome.FAIL) for fault in found)


def test_refused_dma_fails_and_names_device_and_address() -> None:
    (verdict,) = judge_refused_dma("test_flows", scan_console("dom0", VTD.encode()))
    assert (verdict.outcome, verdict.subject) == (Outcome.FAIL, "test_flows")
    assert "[0000:00:1b.0] fault addr 1000000000" in verdict.reasons[0]
    assert "PTE Read access is not set" in verdict.reasons[0]
    assert verdict.numbers == {"iommu_faults": 1}


def test_a_flood_of_faults_is_counted_and_told_in_part() -> None:
    text = "".join(VTD.replace("1000000000", f"{number:x}000") for number in range(1, 21))
    (verdict,) = judge_refused_dma("test_flows", scan_console("dom0", text.encode()))
    assert verdict.numbers == {"iommu_faults": 20}
    assert verdict.reasons[-1] == "and 15 more"


def test_without_a_fault_there_is_no_verdict() -> None:
    assert judge_refused_dma("test_flows", ()) == ()
