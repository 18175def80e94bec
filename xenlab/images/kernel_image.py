"""A kernel from Debian packages: the ELF, its configuration and its modules as cpios."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.disk import require_room
from xenlab.cache.entry import Entry
from xenlab.debian.unpacking import unpack_debs
from xenlab.errors import InputError
from xenlab.images.cpio import write_cpio
from xenlab.images.manifest import Modules, Role
from xenlab.images.tree import File, FileTree, merged_path
from xenlab.kernel.bzimage import extract_vmlinux
from xenlab.kernel.files import KernelFiles
from xenlab.kernel.modules import Module, ModuleFolder, run_depmod
from xenlab.kernel.notes import read_notes
from xenlab.kernel.trimming import trim_elf
from xenlab.waiting import Deadline

# A whole kernel package unpacked, and the entry made of it; Linux 6.1 takes 405 and 80 MB.
UNPACKED_BYTES = 600_000_000

VMLINUX = "vmlinux"
CONFIG = "config"

# Read by depmod alone.
DEPMOD_INPUTS = ("modules.builtin.modinfo", "modules.order")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnpackedKernel:
    """Where the parts of a kernel lie in an unpacked package."""

    release: str
    image: Path
    config: Path
    modules: Path


def build_kernel(
    debs: Iterable[Path], modules: Mapping[Role, Modules], part: Path, deadline: Deadline
) -> dict[str, str]:
    """Fill an entry with vmlinux, config and a modules cpio a role; return release and build id."""
    require_room(part, UNPACKED_BYTES)
    with tempfile.TemporaryDirectory(prefix="unpacked-", dir=part) as scratch:
        root = Path(scratch)
        unpack_debs(debs, root, deadline)
        kernel = find_kernel(root)
        name = kernel.image.relative_to(root).as_posix()
        vmlinux = part / VMLINUX
        vmlinux.write_bytes(trim_elf(extract_vmlinux(kernel.image.read_bytes(), name, deadline)))
        (part / CONFIG).write_bytes(kernel.config.read_bytes())
        folder = ModuleFolder(folder=kernel.modules, deadline=deadline)
        for role, wanted in modules.items():
            chosen = folder.select(wanted.required, wanted.if_present)
            staged = root / "staged" / role
            tree = stage_modules(chosen, folder, staged, deadline)
            with modules_path(part, role).open("wb") as file:
                write_cpio(tree, file)
    return {"release": kernel.release, "build_id": read_notes(vmlinux).build_id}


def find_kernel(root: Path) -> UnpackedKernel:
    """The one kernel below a folder, in any of the layouts that Debian has had.

    Up to Linux 6.12 the image and the configuration are in boot/, later in the modules folder.
    Raises InputError unless there is exactly one with image, configuration and modules.
    """
    folders = [*root.glob("lib/modules/*"), *root.glob("usr/lib/modules/*")]
    found = [
        UnpackedKernel(release=modules.name, image=image, config=config, modules=modules)
        for modules in folders
        for image, config in (
            (root / f"boot/vmlinuz-{modules.name}", root / f"boot/config-{modules.name}"),
            (modules / "vmlinuz", modules / "config"),
        )
        if image.exists() and config.exists()
    ]
    if len(found) != 1:
        releases = ", ".join(kernel.release for kernel in found) or "none"
        raise InputError(f"the packages should hold one kernel, they hold {releases}")
    return found[0]


def stage_modules(
    modules: Iterable[Module], source: ModuleFolder, root: Path, deadline: Deadline
) -> FileTree:
    """The modules as a tree below usr/lib/modules, with the indexes that modprobe reads.

    They are laid out below `root`, which must not exist yet, for depmod to read.
    """
    staged = root / "lib/modules" / source.release
    for name, content in (
        *source.index_files().items(),
        *((module.path, module.content) for module in modules),
    ):
        path = staged / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    run_depmod(root, source.release, deadline)
    tree = FileTree()
    for path in staged.rglob("*"):
        if path.is_file() and path.name not in DEPMOD_INPUTS:
            name = path.relative_to(root).as_posix()
            tree.add(merged_path(name), File(content=path.read_bytes()))
    return tree


def modules_path(folder: Path, role: Role) -> Path:
    """Where the modules cpio of a role lies in an entry."""
    return folder / f"modules-{role}.cpio"


def kernel_files(entry: Entry) -> KernelFiles:
    """The files of a kernel's entry."""
    return KernelFiles(
        release=entry.facts["release"],
        vmlinux=entry.path(VMLINUX),
        config=entry.path(CONFIG),
        modules_dom0=modules_path(entry.folder, Role.DOM0),
        modules_domu=modules_path(entry.folder, Role.DOMU),
        build_id=entry.facts["build_id"],
    )
