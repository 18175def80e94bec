"""Kernels by themselves: one provided, whatever its way, and what the cache holds of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.entry import Entry
from xenlab.debian.supply import PackageSupply
from xenlab.images.inventory import Inventory, Listed
from xenlab.images.kernel_image import CONFIG, VMLINUX, find_obstacles_of
from xenlab.images.lab_images import KERNEL, ImageBuilder
from xenlab.kernel.built import KIND as BUILT_KERNEL
from xenlab.kernel.fragments import list_fragments
from xenlab.life.kernels import find_untested
from xenlab.plan.model import KernelPlan
from xenlab.registry.places import cache_dir
from xenlab.topology.kernel_words import KernelWords
from xenlab.topology.loading import load_topology
from xenlab.waiting import Deadline

# A whole kernel with KASAN and lockdep, emulated nowhere but compiled on two slow cores.
BUILD_BUDGET_S = 4 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelShown:
    """A kernel that is there: what it is, where, and for each part why it cannot play it."""

    label: str
    release: str
    build_id: str
    vmlinux: Path
    config: Path
    obstacles: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, entry: Entry) -> KernelShown:
        """The kernel of an entry."""
        return cls(
            label=entry.facts["label"],
            release=entry.facts["release"],
            build_id=entry.facts["build_id"],
            vmlinux=entry.path(VMLINUX),
            config=entry.path(CONFIG),
            obstacles=find_obstacles_of(entry),
        )


def provide_kernel(
    word: str, topology: str, *,
    report: Callable[[str], None], warn: Callable[[str], None], offline: bool,
) -> KernelShown:  # fmt: skip
    """The kernel that a word means among those of a topology: fetched, built, or found.

    `warn` is told of changes that are in no commit of its tree. Raises InputError for a word, patch
    or configuration that cannot be, and for what does not compile.
    """
    known = {kernel.name: kernel for kernel in load_topology(topology).kernels}
    spec = KernelWords(known=known, configs=list_fragments()).read(word)
    cache, deadline = cache_dir(), Deadline.after(BUILD_BUDGET_S)
    supply = PackageSupply(
        cache=cache, report=report, offline=offline, refresh=False, deadline=deadline
    )
    kernel = KernelPlan(name=spec.name, origin=spec.origin)
    for told in find_untested([kernel], deadline):
        warn(told)
    return KernelShown.of(ImageBuilder.on(cache, supply).provide_kernel(kernel))


def list_kernels(inventory: Inventory) -> Iterator[Listed]:
    """Every entry that is a kernel ready to boot, or one built here."""
    kinds = (KERNEL, BUILT_KERNEL)
    return (one for one in inventory.entries() if one.path.name.rpartition("-")[0] in kinds)
