"""Driver: netfront or netback, as the kernel brings it or as somebody wants it tested."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from xenlab.errors import InputError
from xenlab.kernel.module_file import SUFFIX, ModuleFile
from xenlab.kernel.patch_series import JOINT, PAPERS, PatchSeries
from xenlab.kernel.shelf import list_series, shelf
from xenlab.topology.defaults import SUITE
from xenlab.topology.kernel_words import PLUS
from xenlab.topology.wording import did_you_mean, list_names, quote

STOCK = "stock"
REBUILT = "stock-rebuilt"
LABEL_DIGITS = 12
# Included by the two drivers and by nothing else of the kernel.
SHARED_HEADERS = ("include/xen/interface/io/netif.h",)


class DriverKind(StrEnum):
    """The two ends of a vif."""

    NETFRONT = "netfront"
    NETBACK = "netback"

    @property
    def module(self) -> str:
        """The module's name as the kernel spells it."""
        return f"xen_{self}"

    @property
    def sources(self) -> str:
        """What of the kernel's source is this driver's alone: a file, or a folder and all in it."""
        return f"drivers/net/xen-{self}" + (".c" if self is DriverKind.NETFRONT else "/")

    @property
    def file(self) -> str:
        """The module's file."""
        return f"xen-{self}{SUFFIX}"

    @property
    def built(self) -> str:
        """Where a kernel's build makes the module, and modules_install puts it below `kernel`."""
        return f"{self.sources.removesuffix('.c').rpartition('/')[0]}/{self.file}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """`drivers` have to be built anew; `elsewhere` are files that only a whole kernel has in it."""

    drivers: tuple[DriverKind, ...]
    elsewhere: tuple[str, ...]

    @classmethod
    def of(cls, files: Iterable[str]) -> Reach:
        """The reach of changes to these files of a kernel's source."""
        built = [file for file in files if not file.startswith(PAPERS)]
        shared = [file for file in built if file in SHARED_HEADERS]
        drivers = tuple(
            kind
            for kind in DriverKind
            if shared or any(file.startswith(kind.sources) for file in built)
        )
        own = (*(kind.sources for kind in DriverKind), *SHARED_HEADERS)
        return cls(
            drivers=drivers,
            elsewhere=tuple(file for file in built if not file.startswith(own)),
        )

    @property
    def is_drivers_only(self) -> bool:
        """Whether modules are enough."""
        return bool(self.drivers) and not self.elsewhere

    @property
    def is_nothing(self) -> bool:
        """Whether the kernel that is built is the same."""
        return not self.drivers and not self.elsewhere

    @property
    def why(self) -> str:
        """Which way it takes, and what decided that."""
        if self.elsewhere:
            verb = "is" if len(self.elsewhere) == 1 else "are"
            return (
                f"{list_names(self.elsewhere)} {verb} outside the two drivers:"
                " this takes a whole kernel"
            )
        if not self.drivers:
            return "nothing that a kernel is built from is changed"
        names = " and ".join(kind.module for kind in self.drivers)
        alone = "" if len(self.drivers) > 1 else " alone"
        return f"{names}{alone} changed: built as {'modules' if not alone else 'a module'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverChoice:
    """What was asked for: the stock driver, a patch series on it, or a module built elsewhere."""

    kind: DriverKind
    name: str
    series: PatchSeries | None = None
    module: Path | None = None

    @classmethod
    def rebuilt(cls, kind: DriverKind) -> DriverChoice:
        """The kernel's own driver, built anew of the source that patched ones are built of."""
        return cls(kind=kind, name=REBUILT, series=PatchSeries(name=REBUILT, patches=()))

    @property
    def is_stock(self) -> bool:
        """Whether the kernel's own driver is meant."""
        return self.series is None and self.module is None

    @property
    def digest(self) -> str:
        """What changes when something else would be built or loaded."""
        if self.series is not None:
            return hashlib.sha256("".join(self.series.digests).encode()).hexdigest()
        return ModuleFile.read(self.module).sha256 if self.module else ""

    def patched(self, series: PatchSeries) -> DriverChoice:
        """The same driver with a series on top of what it has. InputError for a built module."""
        if self.module is not None:
            raise InputError(f"{self.module}: a module that is built cannot be patched")
        whole = PatchSeries.join((self.series, series)) if self.series else series
        return DriverChoice(kind=self.kind, name=whole.name, series=whole)

    def load(self, module: ModuleFile) -> Driver:
        """The driver in the module that this choice came to."""
        return Driver(kind=self.kind, name=self.name, build_id=module.build_id, file=module)

    @classmethod
    def parse(cls, kind: DriverKind, word: str) -> DriverChoice:
        """`stock`, the name of a series that comes with xenlab, a patch, a folder or a `.ko`.

        With `+` between them series lie on top of each other. Raises InputError for anything else,
        and for a series that is not on this driver alone.
        """
        path = Path(word)
        if JOINT in word and not path.exists():
            return cls._join(kind, word.split(JOINT))
        if word == STOCK:
            return cls(kind=kind, name=STOCK)
        if word in list_series() and not path.exists():
            path = shelf() / "patches" / word
        if not path.exists():
            known = (STOCK, *_list_series_on(kind))
            raise InputError(
                f"--{kind} {quote(word)}: no such file, folder or series{did_you_mean(word, known)}"
                f" (there are {list_names(known)})"
            )
        if path.suffix == SUFFIX:
            return cls(kind=kind, name=path.name, module=_require_driver(kind, path).path)
        series = PatchSeries.read(path.absolute())
        _require_files(kind, series, word)
        return cls(kind=kind, name=series.name, series=series)

    @classmethod
    def _join(cls, kind: DriverKind, words: Sequence[str]) -> DriverChoice:
        if not all(words):
            raise InputError(f"--{kind} {JOINT.join(words)}: nothing on one side of `{JOINT}`")
        choice = cls.parse(kind, words[0])
        for word in words[1:]:
            upper = cls.parse(kind, word)
            if upper.series is None:
                raise InputError(
                    f"--{kind} {JOINT.join(words)}: {quote(word)} is no patch, and cannot lie on"
                    " another"
                )
            choice = choice.patched(upper.series)
        return choice


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A driver ready to be loaded; `file` is None for the one that a node's own image holds."""

    kind: DriverKind
    name: str
    build_id: str
    file: ModuleFile | None = None

    @property
    def label(self) -> str:
        """Its name and the beginning of its build id: `netfront-slots-limit e6a55ac964f7`."""
        return f"{self.name} {self.build_id[:LABEL_DIGITS]}"

    @property
    def digest(self) -> str:
        """The SHA-256 of what is loaded in place of the stock driver, or nothing."""
        return self.file.sha256 if self.file else ""


