"""KernelOrigin: where a kernel comes from, in the user's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from xenlab.topology import defaults
from xenlab.topology.wording import list_names, quote


class KernelKind(StrEnum):
    """The ways to a kernel; each value is the key of a topology's `kernels` that chooses it."""

    PACKAGE = "package"
    SOURCE = "source"
    TREE = "tree"
    IMAGE = "image"


# What may stand beside the key that chooses, and what only some of the ways understand.
KEYS_OF_KIND: dict[KernelKind, tuple[str, ...]] = {
    KernelKind.PACKAGE: ("suite",),
    KernelKind.SOURCE: ("suite", "patches", "configs"),
    KernelKind.TREE: ("ref", "patches", "configs"),
    KernelKind.IMAGE: ("modules", "config", "build"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelOrigin:
    """Where a kernel comes from.

    A Debian `package` of a suite, unless another of these is named: its `source` package, built
    here; a commit (`ref`) of a git `tree`, built here; an `image` with its `modules` folder, built
    elsewhere, with its configuration and build tree where they are not beside it. What is built
    here takes `patches` and, beyond what every kernel gets, `configs`.
    """

    suite: str = defaults.SUITE
    package: str = defaults.KERNEL_PACKAGE
    source: str = ""
    tree: str = ""
    ref: str = defaults.KERNEL_REF
    image: str = ""
    modules: str = ""
    config: str = ""
    build: str = ""
    patches: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()

    @property
    def kind(self) -> KernelKind:
        """Which way it is."""
        if self.image:
            return KernelKind.IMAGE
        if self.tree:
            return KernelKind.TREE
        return KernelKind.SOURCE if self.source else KernelKind.PACKAGE

    @property
    def label(self) -> str:
        """How tables call it."""
        extra = "".join(f" + {word}" for word in (*self.patches, *self.configs))
        match self.kind:
            case KernelKind.IMAGE:
                return self.image
            case KernelKind.TREE:
                return f"{self.tree} {self.ref}{extra}"
            case KernelKind.SOURCE:
                return f"{self.source} ({self.suite}){extra}"
            case KernelKind.PACKAGE:
                return f"{self.package} ({self.suite})"


def find_misplaced(section: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Each key of a `kernels` section that does not go with how its kernel is had, and why."""
    named = [kind for kind in KernelKind if kind.value in section]
    for kind in named[1:]:
        yield kind, f"{quote(kind)} and {quote(named[0])} are two kernels; name one of them"
    chosen = named[0] if named else KernelKind.PACKAGE
    for key in section:
        takers = [kind for kind, keys in KEYS_OF_KIND.items() if key in keys]
        if takers and chosen not in takers:
            hint = f", not with {quote(chosen)}"
            yield str(key), f"{quote(key)} goes with {list_names(takers)}{hint}"
    if chosen is KernelKind.IMAGE and "modules" not in section:
        yield chosen, "`image` needs `modules`, the folder of its modules"
