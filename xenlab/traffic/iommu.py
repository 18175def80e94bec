"""The evidence of an IOMMU, read from a lab that is up: Xen's log from power-on, and dom0."""

from __future__ import annotations

from dataclasses import replace

from xenlab.guest.reading import NodeFiles, read_node_files
from xenlab.measure.iommu import Dom0Iommus, IommuEvidence, parse_iommu_evidence
from xenlab.measure.pci_owner import PciOwner, parse_pci_owner
from xenlab.plan.model import DOM0
from xenlab.plan.uplink import UPLINK_PCI
from xenlab.traffic.handle import LabHandle
from xenlab.verdict.console_lines import LineAssembler, Writer

READING_S = 10.0
# Linux Documentation/ABI/testing/sysfs-kernel-iommu_groups
GROUPS = "/sys/kernel/iommu_groups/*/type"
# kernel/dma/swiotlb.c, swiotlb_create_debugfs_files
SLABS, SLABS_USED = (f"/sys/kernel/debug/swiotlb/io_tlb_{name}" for name in ("nslabs", "used"))
# xen/drivers/passthrough/pci.c, setup_dump_pcidevs
PCI_DEVICES = "Q"


def read_iommu_evidence(lab: LabHandle) -> IommuEvidence:
    """What is on. Raises LabError, and MeasurementError where Xen's log does not tell."""
    deadline = lab.budget(READING_S)
    files = read_node_files(lab.shell(DOM0), [GROUPS, SLABS, SLABS_USED], [], deadline)
    lines = LineAssembler()
    console = [*lines.feed(lab.console_bytes(DOM0)), *lines.finish()]
    evidence = parse_iommu_evidence(
        [line.text for line in console if line.writer is Writer.XEN], _of_dom0(files)
    )
    return replace(evidence, nic=_read_nic_owner(lab)) if lab.plan.nic_domu else evidence


def _read_nic_owner(lab: LabHandle) -> PciOwner:
    """Whose the NIC is, as Xen says when it is asked: not what the toolstack believes."""
    dom0, deadline = lab.shell(DOM0), lab.budget(READING_S)
    dom0.run(["xl", "debug-keys", PCI_DEVICES], deadline=deadline).require_success()
    said = dom0.run(["xl", "dmesg"], deadline=deadline).require_success().text
    names = {lab.domid(node): node for node in lab.plan.domain_names}
    return parse_pci_owner(said, UPLINK_PCI, names)


def _of_dom0(files: NodeFiles) -> Dom0Iommus:
    return Dom0Iommus(
        groups=sum(path not in (SLABS, SLABS_USED) for path in files.files),
        swiotlb_slabs=files.number(SLABS),
        swiotlb_slabs_used=files.number(SLABS_USED),
    )