def _require_driver(kind: DriverKind, path: Path) -> ModuleFile:
    module = ModuleFile.read(path.absolute())
    if module.name != kind.module:
        raise InputError(f"{path}: holds the module {module.name}, --{kind} needs {kind.module}")
    return module


def _list_series_on(kind: DriverKind) -> Iterator[str]:
    """The series that come with xenlab and can be put on a driver."""
    for name in list_series():
        reach = Reach.of(PatchSeries.read(shelf() / "patches" / name).files)
        if reach.is_drivers_only and kind in reach.drivers:
            yield name


def _require_files(kind: DriverKind, series: PatchSeries, word: str) -> None:
    """InputError unless a series changes this driver, and nothing but the two drivers.

    What to try with the same word is the option that takes it.
    """
    reach = Reach.of(series.files)
    if reach.elsewhere:
        option = "--dom0-kernel" if kind is DriverKind.NETBACK else "--domu-kernel"
        kernel = shlex.quote(f"{SUITE}{PLUS}{word.replace(PLUS, PLUS * 2)}")
        raise InputError(f"{series.name}: {reach.why}", try_next=f"{option} {kernel}")
    if kind not in reach.drivers:
        nothing = f"{series.name}: changes nothing of {kind.module} ({kind.sources})"
        if not reach.drivers:
            raise InputError(nothing)
        (other,) = reach.drivers
        raise InputError(
            f"{nothing}, but {other.module}", try_next=f"--{other} {shlex.quote(word)}"
        )
