"""LabImages: all that a lab boots, built or taken from the store."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from xenlab.cache.disk import require_room
from xenlab.cache.entry import Entry, Recipe
from xenlab.cache.store import EntryStore
from xenlab.debian.supply import PackageSupply, Request
from xenlab.errors import InputError
from xenlab.images.cpio import write_cpio
from xenlab.images.deb import EXECUTE_BY_OWNER
from xenlab.images.kernel_image import build_kernel, find_problems, kernel_files
from xenlab.images.manifest import Manifest, Role, read_manifest
from xenlab.images.root_image import build_root
from xenlab.images.tools import compile_tools, tool_files, tools_request
from xenlab.images.xen_image import XEN, choose_xen, unpack_xen
from xenlab.kernel.choice import KernelShop
from xenlab.kernel.files import KernelFiles
from xenlab.kernel.packages import package_inputs
from xenlab.kernel.preflight import BACKEND, NEEDED_BY_PART, NIC_GIVER, NIC_TAKER
from xenlab.kernel.provider import KernelProvider
from xenlab.plan.kernels import kernel_of
from xenlab.plan.model import DOM0, Dom0Kind, DomUKind, KernelPlan, LabPlan, XenPlan
from xenlab.waiting import Deadline

# Goes up when the same inputs would give other bytes than before.
BUILDER_VERSION = 4

KERNEL = "kernel"
TOOLS = "tools"
ROOT_FILE = "root.cpio"
ROOT_BYTES = 60_000_000  # about twice the larger one


@dataclass(frozen=True, slots=True, kw_only=True)
class LabImages:
    """Paths of everything a lab boots; `digest` changes when any byte of them does."""

    xen: Path
    root_dom0: Path
    root_domu: Path
    dom0_kernel: KernelFiles
    domu_kernels: Mapping[str, KernelFiles]
    digest: str

    def kernel_of(self, plan: LabPlan, node: str) -> KernelFiles:
        """What dom0, a domU, or the outside peer boots."""
        name = kernel_of(plan, node).name
        return self.dom0_kernel if name == plan.dom0.kernel else self.domu_kernels[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageBuilder:
    """Makes each part of a lab's images, once."""

    supply: PackageSupply
    store: EntryStore
    manifests: Mapping[Role, Manifest]
    shop: KernelShop

    @classmethod
    def on(cls, cache: Path, supply: PackageSupply) -> ImageBuilder:
        """A builder on this cache, with what the supply brings."""
        store = EntryStore(
            folder=cache / "images",
            report=supply.report,
            offline=supply.offline,
            deadline=supply.deadline,
        )
        return cls(
            supply=supply,
            store=store,
            manifests={role: read_manifest(role) for role in Role},
            shop=KernelShop(supply=supply, store=store, cache=cache),
        )

    def provide_xen(self, xen: XenPlan) -> Entry:
        """The hypervisor's entry."""
        choice = choose_xen(self.supply, xen.suite, xen.version)
        recipe = Recipe(kind=XEN, inputs=package_inputs((choice.package,)))

        def build(part: Path) -> dict[str, str]:
            (deb,) = self.supply.fetch(xen.suite, (choice.package,))
            (part / XEN).write_bytes(unpack_xen(deb, self.supply.deadline))
            return {"series": choice.series, "version": choice.package.version}

        return self.store.provide(recipe, build)

    def provide_root(self, role: Role, xen: XenPlan, kinds: Collection[DomUKind] = ()) -> Entry:
        """The entry of a root image for domUs of these kinds.

        Its userland is of Xen's suite, as libraries go with Xen.
        """
        manifest = self.manifests[role].for_kinds(kinds)
        series = choose_xen(self.supply, xen.suite, xen.version).series
        request = Request(
            suite=xen.suite, packages=manifest.package_names(series), without=manifest.without
        )
        packages = self.supply.resolve(request)
        tools = self.provide_tools(xen.suite)
        inputs = {
            **package_inputs(packages),
            "manifest": asdict(manifest),
            "rootfs": [_file_inputs(folder.rglob("*")) for folder in role.rootfs_folders],
            "tools": {name: tools.sha256[name] for name in manifest.tools},
        }

        def build(part: Path) -> dict[str, str]:
            debs = self.supply.fetch(xen.suite, packages)
            self.supply.report(f"building the root image of {role}")
            require_room(part, ROOT_BYTES)
            tree = build_root(
                manifest,
                debs,
                role.rootfs_folders,
                [tools.path(name) for name in manifest.tools],
                part,
                self.supply.deadline,
            )
            with (part / ROOT_FILE).open("wb") as file:
                write_cpio(tree, file)
            return {"files": str(len(tree.nodes))}

        return self.store.provide(Recipe(kind=f"root-{role}", inputs=inputs), build)

    def provide_tools(self, suite: str) -> Entry:
        """The entry of our own C programs, compiled against a suite's libraries."""
        packages = self.supply.resolve(tools_request(suite))
        names = sorted({name for manifest in self.manifests.values() for name in manifest.tools})
        sources = {name: _file_inputs(tool_files(name)) for name in names}
        recipe = Recipe(kind=TOOLS, inputs={**package_inputs(packages), "sources": sources})

        def build(part: Path) -> dict[str, str]:
            debs = self.supply.fetch(suite, packages)
            self.supply.report(f"compiling {', '.join(names)}")
            compile_tools(names, debs, part, self.supply.deadline)
            return {}

        return self.store.provide(recipe, build)

    def provide_kernel(self, kernel: KernelPlan) -> Entry:
        """A kernel's entry; it has no role in it, so that one serves dom0 and domUs."""
        return self.provide_kernel_of(self.shop.provider(kernel))

    def provide_kernel_of(self, provider: KernelProvider) -> Entry:
        """The entry of the kernel that a provider gives."""
        modules = {role: manifest.modules for role, manifest in self.manifests.items()}
        wanted = {str(role): asdict(of_role) for role, of_role in modules.items()}
        inputs = {
            "builder": BUILDER_VERSION,
            **provider.inputs,
            "modules": wanted,
            "needed": {part: list(symbols) for part, symbols in NEEDED_BY_PART.items()},
        }
        recipe = Recipe(kind=KERNEL, inputs=inputs)

        def build(part: Path) -> dict[str, str]:
            with tempfile.TemporaryDirectory(prefix="unpacked-", dir=part) as scratch:
                unpacked = provider.unpack(Path(scratch))
                facts = build_kernel(unpacked, modules, part, self.supply.deadline)
            return {**facts, "label": provider.label}

        return self.store.provide(recipe, build)


