"""BuiltKernel: a kernel that is built here, whole, from a source with patches, and kept."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from xenlab.cache.disk import require_room
from xenlab.cache.entry import Entry, Recipe
from xenlab.cache.store import EntryStore
from xenlab.kernel.built_headers import assemble_built_headers
from xenlab.kernel.compiler import Compiler
from xenlab.kernel.debug_info import read_debugged_build
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.driver_source import DriverSource
from xenlab.kernel.fragments import Fragment
from xenlab.kernel.headers import SOURCE, KernelHeaders, header_facts
from xenlab.kernel.origin import SourceOrigin
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.skb_users import read_skb_users
from xenlab.kernel.unpacked import UnpackedKernel
from xenlab.kernel.whole_build import CONFIG, WholeBuild
from xenlab.kernel.work_tree import hold_work_tree
from xenlab.waiting import Deadline

# Goes up when the same inputs would give other bytes than before.
BUILDER_VERSION = 2

KIND = "built-kernel"
VMLINUX = "vmlinux"
MODULES = "lib/modules"
BUILDS = "builds"
CCACHE = "ccache"
UNSTRIPPED = "unstripped"
SKB_USERS = "skb_users"
CONFIG_DIGITS = 12

# vmlinux with symbols, modules, headers and scripts of the small kernel of 6.1; more with debug
# information.
ENTRY_BYTES = 400_000_000


@dataclass(frozen=True, kw_only=True)
class BuiltKernel:
    """What is built: a source, the series on it in their order, and a configuration.

    Work trees and objects are kept in `cache`, so that a small change is a small build.
    """

    origin: SourceOrigin
    series: tuple[PatchSeries, ...]
    fragments: tuple[Fragment, ...]
    compiler: Compiler
    store: EntryStore
    cache: Path

    @property
    def label(self) -> str:
        """The source, and what is put on it."""
        return " + ".join((self.origin.label, *(each.name for each in self.series)))

    @property
    def recipe(self) -> Recipe:
        """What decides what comes out of the build."""
        inputs = {
            "builder": BUILDER_VERSION,
            "source": self.origin.state,
            "patches": [digest for each in self.series for digest in each.digests],
            "configs": [fragment.digest for fragment in self.fragments],
            "compiler": self.compiler.version,
        }
        return Recipe(kind=KIND, inputs=inputs)

    @property
    def inputs(self) -> dict[str, object]:
        """The key of the build."""
        return {"built": self.recipe.key}

    @property
    def headers_key(self) -> str:
        """They come out of the same build."""
        return self.recipe.key

    @property
    def _deadline(self) -> Deadline:
        return self.store.deadline

    @property
    def is_built(self) -> bool:
        """Whether it was built before."""
        return self.store.has(self.recipe)

    def require_applicable(self, series: PatchSeries) -> None:
        """Nothing, or InputError for the first patch of all, these last, that does not apply.

        Nothing is built: the source is enough.
        """
        patched = replace(self, series=(*self.series, series))
        if patched.is_built:
            return
        with hold_work_tree(self.cache / BUILDS, self.origin.lineage, self._deadline) as tree:
            tree.require_applicable(self.origin, patched.series)

    def provide(self) -> Entry:
        """The finished build. InputError with every error of patches or configuration.

        DoesNotCompile with every one of the compiler.
        """
        return self.store.provide(self.recipe, self._build)

    def read_release(self) -> str:
        """As the build calls itself."""
        return self.provide().facts["release"]

    def unpack(self, scratch: Path) -> UnpackedKernel:  # noqa: ARG002 (nothing is packed)
        """The entry's own files."""
        entry = self.provide()
        release = entry.facts["release"]
        return UnpackedKernel(
            release=release,
            name=VMLINUX,
            image=entry.path(VMLINUX),
            config=entry.path(CONFIG[1:]).read_text(encoding="utf-8"),
            modules=entry.path(MODULES) / release,
            skb_users=entry.facts[SKB_USERS],
        )

    def provide_headers(self) -> KernelHeaders:
        """Those of the build itself."""
        entry = self.provide()
        return KernelHeaders.of_folder(entry.folder, entry.facts)

    def find_debug_files(self, build_id: str) -> dict[str, Path]:
        """Those of the build, where its configuration asks for any and it is there still."""
        folder = self.store.find_folder(self.recipe)
        if folder is None or read_debugged_build(folder / VMLINUX) != build_id:
            return {}
        drivers = {kind.module: folder / UNSTRIPPED / kind.file for kind in DriverKind}
        kept = {module: path for module, path in drivers.items() if path.is_file()}
        return {VMLINUX: folder / VMLINUX, **kept}

    def find_compiler(self) -> Compiler:
        """The one that builds the kernel itself."""
        return self.compiler

    def provide_source(self) -> DriverSource:
        """The drivers as they were built, patches and all."""
        return DriverSource(folder=self.provide().path(SOURCE))

    def _build(self, part: Path) -> dict[str, str]:
        require_room(part, ENTRY_BYTES)
        self.store.report(f"building {self.label}")
        with hold_work_tree(self.cache / BUILDS, self.origin.lineage, self._deadline) as tree:
            tree.bring_to(self.origin, self.series)
            build = WholeBuild(
                source=tree.source,
                out=tree.folder / f"out-{self._config_digest()}",
                fragments=self.fragments,
                compiler=self.compiler,
                ccache=self.cache / CCACHE,
                report=self.store.report,
                deadline=self._deadline,
            )
            config = build.run()
            release = build.read_release()
            shutil.copyfile(build.out / VMLINUX, part / VMLINUX)
            shutil.copyfile(build.out / CONFIG, part / CONFIG[1:])
            build.install_modules(part)
            _keep_unstripped(build.out, part / UNSTRIPPED)
            assemble_built_headers(tree.source, build.out, part)
        facts = header_facts(release, config)
        headers = KernelHeaders.of_folder(part, facts)
        offset_bytes = read_skb_users(headers, self.compiler, part, self._deadline)
        return facts | {SKB_USERS: str(offset_bytes), "label": self.label}

    def _config_digest(self) -> str:
        """Objects are of use to builds of one configuration by one compiler."""
        parts = (self.compiler.version, *(fragment.digest for fragment in self.fragments))
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:CONFIG_DIGITS]


def _keep_unstripped(out: Path, folder: Path) -> None:
    """The drivers with their debug info, which those that are installed have no more."""
    for kind in DriverKind:
        path = out / kind.built
        if read_debugged_build(path):
            folder.mkdir(exist_ok=True)
            shutil.copyfile(path, folder / kind.file)
