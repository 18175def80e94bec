"""The set-ups of an IOMMU that `xenlab test iommu` goes through, by their topologies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class IommuCell:
    """One set-up: a ready topology, or why there is none."""

    name: str
    topology: str = ""
    why_not: str = ""


IOMMU_CELLS = (
    IommuCell(name="I0", topology="uplink"),
    *(IommuCell(name=f"I{number}", topology=f"iommu-i{number}") for number in range(1, 7)),
    IommuCell(
        name="I7",
        why_not="netback in a driver domain with a NIC of its own: no topology can say that yet",
    ),
    IommuCell(name="I8", topology="iommu-i8"),
    IommuCell(name="I9", why_not="virtio-iommu is not usable: Xen has no driver"),
)