def provide_images(
    plan: LabPlan,
    cache: Path,
    *,
    report: Callable[[str], None],
    offline: bool,
    deadline: Deadline,
    refresh: bool = False,
) -> LabImages:
    """All that a plan boots, from the cache if it is there, built from Debian packages if not.

    `refresh` asks the archives anew instead of taking what was resolved before; `offline` never
    touches the network. Raises InputError for what Debian does not have and for a kernel that
    cannot be what the plan makes it, Unavailable for what this host lacks, LabError for a full
    disk, ChecksumMismatch for damage found while offline.
    """
    supply = PackageSupply(
        cache=cache, report=report, offline=offline, refresh=refresh, deadline=deadline
    )
    builder = ImageBuilder.on(cache, supply)
    xen = builder.provide_xen(plan.xen)
    kinds = {domu.kind for domu in plan.domus}
    roots = {role: builder.provide_root(role, plan.xen, kinds) for role in Role}
    names = {plan.dom0.kernel, *(domu.kernel for domu in plan.domus)}
    providers = {name: builder.shop.provider(plan.kernel(name)) for name in sorted(names)}
    kernels = {name: builder.provide_kernel_of(each) for name, each in providers.items()}
    _require_parts(plan, kernels)
    files = {name: kernel_files(kernels[name], each) for name, each in providers.items()}
    entries = (xen, *roots.values(), *kernels.values())
    return LabImages(
        xen=xen.path(XEN),
        root_dom0=roots[Role.DOM0].path(ROOT_FILE),
        root_domu=roots[Role.DOMU].path(ROOT_FILE),
        dom0_kernel=files[plan.dom0.kernel],
        domu_kernels={domu.kernel: files[domu.kernel] for domu in plan.domus},
        digest=_digest(entries),
    )


def _require_parts(plan: LabPlan, kernels: Mapping[str, Entry]) -> None:
    """Raise InputError, before anything boots, with all that kernels of the plan cannot be."""
    asked: set[tuple[str, str]] = {(domu.kernel, domu.kind.boots_as) for domu in plan.domus}
    asked.add((plan.dom0.kernel, DOM0))
    asked |= {(plan.domu(name).kernel, BACKEND) for name in plan.backends}
    if plan.nic_domu:
        asked |= {(plan.dom0.kernel, NIC_GIVER), (plan.domu(plan.nic_domu).kernel, NIC_TAKER)}
    if plan.dom0.kind is Dom0Kind.PVH or plan.uplink:
        asked.add((plan.dom0.kernel, DomUKind.PVH))  # the same entry point, for QEMU too
    problems = [
        f"kernel {name}: {problem}"
        for name, entry in kernels.items()
        for problem in find_problems(entry, sorted(part for who, part in asked if who == name))
    ]
    if problems:
        raise InputError(*problems)


def _file_inputs(paths: Iterable[Path]) -> list[list[str | bool]]:
    """Name, executable bit and SHA-256 of each file."""
    return [
        [
            str(path.relative_to(Path(__file__).parent)),
            bool(path.stat().st_mode & EXECUTE_BY_OWNER),
            hashlib.sha256(path.read_bytes()).hexdigest(),
        ]
        for path in sorted(paths)
        if path.is_file()
    ]


def _digest(entries: Iterable[Entry]) -> str:
    """The SHA-256 over all files' own, in an order that depends on nothing else."""
    files = sorted(json.dumps([entry.kind, dict(entry.sha256)]) for entry in entries)
    return hashlib.sha256("\n".join(files).encode()).hexdigest()
