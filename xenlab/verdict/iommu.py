"""The rule of the IOMMU: what is really on is what the topology asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xenlab.measure.iommu import IommuEvidence
from xenlab.measure.pci_owner import PciOwner
from xenlab.plan.model import Dom0Iommu, Dom0Kind, Iommu, LabPlan
from xenlab.verdict.console_fault import ConsoleFault
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

IOMMU_AS_ASKED = "IOMMU as asked"
DMA_ALLOWED = "DMA allowed"
FAULTS_SHOWN = 5
NO_NIC = "the machine has no NIC to the outside: `machine: {nic: {}}` gives it one"


def judge_iommu(plan: LabPlan, evidence: IommuEvidence) -> Verdict:
    """LAB_ERROR where they differ: whatever else such a lab measures is of another set-up."""
    differences = tuple(_find_differences(plan, evidence))
    dom0, nic = evidence.dom0, evidence.nic
    lines = (*evidence.lines, nic.line) if nic else evidence.lines
    numbers = {"iommu_groups": dom0.groups}
    if dom0.swiotlb_slabs is not None and dom0.swiotlb_slabs_used is not None:
        numbers["swiotlb_slabs"] = dom0.swiotlb_slabs
        numbers["swiotlb_slabs_used"] = dom0.swiotlb_slabs_used
    return Verdict(
        rule=IOMMU_AS_ASKED,
        subject=describe_asked(plan),
        outcome=Outcome.LAB_ERROR if differences else Outcome.PASS,
        reasons=differences,
        numbers=numbers,
        control=f"Xen's log: {'; '.join(lines)}",
    )


def judge_refused_dma(subject: str, faults: Sequence[ConsoleFault]) -> tuple[Verdict, ...]:
    """A FAIL with the devices and addresses in Xen's own words; nothing without any fault.

    There is no pass: that Xen would have told is what a planted fault shows.
    """
    if not faults:
        return ()
    more = len(faults) - FAULTS_SHOWN
    shown = [f"{each.category}: {'; '.join(each.excerpt)}" for each in faults[:FAULTS_SHOWN]]
    return (
        Verdict(
            rule=DMA_ALLOWED,
            subject=subject,
            outcome=Outcome.FAIL,
            reasons=(*shown, f"and {more} more") if more > 0 else tuple(shown),
            numbers={"iommu_faults": len(faults)},
            alarm=True,
        ),
    )


def skip_without_nic(plan: LabPlan) -> Verdict:
    """That nothing can go over a wire: no device takes packets of guests by DMA then."""
    return Verdict(
        rule=DMA_ALLOWED,
        subject=f"topology {plan.topology_name}",
        outcome=Outcome.SKIP,
        reasons=(NO_NIC,),
    )


def describe_asked(plan: LabPlan) -> str:
    """What the plan asks of the IOMMU, in a few words."""
    machine, dom0 = plan.machine, plan.dom0
    unused = "" if plan.xen.iommu or machine.iommu is Iommu.NONE else ", iommu=off"
    remapping = ", interrupt remapping" if machine.interrupt_remapping else ""
    nic = f", NIC in {plan.nic_domu}" if plan.nic_domu else ""
    mode = _say_mode(dom0.iommu)
    return f"iommu {machine.iommu}{remapping}{unused}, dom0 {dom0.kind} {mode}{nic}"


def _find_differences(plan: LabPlan, evidence: IommuEvidence) -> Iterator[str]:
    asked = plan.dom0.iommu
    driver = Iommu.NONE if asked is None else plan.machine.iommu
    if evidence.driver is not driver:
        yield f"asked for IOMMU {driver}, Xen uses {evidence.driver}"
    if evidence.dom0_mode is not asked:
        yield f"asked for dom0 {_say_mode(asked)}, it is {_say_mode(evidence.dom0_mode)}"
    remapping = asked is not None and plan.machine.interrupt_remapping
    if evidence.interrupt_remapping is not remapping:
        yield (
            f"asked for interrupt remapping {_say_switch(on=remapping)},"
            f" it is {_say_switch(on=evidence.interrupt_remapping)}"
        )
    if plan.nic_domu:
        yield from _find_nic_elsewhere(plan.nic_domu, evidence.nic)
    if evidence.dom0.groups:
        yield f"dom0's own IOMMU driver holds {evidence.dom0.groups} groups of devices: Xen should"
    if plan.dom0.kind is Dom0Kind.PV and evidence.dom0.swiotlb_slabs == 0:
        yield "a PV dom0 has no swiotlb: its DMA would go where its memory is not"


def _find_nic_elsewhere(asked: str, nic: PciOwner | None) -> Iterator[str]:
    if nic is None:
        yield f"asked for the NIC to be {asked}'s, and nobody asked Xen whose it is"
    elif nic.owner != asked:
        yield f"asked for the NIC {nic.device} to be {asked}'s, Xen says that it is {nic.owner}'s"


def _say_mode(mode: Dom0Iommu | None) -> str:
    return mode.value if mode else "without IOMMU"


def _say_switch(*, on: bool) -> str:
    return "on" if on else "off"
