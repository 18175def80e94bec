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
from xenlab.kernel.config import KernelConfig
from xenlab.kernel.files import KernelFiles
from xenlab.kernel.modules import Module, ModuleFolder, run_depmod
from xenlab.kernel.notes import read_notes
from xenlab.kernel.preflight import NEEDED_BY_PART, find_obstacles
from xenlab.kernel.trimming import trim_elf
from xenlab.plan.model import DOM0, DomUKind
from xenlab.waiting import Deadline

# A whole kernel package unpacked, and the entry made of it; Linux 6.1 takes 405 and 80 MB.
UNPACKED_BYTES = 600_000_000

VMLINUX = "vmlinux"
CONFIG = "config"

# What a kernel whose modules are those of a role may be asked to be.
PARTS: Mapping[Role, tuple[str, ...]] = {Role.DOM0: (DOM0,), Role.DOMU: tuple(DomUKind)}

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
    """Fill an entry with vmlinux, config and a modules cpio a role; return what is to be known.

    That is release, build id and, for each part that the kernel cannot play, why; a role without
    all its modules gets no cpio. Raises InputError for what is no whole kernel for x86-64.
    """
    require_room(part, UNPACKED_BYTES)
    with tempfile.TemporaryDirectory(prefix="unpacked-", dir=part) as scratch:
        root = Path(scratch)
        unpack_debs(debs, root, deadline)
        kernel = find_kernel(root)
        build_id, obstacles = _write_kernel(kernel, root, part, deadline)
        folder = ModuleFolder(folder=kernel.modules, deadline=deadline)
        for role, wanted in modules.items():
            missing = folder.missing(wanted.required)
            if missing:
                for name in PARTS[role]:
                    obstacles[name] += (f"has no module {', '.join(missing)}",)
                continue
            chosen = folder.select(wanted.required, wanted.if_present)
            staged = root / "staged" / role
            tree = stage_modules(chosen, folder, staged, deadline)
            with modules_path(part, role).open("wb") as file:
                write_cpio(tree, file)
    facts = {"release": kernel.release, "build_id": build_id}
    return facts | {_obstacles_key(name): "\n".join(why) for name, why in obstacles.items() if why}


def _write_kernel(
    kernel: UnpackedKernel, root: Path, part: Path, deadline: Deadline
) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Write vmlinux and config; return the build id, and what keeps it from which part."""
    name = kernel.image.relative_to(root).as_posix()
    vmlinux = extract_vmlinux(kernel.image.read_bytes(), name, deadline)
    notes = read_notes(vmlinux, name)
    (part / VMLINUX).write_bytes(trim_elf(vmlinux, name))
    text = kernel.config.read_text(encoding="utf-8")
    (part / CONFIG).write_text(text, encoding="utf-8")
    config = KernelConfig.parse(text)
    return notes.build_id, {what: find_obstacles(what, config, notes) for what in NEEDED_BY_PART}


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


def find_problems(entry: Entry, parts: Iterable[str]) -> tuple[str, ...]:
    """All that keeps a kernel from the parts that a plan gives it; found when it was unpacked."""
    release = entry.facts["release"]
    return tuple(
        f"Linux {release} cannot be {part}: {obstacle}"
        for part in parts
        for obstacle in entry.facts.get(_obstacles_key(part), "").splitlines()
    )


def _obstacles_key(part: str) -> str:
    return f"not-{part}"


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
