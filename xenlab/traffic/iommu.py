"""The evidence of an IOMMU, read from a lab that is up: Xen's log from power-on, and dom0."""

from __future__ import annotations

from xenlab.guest.reading import NodeFiles, read_node_files
from xenlab.measure.iommu import Dom0Iommus, IommuEvidence, parse_iommu_evidence
from xenlab.plan.model import DOM0
from xenlab.traffic.handle import LabHandle
from xenlab.verdict.console_lines import LineAssembler, Writer

READING_S = 10.0
# Linux Documentation/ABI/testing/sysfs-kernel-iommu_groups
GROUPS = "/sys/kernel/iommu_groups/*/type"
# kernel/dma/swiotlb.c, swiotlb_create_debugfs_files
SLABS, SLABS_USED = (f"/sys/kernel/debug/swiotlb/io_tlb_{name}" for name in ("nslabs", "used"))


def read_iommu_evidence(lab: LabHandle) -> IommuEvidence:
    """What is on. Raises LabError, and MeasurementError where Xen's log does not tell."""
    deadline = lab.budget(READING_S)
    files = read_node_files(lab.shell(DOM0), [GROUPS, SLABS, SLABS_USED], [], deadline)
    lines = LineAssembler()
    console = [*lines.feed(lab.console_bytes(DOM0)), *lines.finish()]
    return parse_iommu_evidence(
        [line.text for line in console if line.writer is Writer.XEN], _of_dom0(files)
    )


def _of_dom0(files: NodeFiles) -> Dom0Iommus:
    return Dom0Iommus(
        groups=sum(path not in (SLABS, SLABS_USED) for path in files.files),
        swiotlb_slabs=files.number(SLABS),
        swiotlb_slabs_used=files.number(SLABS_USED),
    )
