"""LabPlugin: pytest's fixtures for a lab that is up, and the verdicts that its tests came to."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest

from xenlab import suite_fixtures
from xenlab.kernel.driver import DriverKind
from xenlab.parameters import parametrize
from xenlab.plan.model import Link
from xenlab.report.exhibits import Exhibit
from xenlab.suite_fixtures import STAGE, Stage
from xenlab.traffic.coroner import Coroner, Death
from xenlab.traffic.endurance import Endurance
from xenlab.traffic.guests import link_for_faults
from xenlab.traffic.handle import LabHandle
from xenlab.traffic.ladder import Extent
from xenlab.traffic.plant import EVERY, PlantKind, planting
from xenlab.traffic.vigil import keep_vigil
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict, verdict_of_error

SPOILS = "spoils_lab: such a test comes last, and what is left then needs another lab"
GIVES_A_VERDICT = "gives a verdict"

# The suites are ours and not the project's in whose folder the user stands: none of its
# configuration, and nothing written into it.
PYTEST_OPTIONS = ("-c", "/dev/null", "--import-mode=importlib", "-p", "no:cacheprovider")

Judge = Callable[[Verdict], None]
Show = Callable[[Exhibit], None]


class LabPlugin:
    """Hand it to `run_suite`, then read `verdicts`.

    A test says what it found by `judge(verdict)`, as often as it likes; it fails if one of its
    verdicts is neither a pass nor a skip. A test that ends without any is INCONCLUSIVE, and one
    that ends by an error of the lab has the verdict of that error. `bugs` holds errors that are
    xenlab's own. `exhibits` are what tests gave to `show`: where packets went, for the report.

    Every console is watched meanwhile. A kernel that crashed, or hangs, is the test's verdict, and
    the session ends there: `unfinished` has the tests that are left for another lab, which is to
    be given the names of those that are `done`; `coroner` knows what happened. So it does behind a
    test marked with `spoils_lab`, which comes last.

    `tried`, if it is set, are the drivers that this lab or the one that it is the control of has
    patches on. `on_verdict`, if it is set, gets each verdict as a test comes to it; what it raises,
    the test raises.
    """

    def __init__(
        self,
        lab: LabHandle,
        *,
        extent: Extent = Extent.WHOLE,
        plant: PlantKind | None = None,
        plant_every: int = EVERY,
        endurance: Endurance | None = None,
        done: Collection[str] = (),
    ) -> None:
        self.verdicts: list[Verdict] = []
        self.bugs: list[str] = []
        self.exhibits: list[Exhibit] = []
        self.done = set(done)
        self.unfinished: list[str] = []
        self.coroner: Coroner | None = None
        self._lab = lab
        self._extent = extent
        self._plant = plant
        self._plant_every = plant_every
        self._endurance = endurance or Endurance.parse(None, None)
        self.tried: frozenset[DriverKind] = frozenset()
        self.on_verdict: Judge = lambda _verdict: None
        self.spoiled = False
        self._silent = False
        self._judged: dict[str, list[Verdict]] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        """What fixtures hand to tests, and what marks mean."""
        config.addinivalue_line("markers", SPOILS)
        config.stash[STAGE] = Stage(
            lab=self._lab, extent=self._extent, endurance=self._endurance, tried=self.tried
        )

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each link, each domU and each node of this lab's plan."""
        parametrize(metafunc, self._lab.plan)

    @property
    def deaths(self) -> Sequence[Death]:
        """The kernels that are of no use any more."""
        return self.coroner.deaths if self.coroner else ()

    @pytest.hookimpl(trylast=True)  # behind -k
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Only what no lab before this one has done; last what no lab is of use after."""
        config.hook.pytest_deselected(items=[each for each in items if each.nodeid in self.done])
        left = [item for item in items if item.nodeid not in self.done]
        items[:] = sorted(left, key=_spoils)
        self.unfinished = [item.nodeid for item in items]

    @property
    def is_spent(self) -> bool:
        """Whether the lab is of no use for another test."""
        return self.spoiled or bool(self.deaths)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self) -> Generator[None, object, object]:
        """Keep vigil beside all tests."""
        with keep_vigil(self._lab) as vigil:
            self.coroner = Coroner(lab=self._lab, vigil=vigil)
            ran = yield
            self.verdicts += self.coroner.judge_warnings(self.verdicts)
            return ran

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A test is over."""
        self.done.add(nodeid)
        self.unfinished.remove(nodeid)

    def pytest_runtest_setup(self) -> None:
        """Before the first packet: nothing but our own traffic on any link."""
        if not self._silent:
            self._lab.restore_silence()
            self._silent = True

    @pytest.fixture
    def judge(self, request: pytest.FixtureRequest) -> Judge:
        """Takes a verdict of this test."""
        judged = self._judged.setdefault(request.node.nodeid, [])

        def take(verdict: Verdict) -> None:
            judged.append(verdict)
            self.on_verdict(verdict)

        return take

    @pytest.fixture
    def show(self) -> Show:
        """Takes what the report shows beside the verdicts: flow accounts, slots, strategies."""
        return self.exhibits.append

    @pytest.fixture
    def planted(self, link: Link) -> Iterator[None]:
        """The fault that was asked for, while this test runs, if its link is the one for faults."""
        fault: AbstractContextManager[None] = nullcontext()
        if self._plant is not None and link == link_for_faults(self._lab.plan):
            fault = planting(self._lab, link, self._plant, every=self._plant_every)
        with fault:
            yield

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Verdicts make the test's outcome: pytest's own says only whether it ran to its end."""
        report = yield
        # The same whatever else was asked for: pytest's own name begins where all paths meet.
        name = f"{item.path.parent.name}/{item.path.name}::{item.nodeid.partition('::')[2]}"
        found = [replace(each, test=name) for each in self._verdicts_of(item, call)]
        self.verdicts += found
        fine = {Outcome.PASS, Outcome.SKIP}
        bad = [verdict for verdict in found if verdict.outcome not in fine]
        if bad and report.passed:
            report.outcome = "failed"
            report.longrepr = "\n".join(map(str, bad))
        if call.when == "teardown" and _spoils(item):
            self.spoiled = True
            if self.unfinished != [item.nodeid]:
                item.session.shouldfail = "this lab is spoiled now, as it had to be"
        if self.deaths:
            item.session.shouldfail = f"{self.deaths[0].node} is of no use any more"
        return report

    def _verdicts_of(self, item: pytest.Item, call: pytest.CallInfo[None]) -> list[Verdict]:
        """What this phase of a test adds: its own verdicts, its error's, or that there are none."""
        judged = self._judged.pop(item.nodeid, []) if call.when == "call" else []
        error = call.excinfo.value if call.excinfo else None
        dead = self.coroner.examine(item.name, error) if self.coroner else ()
        if dead and not isinstance(error, AssertionError):
            return [*judged, *dead]  # whatever else went wrong, it is why
        if call.excinfo is not None:
            told = _verdict_of(item, call.excinfo)
            if told is None:
                self.bugs.append(f"{item.nodeid}: {call.excinfo.exconly()}")
            return [*judged, *filter(None, [told]), *dead]
        if call.when == "call" and not judged:
            return [_silent(item.name)]
        return judged


