"""Matrices: the topologies that a suite goes through by itself, each in a lab of its own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One set-up: a ready topology, or why there is none."""

    name: str
    topology: str = ""
    why_not: str = ""


IOMMU_CELLS = (
    Cell(name="I0", topology="uplink"),
    *(Cell(name=f"I{number}", topology=f"iommu-i{number}") for number in range(1, 9)),
    Cell(name="I9", why_not="virtio-iommu is not usable: Xen has no driver"),
)

# Without an IOMMU, through one that is as strict as can be, and where dom0's memory is translated:
# there by virtio, for QEMU's e1000e loses what lies in more pages than one.
ADJACENT_CELLS = (
    *(cell for cell in IOMMU_CELLS if cell.name in {"I0", "I2"}),
    Cell(name="I4-virtio", topology="iommu-i4-virtio"),
)

MODE_CELLS = (
    Cell(name="pv", topology="pair"),
    Cell(name="pvh", topology="pair-pvh"),
    Cell(name="queues-1-2", topology="queues-1-2"),
    Cell(name="queues-3-4", topology="queues-3-4"),
    Cell(name="untrusted", topology="untrusted"),
    Cell(name="dom0-pvh", topology="pair-dom0-pvh"),
    Cell(name="pvshim", topology="pair-pvshim"),
    Cell(name="hvm", topology="pair-hvm"),
)
