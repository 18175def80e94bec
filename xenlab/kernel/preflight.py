"""Whether a kernel can do its part under Xen, told before anything boots."""

from __future__ import annotations

from collections.abc import Mapping

from xenlab.kernel.config import KernelConfig
from xenlab.kernel.notes import KernelNotes
from xenlab.plan.model import DOM0, DomUKind

# Each without which the domain, its control channel or its end of a vif cannot come up, or without
# which nothing that happens in it can be counted.
NEEDED_BY_ALL = (
    "BLK_DEV_INITRD",
    "DEVTMPFS",
    "HIST_TRIGGERS",
    "HVC_XEN",
    "KPROBE_EVENTS",
    "MODULES",
    "TMPFS",
    "UNIX",
    "XEN",
    "XENFS",
    "XEN_DEV_EVTCHN",
    "XEN_GNTDEV",
    "XEN_GRANT_DEV_ALLOC",
)
# The rings of vifs are told of in debugfs alone.
NEEDED_BY_BACKEND = ("BRIDGE", "DEBUG_FS", "XEN_NETDEV_BACKEND")
NEEDED_BY_DOM0 = (*NEEDED_BY_BACKEND, "VIRTIO_NET", "VIRTIO_PCI", "XEN_DOM0")
NEEDED_BY_DOMU = ("XEN_NETDEV_FRONTEND",)
NEEDED_BY_KIND = {
    DomUKind.PV: ("XEN_PV",),
    DomUKind.PVH: ("XEN_PVH",),
    DomUKind.HVM: ("XEN_PVHVM_GUEST",),
}

# A domU of either kind that is the backend of a network: a driver domain.
BACKEND = "backend"
# A dom0 that passes the machine's NIC through to one, and a domU that takes it.
NIC_GIVER, NIC_TAKER = "nic-giver", "nic-taker"
# The parts a kernel may be asked to play, and the symbols each needs.
NEEDED_BY_PART: Mapping[str, tuple[str, ...]] = {
    DOM0: (*NEEDED_BY_ALL, *NEEDED_BY_DOM0, *NEEDED_BY_KIND[DomUKind.PV]),
    BACKEND: NEEDED_BY_BACKEND,
    NIC_GIVER: ("XEN_PCIDEV_BACKEND",),
    NIC_TAKER: ("E1000E", "XEN_PCIDEV_FRONTEND"),
    **{kind: (*NEEDED_BY_ALL, *NEEDED_BY_DOMU, *needed) for kind, needed in NEEDED_BY_KIND.items()},
}


def find_obstacles(
    part: str, config: KernelConfig, notes: KernelNotes, *, is_bzimage: bool
) -> tuple[str, ...]:
    """All that keeps a kernel from playing a part: `dom0` with netback, or a domU of some kind.

    Or a part beside these. Firmware boots a bzImage, Xen the ELF.
    """
    lacking = tuple(f"lacks {symbol}" for symbol in config.missing(NEEDED_BY_PART[part]))
    if part in {BACKEND, NIC_GIVER, NIC_TAKER}:
        return lacking
    if part == DomUKind.HVM:
        return lacking if is_bzimage else (*lacking, "is an ELF, and firmware boots a bzImage")
    bootable = notes.can_boot_pvh if part == DomUKind.PVH else notes.can_boot_pv
    kind = DomUKind.PVH if part == DomUKind.PVH else DomUKind.PV
    entry = () if bootable else (f"no Xen ELF note with an entry point for {kind}",)
    return (*lacking, *entry)
