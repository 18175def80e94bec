"""Devices of the machine in QEMU's own words, where libvirt 9.0 has none: from the plan."""

from __future__ import annotations

import json
from pathlib import Path

from xenlab.plan.model import UPLINK, Dom0Kind, Iommu, LabPlan, MachinePlan, NicModel
from xenlab.plan.uplink import UPLINK_SLOT

# On pcie.0, above all that libvirt places there.
MANAGEMENT_PCI_ADDRESS = "0x1d"
MANAGEMENT_NETDEV = "user,id=management,restrict=on,hostfwd=tcp:127.0.0.1:{port}-:22"
UPLINK_DEVICES = {
    NicModel.E1000E: "e1000e",
    NicModel.VIRTIO: "virtio-net-pci",
    NicModel.VIRTIO_IOMMU: "virtio-net-pci,disable-legacy=on,iommu_platform=on",
}


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
    """All of amd-iommu; of intel-iommu its capability to pass DMA through.

    QEMU makes devices that are written as JSON behind all others, and libvirt writes its own so:
    another one that chooses its slot itself, as this one's PCI function does, would take theirs.
    """
    remaps = "on" if machine.interrupt_remapping else "off"
    if machine.iommu is Iommu.AMD:
        return ["-device", json.dumps({"driver": "amd-iommu", "intremap": remaps})]
    lacks_passthrough = machine.iommu is Iommu.INTEL and not machine.iommu_passthrough
    return ["-global", "intel-iommu.pt=off"] if lacks_passthrough else []


def render_uplink_arguments(plan: LabPlan, wire: Path) -> list[str]:
    """The NIC at dom0's end of the wire; nothing without one. The peer's QEMU listens already."""
    if plan.uplink is None:
        return []
    device = UPLINK_DEVICES[plan.uplink.model]
    return _render_wire(f"{device},mac={plan.uplink.mac}", wire, server="off")


def render_peer_arguments(mac: str, wire: Path) -> list[str]:
    """Both NICs of the outside peer: for control, and at its end of the wire."""
    nic = f"virtio-net-pci,netdev=management,romfile=,bus=pcie.0,addr={MANAGEMENT_PCI_ADDRESS}"
    control = ["-netdev", MANAGEMENT_NETDEV.format(port=0), "-device", nic]
    return control + _render_wire(f"virtio-net-pci,mac={mac}", wire, server="on")


def _render_wire(device: str, wire: Path, *, server: str) -> list[str]:
    """One end of the wire: a stream between two QEMUs.

    It keeps the order of frames and makes a sender wait, as no datagram socket does: what is lost
    on such a wire was lost by a device.
    """
    netdev = f"stream,id={UPLINK},server={server},addr.type=unix,addr.path={wire}"
    place = f"romfile=,bus=pcie.0,addr={UPLINK_SLOT:#x}"
    return ["-netdev", netdev, "-device", f"{device},netdev={UPLINK},{place}"]
