"""The boot bundle: Xen, dom0's kernel and one initrd, laid out in a lab's boot directory."""

from __future__ import annotations

import io
import os
import shutil
from contextlib import suppress
from pathlib import Path

from xenlab.boot.network_files import (
    render_dom0_batch,
    render_domu_batch,
    render_feature_table,
    render_vif_table,
)
from xenlab.boot.xl_config import render_xl_config
from xenlab.images.cpio import write_cpio
from xenlab.images.lab_images import LabImages
from xenlab.images.tree import File, FileTree, Folder
from xenlab.kernel.files import KernelFiles
from xenlab.plan.model import LabPlan
from xenlab.transport.keys import SshKeys

MANAGEMENT_DEVICE = "eth0"  # dom0's only NIC before netback is loaded
MANAGEMENT_ADDRESS = "10.0.2.15/24"  # QEMU's user network forwards to it


def write_bundle(plan: LabPlan, images: LabImages, keys: SshKeys, directory: Path) -> None:
    """Write `xen`, `vmlinux` and `initrd.cpio`: all that the machine boots from.

    The initrd is the deterministic dom0 root, its modules, and an overlay with the keys of this
    lab, the domUs' kernels and ramdisks, and the files of the plan.
    """
    write_xen(images, directory)
    _provide(images.dom0_kernel.vmlinux, directory / "vmlinux")
    with (directory / "initrd.cpio").open("wb") as initrd:
        _append(initrd, images.root_dom0)
        _append(initrd, images.dom0_kernel.modules_dom0)
        write_cpio(_dom0_overlay(plan, images, keys), initrd)
    for path in directory.iterdir():
        path.chmod(0o644)


def write_xen(images: LabImages, directory: Path) -> None:
    """Write `xen` alone: all that a restored machine needs."""
    directory.mkdir(mode=0o711, exist_ok=True)
    _provide(images.xen, directory / "xen")
    (directory / "xen").chmod(0o644)


def _provide(source: Path, target: Path) -> None:
    """Make a cached file appear in the boot directory, without a copy where links are allowed."""
    with suppress(OSError):
        os.link(source, target)
        return
    shutil.copyfile(source, target)


def _append(target: io.BufferedWriter, source: Path) -> None:
    with source.open("rb") as file:
        shutil.copyfileobj(file, target, 1 << 20)


def _dom0_overlay(plan: LabPlan, images: LabImages, keys: SshKeys) -> FileTree:
    tree = _keys_tree(keys)
    management = {
        "MANAGEMENT_DEVICE": MANAGEMENT_DEVICE,
        "MANAGEMENT_ADDRESS": MANAGEMENT_ADDRESS,
        "FORWARDING": str(int(plan.dom0.forwarding)),
    }
    text = "".join(f"{name}={value}\n" for name, value in management.items())
    _add_text(tree, "xenlab/management", text)
    _add_text(tree, "xenlab/bridges.ip", render_dom0_batch(plan))
    for name in sorted({domu.kernel for domu in plan.domus}):
        kernel = images.domu_kernels[name]
        tree.add(f"xenlab/kernels/{name}.vmlinux", File(content=kernel.vmlinux.read_bytes()))
        ramdisk = _domu_ramdisk(plan, images, kernel, keys)
        tree.add(f"xenlab/kernels/{name}.cpio", File(content=ramdisk))
    for domu in plan.domus:
        path = f"/xenlab/kernels/{domu.kernel}"
        config = render_xl_config(domu, kernel=f"{path}.vmlinux", ramdisk=f"{path}.cpio")
        _add_text(tree, f"xenlab/domus/{domu.name}.cfg", config)
        _add_text(tree, f"xenlab/vifs/{domu.name}", render_vif_table(domu, plan))
    return tree


def _domu_ramdisk(plan: LabPlan, images: LabImages, kernel: KernelFiles, keys: SshKeys) -> bytes:
    """One ramdisk for all domUs of a kernel: each finds its own files by its name."""
    tree = _keys_tree(keys)
    for domu in plan.domus:
        node = f"xenlab/nodes/{domu.name}"
        _add_text(tree, f"{node}.vifs", render_vif_table(domu, plan))
        _add_text(tree, f"{node}.ip", render_domu_batch(plan, domu))
        _add_text(tree, f"{node}.features", render_feature_table(domu))
    overlay = io.BytesIO()
    write_cpio(tree, overlay)
    return images.root_domu.read_bytes() + kernel.modules_domu.read_bytes() + overlay.getvalue()


def _keys_tree(keys: SshKeys) -> FileTree:
    tree = FileTree()
    tree.add("root", Folder(mode=0o700))
    tree.add("root/.ssh", Folder(mode=0o700))
    _add_text(tree, "root/.ssh/authorized_keys", keys.authorized_keys.read_text())
    tree.add("xenlab/host_key", File(content=keys.host_key.read_bytes()))
    return tree


def _add_text(tree: FileTree, path: str, text: str) -> None:
    tree.add(path, File(content=text.encode()))
