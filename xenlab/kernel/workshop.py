"""Workshop: modules built against the very headers of a lab's kernels, each once."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.entry import Entry, Recipe
from xenlab.cache.store import EntryStore
from xenlab.debian.supply import PackageSupply
from xenlab.kernel.built import BuiltKernel
from xenlab.kernel.choice import KernelShop
from xenlab.kernel.compiler import Compiler
from xenlab.kernel.driver import Driver, DriverChoice
from xenlab.kernel.driver_source import DriverBuild, DriverSource, lay_out
from xenlab.kernel.module_build import ModuleSource, build_module
from xenlab.kernel.module_file import ModuleFile
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.provider import KernelProvider
from xenlab.plan.model import KernelPlan
from xenlab.waiting import Deadline

# Goes up when the same inputs would give other bytes than before.
BUILDER_VERSION = 4

MODULE = "module"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Builds modules for the kernels of a plan; open it by `open_workshop`."""

    shop: KernelShop

    @property
    def store(self) -> EntryStore:
        """Where everything built is kept."""
        return self.shop.store

    @property
    def deadline(self) -> Deadline:
        """By when everything has to be done."""
        return self.store.deadline

    def provide_module(self, folder: Path, kernel: KernelPlan) -> ModuleFile:
        """The module of a source folder, for the nodes that run this kernel.

        Raises DoesNotCompile with the compiler's errors, Unavailable without a compiler.
        """
        source = ModuleSource(folder=folder)
        provider = self.shop.provider(kernel)
        compiler = provider.find_compiler()
        recipe = module_recipe(provider, compiler, {"files": source.inputs})

        def build(part: Path) -> dict[str, str]:
            against = provider.provide_headers()
            self.store.report(f"compiling {folder.name} for Linux {against.release}")
            return build_module(source, against, compiler, part, self.deadline)

        return built_module(self.store.provide(recipe, build))

    def provide_driver(self, choice: DriverChoice, kernel: KernelPlan) -> Driver:
        """The driver that was chosen, for the nodes that run this kernel; not the stock one.

        Raises InputError for a series that does not apply, or a foreign module, DoesNotCompile for
        one that does not.
        """
        provider = self.shop.provider(kernel)
        if choice.module is not None:
            release = provider.read_release()
            return choice.load(ModuleFile.read(choice.module).require_release(release))
        assert choice.series is not None, choice
        return choice.load(self._provide_patched(choice, choice.series, provider))

    def require_applicable(self, series: PatchSeries, kernel: KernelPlan) -> None:
        """Nothing, or InputError for the first patch that does not fit a kernel's drivers."""
        provider = self.shop.provider(kernel)
        if isinstance(provider, BuiltKernel) and not provider.is_built:
            provider.require_applicable(series)
            return
        headers, source = provider.provide_headers(), provider.provide_source()
        with tempfile.TemporaryDirectory(prefix="xenlab-apply-") as scratch:
            lay_out(source, headers, series, Path(scratch), self.deadline)

    def _provide_patched(
        self, choice: DriverChoice, series: PatchSeries, provider: KernelProvider
    ) -> ModuleFile:
        compiler = provider.find_compiler()
        inputs = {**provider.inputs, "driver": choice.kind, "patches": series.digests}
        recipe = module_recipe(provider, compiler, inputs)

        def build(part: Path) -> dict[str, str]:
            work = DriverBuild(
                kind=choice.kind, series=series, source=provider.provide_source(),
                headers=provider.provide_headers(), compiler=compiler,
            )  # fmt: skip
            self.store.report(f"compiling {choice.kind} with {choice.name}")
            return work.fill(part, self.deadline)

        return built_module(self.store.provide(recipe, build))

    def provide_source(self, kernel: KernelPlan) -> DriverSource:
        """The drivers' source of exactly the kernel that the lab boots."""
        return self.shop.provider(kernel).provide_source()


def module_recipe(
    provider: KernelProvider, compiler: Compiler, source: dict[str, object]
) -> Recipe:
    """What decides what comes out of a build: the source, the headers and the compiler."""
    inputs = {
        "builder": BUILDER_VERSION,
        "headers": provider.headers_key,
        "compiler": compiler.version,
        **source,
    }
    return Recipe(kind=MODULE, inputs=inputs)


def built_module(entry: Entry) -> ModuleFile:
    """The module in an entry."""
    return ModuleFile.read(entry.path(entry.facts["file"]))


@contextmanager
def open_workshop(
    cache: Path, *, report: Callable[[str], None], offline: bool, deadline: Deadline
) -> Iterator[Workshop]:
    """A workshop on this cache; `offline` never touches the network."""
    supply = PackageSupply(
        cache=cache, report=report, offline=offline, refresh=False, deadline=deadline
    )
    store = EntryStore(folder=cache / "images", report=report, offline=offline, deadline=deadline)
    yield Workshop(shop=KernelShop(supply=supply, store=store, cache=cache))
