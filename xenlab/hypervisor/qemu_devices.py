"""Devices of the machine in QEMU's own words, where libvirt 9.0 has none: from the plan."""

from __future__ import annotations

from xenlab.plan.model import Dom0Kind, Iommu, LabPlan, MachinePlan

# On pcie.0, above all that libvirt places there: QEMU makes what comes from it (as JSON) behind
# all other devices, which would take the first free slots.
MANAGEMENT_PCI_ADDRESS = "0x1d"
AMD_IOMMU_PCI_ADDRESS = "0x1e"


def needs_translation(plan: LabPlan) -> bool:
    """Whether virtio devices have to go through the IOMMU.

    What a PVH dom0 takes for addresses of memory are the machine's only behind the IOMMU; a PV
    dom0's are such addresses, for swiotlb-xen sees to that.
    """
    return plan.dom0.kind is Dom0Kind.PVH


def render_management_nic(plan: LabPlan) -> str:
    """The `-device` of the NIC that dom0 is controlled by."""
    place = f"romfile=,bus=pcie.0,addr={MANAGEMENT_PCI_ADDRESS}"
    translated = ",disable-legacy=on,iommu_platform=on" if needs_translation(plan) else ""
    return f"virtio-net-pci,netdev=management,{place}{translated}"


def render_iommu_arguments(machine: MachinePlan) -> list[str]:
    """All of amd-iommu; of intel-iommu its capability to pass DMA through."""
    remaps = "on" if machine.interrupt_remapping else "off"
    if machine.iommu is Iommu.AMD:
        place = f"AMDVI-PCI.addr={AMD_IOMMU_PCI_ADDRESS}"
        return ["-device", f"amd-iommu,intremap={remaps}", "-global", place]
    lacks_passthrough = machine.iommu is Iommu.INTEL and not machine.iommu_passthrough
    return ["-global", "intel-iommu.pt=off"] if lacks_passthrough else []