def run_suite(
    plugin: LabPlugin,
    paths: Sequence[Path],
    options: Sequence[str] = (),
    others: Sequence[object] = (),
) -> int:
    """Run tests inside the plugin's lab; pytest's own exit code, 5 where nothing was selected.

    The outcome is in the plugin's verdicts. `options` are pytest's, such as `-k`; `others` are
    further plugins. Tests are named from the folder on that all paths have in common.
    """
    root = os.path.commonpath([path if path.is_dir() else path.parent for path in paths])
    arguments = [*PYTEST_OPTIONS, f"--rootdir={root}", *options, *map(str, paths)]
    return int(pytest.main(arguments, plugins=[plugin, suite_fixtures, *others]))


def _verdict_of(item: pytest.Item, raised: pytest.ExceptionInfo[BaseException]) -> Verdict | None:
    """The verdict that an exception stands for; None for a bug in xenlab, or in a test.

    A test of somebody's own may simply assert: what does not hold there is a FAIL.
    """
    error = raised.value
    asserted = isinstance(error, AssertionError) and raised.traceback[-1].path == item.path
    if asserted or isinstance(error, pytest.fail.Exception):
        reasons = tuple(str(error).splitlines()) or (raised.exconly(),)
        return Verdict(
            rule=GIVES_A_VERDICT, subject=item.name, outcome=Outcome.FAIL, reasons=reasons,
            alarm=True,
        )  # fmt: skip
    if isinstance(error, Exception):
        return verdict_of_error(GIVES_A_VERDICT, item.name, error)
    return None


def _spoils(item: pytest.Item) -> bool:
    return item.get_closest_marker(SPOILS.partition(":")[0]) is not None


def _silent(name: str) -> Verdict:
    """Silence is never success."""
    return Verdict(
        rule=GIVES_A_VERDICT,
        subject=name,
        outcome=Outcome.INCONCLUSIVE,
        reasons=("the test ended without a verdict",),
        alarm=True,
    )
