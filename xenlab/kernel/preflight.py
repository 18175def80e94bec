"""Whether a kernel can do its part under Xen, told before anything boots."""

from __future__ import annotations

from xenlab.errors import InputError
from xenlab.kernel.config import KernelConfig
from xenlab.kernel.files import KernelFiles
from xenlab.kernel.notes import read_notes
from xenlab.plan.model import DomUKind

# Each without which the domain, its control channel or its end of a vif cannot come up.
NEEDED_BY_ALL = (
    "BLK_DEV_INITRD",
    "DEVTMPFS",
    "HVC_XEN",
    "MODULES",
    "TMPFS",
    "UNIX",
    "XEN",
    "XENFS",
    "XEN_DEV_EVTCHN",
    "XEN_GNTDEV",
    "XEN_GRANT_DEV_ALLOC",
)
NEEDED_BY_DOM0 = ("BRIDGE", "VIRTIO_NET", "VIRTIO_PCI", "XEN_DOM0", "XEN_NETDEV_BACKEND")
NEEDED_BY_DOMU = ("XEN_NETDEV_FRONTEND",)
NEEDED_BY_KIND = {DomUKind.PV: ("XEN_PV",), DomUKind.PVH: ("XEN_PVH",)}


def check_can_be_dom0(kernel: KernelFiles, kind: DomUKind = DomUKind.PV) -> None:
    """Raise InputError naming all that keeps this kernel from being a dom0 with netback."""
    _check(kernel, kind, (*NEEDED_BY_ALL, *NEEDED_BY_DOM0))


def check_can_be_domu(kernel: KernelFiles, kind: DomUKind = DomUKind.PV) -> None:
    """Raise InputError naming all that keeps this kernel from being a domU with netfront."""
    _check(kernel, kind, (*NEEDED_BY_ALL, *NEEDED_BY_DOMU))


def _check(kernel: KernelFiles, kind: DomUKind, symbols: tuple[str, ...]) -> None:
    config = KernelConfig.parse(kernel.config.read_text(encoding="utf-8"))
    problems = [
        f"{kernel.config}: kernel {kernel.release} lacks {symbol}"
        for symbol in config.missing((*symbols, *NEEDED_BY_KIND[kind]))
    ]
    notes = read_notes(kernel.vmlinux)
    bootable = notes.can_boot_pv if kind is DomUKind.PV else notes.can_boot_pvh
    if not bootable:
        problems.append(f"{kernel.vmlinux}: no Xen ELF note with an entry point for {kind}")
    if problems:
        raise InputError(*problems)
