"""The files of a plan that ride in the initrds: text, from the plan alone."""

from __future__ import annotations

from collections.abc import Mapping

from xenlab.boot.network_files import (
    render_bridge_batch,
    render_domu_batch,
    render_feature_table,
    render_vif_table,
)
from xenlab.boot.uplink_files import (
    render_peer_files,
    render_plain_files,
    render_uplink_files,
)
from xenlab.boot.xl_config import render_xl_config
from xenlab.plan.model import DOM0, DomUPlan, LabPlan
from xenlab.plan.uplink import UPLINK_PCI

MANAGEMENT_DEVICE = "eth0"  # dom0's only NIC before netback is loaded
MANAGEMENT_ADDRESS = "10.0.2.15/24"  # QEMU's user network forwards to it
MANAGEMENT = {"MANAGEMENT_DEVICE": MANAGEMENT_DEVICE, "MANAGEMENT_ADDRESS": MANAGEMENT_ADDRESS}


def kernel_path(kernel: str, *, firmware: bool) -> str:
    """Where a domU kernel lies in dom0: a bzImage for firmware, else an ELF."""
    return f"xenlab/kernels/{kernel}.{'bzimage' if firmware else 'vmlinux'}"


def ramdisk_path(kernel: str, *, firmware: bool) -> str:
    """Where the ramdisk of domUs with a kernel lies in dom0; firmware gets it packed.

    Firmware reads each byte of it through a port of QEMU's: that takes longer than to unpack it.
    """
    return f"xenlab/kernels/{kernel}.{'cpio.gz' if firmware else 'cpio'}"


def render_dom0_files(plan: LabPlan) -> Mapping[str, str]:
    """Path from dom0's root to text: control, bridges, and for each domU its xl.cfg and vifs.

    Without Xen: what makes a Linux alone of it.
    """
    if plan.uplink and not plan.xen.boot:
        return render_plain_files(plan, plan.uplink, MANAGEMENT)
    management = {
        **MANAGEMENT,
        "FORWARDING": str(int(plan.dom0.forwarding)),
        "KEEP_KERNELS": str(int(bool(plan.backends))),
    }
    files = {
        "xenlab/management": "".join(f"{name}={value}\n" for name, value in management.items()),
        "xenlab/bridges.ip": render_bridge_batch(plan, DOM0),
    }
    for domu in plan.domus:
        firmware = domu.kind.has_firmware
        files[f"xenlab/domus/{domu.name}.cfg"] = render_xl_config(
            domu,
            kernel=f"/{kernel_path(domu.kernel, firmware=firmware)}",
            ramdisk=f"/{ramdisk_path(domu.kernel, firmware=firmware)}",
            driver_domain=domu.name in plan.backends,
            pci=UPLINK_PCI if domu.name == plan.nic_domu else "",
        )
        files[f"xenlab/vifs/{domu.name}"] = render_vif_table(domu, plan)
    return files if plan.nic_domu else {**files, **render_uplink_files(plan)}


def render_outside_files(plan: LabPlan) -> Mapping[str, str]:
    """Path from the outside peer's root to text; nothing without one."""
    return render_peer_files(plan, plan.uplink, MANAGEMENT) if plan.uplink else {}


def render_domu_files(plan: LabPlan) -> Mapping[str, str]:
    """Path from a domU's root to text; the same for all domUs, each reads those of its name."""
    files: dict[str, str] = {}
    for domu in plan.domus:
        files.update(_render_node_files(plan, domu))
    return {**files, **render_uplink_files(plan)} if plan.nic_domu else files


def _render_node_files(plan: LabPlan, domu: DomUPlan) -> Mapping[str, str]:
    node = f"xenlab/nodes/{domu.name}"
    bridges = render_bridge_batch(plan, domu.name)
    return {
        **({f"{node}.bridges": bridges} if bridges else {}),
        **({f"{node}.forwarding": ""} if domu.forwarding else {}),
        f"{node}.vifs": render_vif_table(domu, plan),
        f"{node}.ip": render_domu_batch(plan, domu),
        f"{node}.features": render_feature_table(domu),
    }
