"""From a plan's kernel to the provider that has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from xenlab.cache.store import EntryStore
from xenlab.debian.supply import PackageSupply
from xenlab.errors import InputError
from xenlab.kernel.built import BuiltKernel
from xenlab.kernel.compiler import Compiler
from xenlab.kernel.fragments import list_fragments, read_fragments
from xenlab.kernel.origin import DebianOrigin, GitOrigin, SourceOrigin, find_uncommitted
from xenlab.kernel.packaged import PackagedKernel
from xenlab.kernel.packages import resolve_newest_source
from xenlab.kernel.patch_series import PatchSeries
from xenlab.kernel.provider import KernelProvider
from xenlab.kernel.ready import ReadyKernel
from xenlab.kernel.shelf import list_series, shelf
from xenlab.plan.model import KernelOrigin, KernelPlan
from xenlab.topology.defaults import KERNEL_REF
from xenlab.topology.kernel_origin import KernelKind
from xenlab.topology.wording import did_you_mean, list_names, quote
from xenlab.waiting import Deadline

SHOWN_FILES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelShop:
    """Finds who provides a kernel; `cache` is where work trees and objects of builds are kept."""

    supply: PackageSupply
    store: EntryStore
    cache: Path

    def provider(self, kernel: KernelPlan) -> KernelProvider:
        """The provider of a plan's kernel. Raises InputError for what its origin names wrongly."""
        origin = kernel.origin
        match origin.kind:
            case KernelKind.PACKAGE:
                return PackagedKernel(
                    suite=origin.suite, package=origin.package, supply=self.supply, store=self.store
                )
            case KernelKind.IMAGE:
                return ready_kernel(origin, self.store.deadline)
            case KernelKind.SOURCE | KernelKind.TREE:
                return self.built(origin)

    def built(self, origin: KernelOrigin) -> BuiltKernel:
        """The kernel that an origin with a source gives, built when it is asked for."""
        series, fragments = read_series(origin.patches), read_fragments(origin.configs)
        return BuiltKernel(
            origin=self._source(origin),
            series=series,
            fragments=fragments,
            compiler=Compiler.find(self.store.deadline),
            store=self.store,
            cache=self.cache,
        )

    def _source(self, origin: KernelOrigin) -> SourceOrigin:
        deadline = self.store.deadline
        if origin.kind is KernelKind.TREE:
            return GitOrigin.resolve(Path(origin.tree), origin.ref, deadline)
        packages = resolve_newest_source(self.supply, origin.suite, origin.source)
        return DebianOrigin(
            supply=self.supply, suite=origin.suite, packages=packages, deadline=deadline
        )


def ready_kernel(origin: KernelOrigin, deadline: Deadline) -> ReadyKernel:
    """The kernel of an origin that names an image."""
    return ReadyKernel(
        image=Path(origin.image),
        modules=Path(origin.modules),
        config=Path(origin.config) if origin.config else None,
        build=Path(origin.build) if origin.build else None,
        deadline=deadline,
    )


def read_users_files(origin: KernelOrigin, deadline: Deadline) -> object:
    """What of the user's own files decides which kernel an origin gives; nothing for a package.

    Raises InputError for those that are not there or are not what they should be.
    """
    match origin.kind:
        case KernelKind.IMAGE:
            return ready_kernel(origin, deadline).inputs
        case KernelKind.TREE:
            source = GitOrigin.resolve(Path(origin.tree), origin.ref, deadline).state
        case _:
            source = ""
    patches = [digest for one in read_series(origin.patches) for digest in one.digests]
    configs = [one.digest for one in read_fragments(origin.configs)] if origin.configs else []
    return [source, patches, configs] if source or patches or configs else None


def say_untested(origin: KernelOrigin, deadline: Deadline) -> str:
    """What of a tree nobody will see who asks for what is checked out there; nothing if all is in.

    Whoever names a commit gets just that.
    """
    if origin.kind is not KernelKind.TREE or origin.ref != KERNEL_REF:
        return ""
    files = find_uncommitted(Path(origin.tree), deadline)
    if not files:
        return ""
    rest = len(files) - SHOWN_FILES
    more = f" and {rest} more" if rest > 0 else ""
    return (
        f"{origin.tree}: what is not committed is not tested: {list_names(files[:SHOWN_FILES])}"
        f"{more}; `git commit` it, or name the commit that you mean: TREE@COMMIT"
    )


def read_series(words: Iterable[str]) -> tuple[PatchSeries, ...]:
    """The series that words name: one that comes with xenlab, a patch, or a folder of patches.

    Raises InputError with all that is wrong in any of them.
    """
    shipped = list_series()
    series: list[PatchSeries] = []
    problems: list[str] = []
    for word in words:
        path = shelf() / "patches" / word if word in shipped else Path(word)
        if word not in shipped and "/" not in word and not path.exists():
            problems.append(_say_unknown(word, shipped, list_fragments()))
            continue
        try:
            series.append(PatchSeries.read(path))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    return tuple(series)


def _say_unknown(word: str, series: Sequence[str], configs: Sequence[str]) -> str:
    """What a word behind a kernel's `+` could have been."""
    return (
        f"no patch, series or configuration {quote(word)}{did_you_mean(word, (*series, *configs))}"
        f" (series: {list_names(series)}; configurations: {list_names(configs)};"
        " a file is named with `/`)"
    )
