"""Workshop: modules built against the very headers of a lab's kernels, each once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.entry import Entry, Recipe
from xenlab.cache.store import EntryStore
from xenlab.debian.package import DebPackage
from xenlab.debian.supply import PackageSupply, open_supply
from xenlab.kernel.compiler import Compiler
from xenlab.kernel.driver import Driver, DriverChoice
from xenlab.kernel.driver_source import DriverBuild, DriverSource, extract_drivers
from xenlab.kernel.headers import KernelHeaders, assemble_headers
from xenlab.kernel.module_build import ModuleSource, build_module
from xenlab.kernel.module_file import ModuleFile
from xenlab.kernel.packages import (
    KernelVersion,
    kernel_request,
    read_version,
    resolve_headers,
    resolve_source,
)
from xenlab.kernel.patch_series import PatchSeries
from xenlab.plan.model import KernelPlan
from xenlab.waiting import Deadline

# Goes up when the same inputs would give other bytes than before.
BUILDER_VERSION = 3

HEADERS = "headers"
DRIVER_SOURCE = "driver-source"
MODULE = "module"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadersChoice:
    """Which headers go with a kernel, known before they are there."""

    suite: str
    version: KernelVersion
    packages: tuple[DebPackage, ...]

    @property
    def recipe(self) -> Recipe:
        """What decides what is in them."""
        return Recipe(kind=HEADERS, inputs=package_inputs(self.packages))

    def module_recipe(self, compiler: Compiler, source: dict[str, object]) -> Recipe:
        """What decides what comes out of a build: the source, the headers and the compiler."""
        inputs = {
            "builder": BUILDER_VERSION,
            "headers": self.recipe.key,
            "compiler": compiler.version,
            **source,
        }
        return Recipe(kind=MODULE, inputs=inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """Builds modules for the kernels of a plan; open it by `open_workshop`."""

    supply: PackageSupply
    store: EntryStore

    @property
    def deadline(self) -> Deadline:
        """By when everything has to be done."""
        return self.store.deadline

    def version(self, kernel: KernelPlan) -> KernelVersion:
        """Which kernel it is that the lab boots."""
        request = kernel_request(kernel.suite, kernel.package)
        return read_version(self.supply.resolve(request), kernel.package)

    def choose_headers(self, kernel: KernelPlan) -> HeadersChoice:
        """The headers of exactly the version that the lab boots."""
        version = self.version(kernel)
        packages = resolve_headers(self.supply, kernel.suite, version)
        return HeadersChoice(suite=kernel.suite, version=version, packages=packages)

    def provide_headers(self, choice: HeadersChoice) -> KernelHeaders:
        """The headers chosen, unpacked once."""
        release = choice.version.release

        def build(part: Path) -> dict[str, str]:
            debs = self.supply.fetch(choice.suite, choice.packages)
            self.supply.report(f"unpacking the headers of Linux {release}")
            return assemble_headers(debs, release, part, self.deadline)

        return KernelHeaders(entry=self.store.provide(choice.recipe, build))

    def provide_module(self, folder: Path, kernel: KernelPlan) -> ModuleFile:
        """The module of a source folder, for the nodes that run this kernel.

        Raises InputError with the compiler's errors, Unavailable without a compiler.
        """
        source = ModuleSource(folder=folder)
        compiler = Compiler.find(self.deadline)
        headers = self.choose_headers(kernel)
        recipe = headers.module_recipe(compiler, {"files": source.inputs})

        def build(part: Path) -> dict[str, str]:
            against = self.provide_headers(headers)
            self.supply.report(f"compiling {folder.name} for Linux {against.release}")
            return build_module(source, against, compiler, part, self.deadline)

        return built_module(self.store.provide(recipe, build))

    def provide_driver(self, choice: DriverChoice, kernel: KernelPlan) -> Driver:
        """The driver that was chosen, for the nodes that run this kernel; not the stock one.

        Raises InputError for a series that does not apply or compile, or a foreign module.
        """
        if choice.module is not None:
            release = self.version(kernel).release
            return choice.load(ModuleFile.read(choice.module).require_release(release))
        assert choice.series is not None, choice
        return choice.load(self._provide_patched(choice, choice.series, kernel))

    def _provide_patched(
        self, choice: DriverChoice, series: PatchSeries, kernel: KernelPlan
    ) -> ModuleFile:
        compiler = Compiler.find(self.deadline)
        headers = self.choose_headers(kernel)
        source = resolve_source(self.supply, kernel.suite, headers.version)
        inputs = {**package_inputs(source), "driver": choice.kind, "patches": series.digests}
        recipe = headers.module_recipe(compiler, inputs)

        def build(part: Path) -> dict[str, str]:
            work = DriverBuild(
                kind=choice.kind, series=series, source=self.provide_source(kernel),
                headers=self.provide_headers(headers), compiler=compiler,
            )  # fmt: skip
            self.supply.report(f"compiling {choice.kind} with {choice.name}")
            return work.fill(part, self.deadline)

        return built_module(self.store.provide(recipe, build))

    def provide_source(self, kernel: KernelPlan) -> DriverSource:
        """The drivers' source of exactly the version that the lab boots, unpacked once."""
        packages = resolve_source(self.supply, kernel.suite, self.version(kernel))
        recipe = Recipe(kind=DRIVER_SOURCE, inputs=package_inputs(packages))

        def build(part: Path) -> dict[str, str]:
            debs = self.supply.fetch(kernel.suite, packages)
            self.supply.report("unpacking the drivers' source")
            return extract_drivers(debs, part, self.deadline)

        return DriverSource(entry=self.store.provide(recipe, build))


def package_inputs(packages: tuple[DebPackage, ...]) -> dict[str, object]:
    """What decides what comes out of packages."""
    return {
        "builder": BUILDER_VERSION,
        "packages": [[package.apt_name, package.sha256] for package in packages],
    }


def built_module(entry: Entry) -> ModuleFile:
    """The module in an entry."""
    return ModuleFile.read(entry.path(entry.facts["file"]))


@contextmanager
def open_workshop(
    cache: Path, *, report: Callable[[str], None], offline: bool, deadline: Deadline
) -> Iterator[Workshop]:
    """A workshop on this cache; `offline` never touches the network."""
    with open_supply(
        cache, report=report, offline=offline, refresh=False, deadline=deadline
    ) as supply:
        store = EntryStore(
            folder=cache / "images", report=report, offline=offline, deadline=deadline
        )
        yield Workshop(supply=supply, store=store)
