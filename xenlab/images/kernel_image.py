"""A kernel ready to boot: the ELF, its configuration and its modules as cpios."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from xenlab.cache.disk import require_room
from xenlab.cache.entry import Entry
from xenlab.images.cpio import write_cpio
from xenlab.images.manifest import Modules, Role
from xenlab.images.tree import File, FileTree, merged_path
from xenlab.kernel.bzimage import extract_vmlinux, is_bzimage
from xenlab.kernel.config import KernelConfig
from xenlab.kernel.files import KernelFiles
from xenlab.kernel.modules import Module, ModuleFolder, run_depmod
from xenlab.kernel.notes import read_notes
from xenlab.kernel.preflight import NEEDED_BY_KIND, NEEDED_BY_PART, find_obstacles
from xenlab.kernel.provider import KernelProvider
from xenlab.kernel.skb_users import skb_users_path
from xenlab.kernel.trimming import trim_elf
from xenlab.kernel.unpacked import UnpackedKernel
from xenlab.plan.model import DOM0
from xenlab.waiting import Deadline

# The entry made of Debian's Linux 6.1 takes 80 MB, and the modules staged for it once more.
ENTRY_BYTES = 200_000_000

VMLINUX = "vmlinux"
BZIMAGE = "bzimage"
CONFIG = "config"

# What a kernel whose modules are those of a role may be asked to be.
PARTS: Mapping[Role, tuple[str, ...]] = {Role.DOM0: (DOM0,), Role.DOMU: tuple(NEEDED_BY_KIND)}

# Read by depmod alone.
DEPMOD_INPUTS = ("modules.builtin.modinfo", "modules.order")


def build_kernel(
    kernel: UnpackedKernel, modules: Mapping[Role, Modules], part: Path, deadline: Deadline
) -> dict[str, str]:
    """Fill an entry with images, config and a modules cpio a role; return what is to be known.

    That is release, build id and, for each part that the kernel cannot play, why; a role without
    all its modules gets no cpio. Raises InputError for what is no whole kernel for x86-64.
    """
    require_room(part, ENTRY_BYTES)
    build_id, obstacles = _write_kernel(kernel, part, deadline)
    folder = ModuleFolder(folder=kernel.modules, deadline=deadline)
    with tempfile.TemporaryDirectory(prefix="staged-", dir=part) as scratch:
        for role, wanted in modules.items():
            missing = folder.missing(wanted.required)
            if missing:
                for name in PARTS[role]:
                    obstacles[name] += (f"has no module {', '.join(missing)}",)
                continue
            chosen = folder.select(wanted.required, wanted.if_present)
            tree = stage_modules(chosen, folder, Path(scratch) / role, deadline)
            if kernel.skb_users:
                tree.add(skb_users_path(kernel.release), File(content=kernel.skb_users.encode()))
            with modules_path(part, role).open("wb") as file:
                write_cpio(tree, file)
    facts = {"release": kernel.release, "build_id": build_id}
    return facts | {_obstacles_key(name): "\n".join(why) for name, why in obstacles.items() if why}


def _write_kernel(
    kernel: UnpackedKernel, part: Path, deadline: Deadline
) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Write images and config; return the build id, and what keeps it from which part."""
    image = kernel.image.read_bytes()
    vmlinux = extract_vmlinux(image, kernel.name, deadline)
    notes = read_notes(vmlinux, kernel.name)
    if packed := is_bzimage(image):
        (part / BZIMAGE).write_bytes(image)
    (part / VMLINUX).write_bytes(trim_elf(vmlinux, kernel.name))
    (part / CONFIG).write_text(kernel.config, encoding="utf-8")
    config = KernelConfig.parse(kernel.config)
    obstacles = {
        what: find_obstacles(what, config, notes, is_bzimage=packed) for what in NEEDED_BY_PART
    }
    return notes.build_id, obstacles


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
    release, obstacles = entry.facts["release"], find_obstacles_of(entry)
    return tuple(
        f"Linux {release} cannot be {part}: {obstacle}"
        for part in parts
        for obstacle in obstacles[part]
    )


def find_obstacles_of(entry: Entry) -> dict[str, tuple[str, ...]]:
    """For each part of a lab what keeps a kernel from it: nothing if it can play the part."""
    return {
        part: tuple(entry.facts.get(_obstacles_key(part), "").splitlines())
        for part in NEEDED_BY_PART
    }


def _obstacles_key(part: str) -> str:
    return f"not-{part}"


def kernel_files(entry: Entry, provider: KernelProvider) -> KernelFiles:
    """The files of a kernel's entry, and what debug info its provider has of it."""
    packed = entry.folder / BZIMAGE
    return KernelFiles(
        release=entry.facts["release"],
        vmlinux=entry.path(VMLINUX),
        bzimage=packed if BZIMAGE in entry.sha256 else None,
        config=entry.path(CONFIG),
        modules_dom0=modules_path(entry.folder, Role.DOM0),
        modules_domu=modules_path(entry.folder, Role.DOMU),
        build_id=entry.facts["build_id"],
        debug_files=tuple(provider.find_debug_files(entry.facts["build_id"]).items()),
    )
