"""Xen itself: the hypervisor ELF that QEMU boots, from its Debian package."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from xenlab.debian.package import DebPackage
from xenlab.debian.supply import PackageSupply, Request
from xenlab.errors import LabError
from xenlab.images.deb import unpack_deb
from xenlab.images.tree import FileTree
from xenlab.waiting import Deadline

XEN = "xen"

META_PACKAGE = "xen-system-amd64"
PREFIX, SUFFIX = "xen-hypervisor-", "-amd64"

# The meta package wants the toolstack too, which is the root images' business, not Xen's.
WITHOUT = ("python3", "perl", "debconf", "adduser", "udev", "ucf", "init-system-helpers")


@dataclass(frozen=True, slots=True, kw_only=True)
class XenChoice:
    """The hypervisor's package and its version series, such as 4.17."""

    package: DebPackage
    series: str


def choose_xen(supply: PackageSupply, suite: str, version: str | None) -> XenChoice:
    """Xen in a suite: the series asked for, or the one that the suite's meta package names."""
    asked = META_PACKAGE if version is None else f"{PREFIX}{version}{SUFFIX}"
    packages = supply.resolve(Request(suite=suite, packages=(asked,), without=WITHOUT))
    for package in packages:
        series = package.name.removeprefix(PREFIX).removesuffix(SUFFIX)
        if package.name == f"{PREFIX}{series}{SUFFIX}":
            return XenChoice(package=package, series=series)
    raise LabError(f"{suite}: {asked} leads to no hypervisor", phase="build")


def unpack_xen(deb: Path, deadline: Deadline) -> bytes:
    """The hypervisor as an ELF: QEMU's multiboot loader does not unpack gzip."""
    tree = FileTree()
    unpack_deb(deb, tree, is_hypervisor, deadline=deadline)
    if len(tree.files()) != 1:
        found = ", ".join(path for path, _file in tree.files()) or "none"
        raise LabError(f"{deb.name}: one hypervisor expected, found {found}", phase="build")
    ((path, packed),) = tree.files()
    try:
        return gzip.decompress(packed.content)
    except (OSError, EOFError, zlib.error) as error:
        raise LabError(f"{deb.name}: {path} is damaged: {error}", phase="build") from error


def is_hypervisor(path: str) -> bool:
    """Whether a file of the package is the hypervisor: boot/xen-<version>-amd64.gz."""
    return path.startswith("boot/xen-") and path.endswith(".gz")
