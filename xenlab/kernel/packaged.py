"""PackagedKernel: a kernel as Debian built it, with the headers and the source of that version."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from xenlab.cache.disk import require_room
from xenlab.cache.entry import Recipe
from xenlab.cache.store import EntryStore
from xenlab.debian.package import DebPackage
from xenlab.debian.supply import PackageSupply
from xenlab.debian.unpacking import unpack_debs
from xenlab.kernel.compiler import Compiler
from xenlab.kernel.driver_source import DriverSource, extract_drivers
from xenlab.kernel.headers import KernelHeaders, assemble_headers
from xenlab.kernel.packages import (
    KernelVersion,
    headers_request,
    kernel_request,
    package_inputs,
    read_compiler,
    read_version,
    resolve_headers,
    resolve_source,
)
from xenlab.kernel.toolchain import Toolchain
from xenlab.kernel.unpacked import UnpackedKernel, find_kernel

# A whole kernel package unpacked; Linux 6.1 takes 405 MB.
UNPACKED_BYTES = 500_000_000

HEADERS = "headers"
DRIVER_SOURCE = "driver-source"


@dataclass(frozen=True, kw_only=True)
class PackagedKernel:
    """A kernel package of a suite; it may be a meta package."""

    suite: str
    package: str
    supply: PackageSupply
    store: EntryStore

    @property
    def label(self) -> str:
        """The package and its suite."""
        return f"{self.package} ({self.suite})"

    @cached_property
    def packages(self) -> tuple[DebPackage, ...]:
        """What the kernel consists of."""
        return self.supply.resolve(kernel_request(self.suite, self.package))

    @property
    def inputs(self) -> dict[str, object]:
        """The packages by their content."""
        return package_inputs(self.packages)

    @property
    def version(self) -> KernelVersion:
        """Which kernel the package comes to."""
        return read_version(self.packages, self.package)

    def read_release(self) -> str:
        """As the package is named."""
        return self.version.release

    def unpack(self, scratch: Path) -> UnpackedKernel:
        """The packages' content."""
        require_room(scratch, UNPACKED_BYTES)
        debs = self.supply.fetch(self.suite, self.packages)
        self.supply.report(f"unpacking the kernel of {self.label}")
        unpack_debs(debs, scratch, self.supply.deadline)
        return find_kernel(scratch)

    def fetch_main(self) -> Path:
        """The file with the kernel; beside it are the meta package and what little goes with it."""
        debs = self.supply.fetch(self.suite, self.packages)
        return max(debs, key=lambda deb: deb.stat().st_size)

    @cached_property
    def header_packages(self) -> tuple[DebPackage, ...]:
        """The headers of exactly the version that is booted."""
        return resolve_headers(self.supply, self.suite, self.version)

    @property
    def _headers_recipe(self) -> Recipe:
        return Recipe(kind=HEADERS, inputs=package_inputs(self.header_packages))

    @property
    def headers_key(self) -> str:
        """The key of the entry that holds them."""
        return self._headers_recipe.key

    def provide_headers(self) -> KernelHeaders:
        """Debian's, unpacked once."""
        release = self.read_release()

        def build(part: Path) -> dict[str, str]:
            debs = self.supply.fetch(self.suite, self.header_packages)
            self.supply.report(f"unpacking the headers of Linux {release}")
            return assemble_headers(debs, release, part, self.supply.deadline)

        entry = self.store.provide(self._headers_recipe, build)
        return KernelHeaders.of_folder(entry.folder, entry.facts)

    def find_debug_files(self, build_id: str) -> dict[str, Path]:  # noqa: ARG002
        """None: they are packages of their own, of a gigabyte and more."""
        return {}

    def find_compiler(self) -> Compiler:
        """The host's where it is as new as the one that made the kernel, or else that one."""
        host = Compiler.find(self.supply.deadline)
        names = read_compiler(self.supply.resolve(headers_request(self.suite, self.version)))
        if names is None or names.major <= host.major:
            return host
        bench = Toolchain(suite=self.suite, names=names, supply=self.supply, store=self.store)
        return Compiler(
            version=bench.version, major=names.major, gcc=names.program, bench=bench
        )  # fmt: skip

    def provide_source(self) -> DriverSource:
        """Debian's of exactly this version, unpacked once."""
        packages = resolve_source(self.supply, self.suite, self.version)

        def build(part: Path) -> dict[str, str]:
            debs = self.supply.fetch(self.suite, packages)
            self.supply.report("unpacking the drivers' source")
            return extract_drivers(debs, part, self.supply.deadline)

        recipe = Recipe(kind=DRIVER_SOURCE, inputs=package_inputs(packages))
        return DriverSource(folder=self.store.provide(recipe, build).folder)
