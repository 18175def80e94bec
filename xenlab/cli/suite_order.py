"""SuiteOrder: which tests `xenlab test` was asked to run, and how."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import xenlab.tests
from xenlab.cli.matrix_table import MATRICES, Matrix
from xenlab.errors import InputError
from xenlab.kernel.driver import DriverKind
from xenlab.plan.model import LabPlan
from xenlab.topology.wording import did_you_mean, list_names, quote
from xenlab.traffic.endurance import Endurance
from xenlab.traffic.ladder import Extent
from xenlab.traffic.layout_file import read_layout_file
from xenlab.traffic.plant import EVERY, PlantKind

SHIPPED = Path(xenlab.tests.__file__).parent
DEFAULT_SUITE = "smoke"
# The topologies of suites that need more than two domUs on a bridge.
TOPOLOGIES = {"driverdomain": "driver-domain"}
# Suites to which it is all one who the backend of a network is.
ANY_BACKEND = frozenset({"driverdomain", "iommu", "smoke"})
# Suites of which something is left where there is no Xen: the wire and the consoles.
WITHOUT_XEN = frozenset({"smoke"})
LAYOUT_SUITES = ("slots", "fraglist")
SOAK = "soak"
# Who looks at an option; tests of somebody's own may look at any.
USERS = {"seed": (SOAK, *LAYOUT_SUITES), "duration": (SOAK,), "layouts": LAYOUT_SUITES}
STRATEGIES = "strategies"
EVERY_QUICK = 5  # the short form has fewer packets than the thousand that a fault waits for
NODE_ID = "::"  # pytest's: between a file and the tests in it


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteOrder:
    """Tests by path, each perhaps with `::test` behind it; `name` is what results are called.

    `tried` are the drivers that patches are tried on, beside the same tests without them.
    """

    name: str
    paths: tuple[Path, ...]
    keyword: str
    extent: Extent
    plant: PlantKind | None
    plant_every: int
    repeat: int
    endurance: Endurance
    stop_at_first: bool = False
    tried: frozenset[DriverKind] = frozenset()

    @classmethod
    def parse(
        cls, words: tuple[str, ...], *, keyword: str, quick: bool, plant: str | None,
        plant_every: int | None, repeat: int, seed: str | None = None,
        duration: str | None = None, layouts: int | None = None, layout_file: str | None = None,
    ) -> SuiteOrder:  # fmt: skip
        """The order from the words of a command line; InputError for a suite that is not there."""
        words = words or (DEFAULT_SUITE,)
        if keyword:
            _require_expression(keyword)
        paths = tuple(_find_suite(word) for word in words)
        endurance = Endurance.parse(seed, duration, layouts)
        if layout_file is not None:
            _require_layout_suite(paths, layouts)
            endurance = replace(endurance, given=read_layout_file(layout_file))
        return cls(
            name="+".join(Path(word).stem for word in words),
            paths=paths,
            keyword=keyword,
            extent=Extent.QUICK if quick else Extent.WHOLE,
            plant=PlantKind(plant) if plant else None,
            plant_every=plant_every or (EVERY_QUICK if quick else EVERY),
            repeat=repeat,
            endurance=endurance,
        )

    def require_suitable(self, plan: LabPlan) -> None:
        """Raise InputError for shipped suites that look for vifs in dom0 where others have them.

        Or nobody: without Xen.
        """
        suites = self.shipped
        if not plan.xen.boot and suites - WITHOUT_XEN:
            raise InputError(
                f"{list_names(sorted(suites - WITHOUT_XEN))} look into Xen and vifs, and"
                f" {quote(plan.topology_name)} boots no Xen; there is {list_names(WITHOUT_XEN)}"
            )
        if plan.backends and suites - ANY_BACKEND:
            raise InputError(
                f"{list_names(sorted(suites - ANY_BACKEND))} look into dom0's vifs, and those of"
                f" {quote(plan.topology_name)} are in {list_names(plan.backends)}"
            )

    def require_use_of(self, options: Iterable[str]) -> None:
        """Raise InputError with each of the options, by name, that no suite here looks at."""
        problems = []
        for option in options:
            users = USERS[option]
            if not self._has_own and not any(map(self._has, users)):
                use = "use" if len(users) > 1 else "uses"
                problems.append(f"--{option}: only {list_names(users)} {use} it")
        if problems:
            raise InputError(*problems)

    @property
    def shipped(self) -> frozenset[str]:
        """The suites of ours that run as a whole, by name."""
        return frozenset(path.name for path in self.paths if path.parent == SHIPPED)

    @property
    def chance(self) -> tuple[str, ...]:
        """What else than its tests tells this order from one that sends something else.

        A soak draws all that it sends, by a seed of its own where nobody gives one. Strategies
        leave those drivers loaded that are tried, and tests of somebody's own may ask for them.
        """
        endurance = self.endurance
        seed = endurance.name(endurance.first_round)
        may_ask = self._has_own or self._has(STRATEGIES)
        tried = tuple(sorted(self.tried)) if may_ask else ()
        if self._has(SOAK):
            return (seed, str(endurance.layouts), str(endurance.duration_s), *tried)
        return (seed if endurance.seed_given else "", str(endurance.layouts), *tried)

    @property
    def _has_own(self) -> bool:
        return any(not path.is_relative_to(SHIPPED) for path in self.paths)

    def _has(self, suite: str) -> bool:
        return any(path.is_relative_to(SHIPPED / suite) for path in self.paths)

    @property
    def matrix(self) -> Matrix | None:
        """The set-ups that the suite goes through by itself, each in a lab of its own."""
        return MATRICES.get(self.name)

    @property
    def topology(self) -> str:
        """The one that the suite needs where nobody names another; empty for the usual one."""
        return TOPOLOGIES.get(self.name, "")

    @property
    def pytest_options(self) -> tuple[str, ...]:
        """What pytest is told beside the paths."""
        chosen = ("-k", self.keyword) if self.keyword else ()
        stop = ("--exitfirst",) if self.stop_at_first else ()
        return ("-v", "--no-header", "--tb=short", "-rN", *chosen, *stop)


def shipped_suites() -> tuple[str, ...]:
    """The names of the suites that come with xenlab."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob("*/__init__.py")))


def _require_layout_suite(paths: Iterable[Path], layouts: int | None) -> None:
    """Layouts that nobody sends would pass for tested."""
    if layouts is not None:
        raise InputError("--layout-file has the layouts: --layouts says how many random ones")
    senders = tuple(SHIPPED / name for name in LAYOUT_SUITES)
    if not any(path.is_relative_to(sender) for path in paths for sender in senders):
        raise InputError(f"--layout-file: only {list_names(LAYOUT_SUITES)} send its layouts")


def _require_expression(keyword: str) -> None:
    """What pytest does not understand it says when it selects: here from nothing, and at once."""
    said = StringIO()
    with TemporaryDirectory() as nothing, redirect_stdout(StringIO()), redirect_stderr(said):
        status = pytest.main(["-c", "/dev/null", "-p", "no:cacheprovider", "-k", keyword, nothing])
    if status == pytest.ExitCode.USAGE_ERROR:
        raise InputError(said.getvalue().strip().removeprefix("ERROR: "))


def _find_suite(word: str) -> Path:
    known = shipped_suites()
    if word in known:
        return SHIPPED / word
    file, _, _test = word.partition(NODE_ID)
    if file and Path(file).exists():
        return Path(word).absolute()
    raise InputError(
        f"no suite and no path {quote(word)}{did_you_mean(word, known)}"
        f" (suites: {list_names(known)})"
    )
