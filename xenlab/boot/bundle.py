"""The boot bundle: Xen, dom0's kernel and one initrd, laid out in a lab's boot directory."""

from __future__ import annotations

import gzip
import io
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from xenlab.boot.overlay import (
    kernel_path,
    ramdisk_path,
    render_dom0_files,
    render_domu_files,
    render_outside_files,
)
from xenlab.images.archive import render_tar
from xenlab.images.cpio import write_cpio
from xenlab.images.lab_images import LabImages
from xenlab.images.tree import File, FileTree, Folder
from xenlab.kernel.files import KernelFiles
from xenlab.plan.model import LabPlan
from xenlab.transport.keys import SshKeys

VMLINUX = "vmlinux"
PEER_RAMDISK = "peer.cpio"
GZIP_LEVEL = 6  # the highest takes 4.0 s for a root image, this one 1.3 s and gives 0.4 % more


def write_bundle(plan: LabPlan, images: LabImages, keys: SshKeys, directory: Path) -> None:
    """Write `xen`, `vmlinux` and `initrd.cpio`: all that the machine boots from.

    For an outside peer, which has dom0's kernel, its own `peer.cpio`: dom0's root and modules too.

    The initrd is the deterministic dom0 root, its modules, and an overlay with the keys of this
    lab, the domUs' kernels and ramdisks, and the files of the plan.
    """
    _provide_all({"xen": images.xen, VMLINUX: images.dom0_kernel.vmlinux}, directory)
    overlays = {"initrd.cpio": _dom0_overlay(plan, images, keys)}
    if plan.uplink:
        overlays[PEER_RAMDISK] = _overlay(keys, render_outside_files(plan))
    for name, overlay in overlays.items():
        with (directory / name).open("wb") as initrd:
            _append(initrd, images.root_dom0)
            _append(initrd, images.dom0_kernel.modules_dom0)
            write_cpio(overlay, initrd)
    for path in directory.iterdir():
        path.chmod(0o644)


def render_host_root(plan: LabPlan, images: LabImages, keys: SshKeys) -> bytes:
    """A tar archive of what dom0's initrd holds, for a root on a host that is there already."""
    overlay = io.BytesIO()
    tree = _dom0_overlay(plan, images, keys)
    bridges = "".join(f"{network.bridge}\n" for network in plan.networks)
    tree.add("xenlab/bridges", File(content=bridges.encode()))
    write_cpio(tree, overlay)
    parts = (images.root_dom0, images.dom0_kernel.modules_dom0)
    return render_tar(*(part.read_bytes() for part in parts), overlay.getvalue())


def write_restored(plan: LabPlan, images: LabImages, directory: Path) -> None:
    """Write `xen` alone, and the kernel of an outside peer: all that restored machines need."""
    peers = {VMLINUX: images.dom0_kernel.vmlinux} if plan.uplink else {}
    _provide_all({"xen": images.xen, **peers}, directory)


def _provide_all(sources: Mapping[str, Path], directory: Path) -> None:
    directory.mkdir(mode=0o711, exist_ok=True)
    for name, source in sources.items():
        _provide(source, directory / name)
        (directory / name).chmod(0o644)


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
    tree = _overlay(keys, render_dom0_files(plan))
    for name, firmware in sorted({(domu.kernel, domu.kind.has_firmware) for domu in plan.domus}):
        kernel = images.domu_kernels[name]
        image, ramdisk = kernel.image(firmware=firmware), _domu_ramdisk(plan, images, kernel, keys)
        if firmware:
            ramdisk = gzip.compress(ramdisk, GZIP_LEVEL, mtime=0)
        tree.add(kernel_path(name, firmware=firmware), File(content=image.read_bytes()))
        tree.add(ramdisk_path(name, firmware=firmware), File(content=ramdisk))
    return tree


def _domu_ramdisk(plan: LabPlan, images: LabImages, kernel: KernelFiles, keys: SshKeys) -> bytes:
    """One ramdisk for all domUs of a kernel: each finds its own files by its name."""
    overlay = io.BytesIO()
    write_cpio(_overlay(keys, render_domu_files(plan)), overlay)
    return images.root_domu.read_bytes() + kernel.modules_domu.read_bytes() + overlay.getvalue()


def _overlay(keys: SshKeys, files: Mapping[str, str]) -> FileTree:
    tree = FileTree()
    tree.add("root", Folder(mode=0o700))
    tree.add("root/.ssh", Folder(mode=0o700))
    public = keys.authorized_keys.read_bytes()
    tree.add("root/.ssh/authorized_keys", File(content=public))
    tree.add("xenlab/host_key", File(content=keys.host_key.read_bytes()))
    for path, text in files.items():
        tree.add(path, File(content=text.encode(), executable=text.startswith("#!")))
    return tree
