"""MutantTrial: one mutant in labs from the bare checkpoint, suite by suite until one catches it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from xenlab.checkpoint.key import Level
from xenlab.cli.suite_order import SHIPPED
from xenlab.cli.trial import COMES_UP
from xenlab.errors import DriverFailed, EmulatorFault, GuestLost, KernelFault, LabError
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.mutant import Mutant
from xenlab.lab import Lab
from xenlab.life.order import Undertaking, UpOrder
from xenlab.life.phases import Phases, Watcher
from xenlab.life.removal import remove_whole_lab
from xenlab.plan.model import Link
from xenlab.pytest_plugin import LabPlugin, run_suite
from xenlab.traffic.ladder import Extent
from xenlab.verdict.mutation import CATCHING, Catch, Mutation, find_catch, find_troubles
from xenlab.verdict.verdict import Verdict, verdict_of_error

# The quick ones first. A suite that replaces netfront itself sees nothing of a mutant of it; and
# those that are not here are about other things than a driver, or about other set-ups.
SUITES = {
    DriverKind.NETFRONT: ("smoke", "slots", "upkeep", "compound", "gso", "rx", "nomem", "pktgen"),
    DriverKind.NETBACK: (
        "smoke", "slots", "fraglist", "nomem", "malformed", "upkeep", "compound", "gso", "rx",
        "pktgen",
    ),
}  # fmt: skip
# All else means that tests are left which did not run, and of which nothing is told.
TESTS_RAN = frozenset({pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED})
PYTEST_OPTIONS = ("-q", "--no-header", "--tb=short", "-rN", "-x")


@dataclass(slots=True, kw_only=True)
class Eye:
    """A plugin that sees in which test each verdict was come to; the first against it is kept.

    The machine is powered off with it: nobody needs it any more, and whatever a test would tidy up
    in a lab with a broken driver ends at once.
    """

    lab: Lab
    test: str = ""
    catch: Catch | None = None
    interruption: BaseException | None = None

    def look(self, verdict: Verdict) -> None:
        """Take note of a verdict. Raises GuestLost once there is nothing more to be seen."""
        if verdict.outcome in CATCHING and self.catch is None:
            self.catch = find_catch(self.test, [verdict])
            self.lab.machine.destroy()
        if self.catch is not None:
            raise GuestLost("the machine was powered off: its driver is found out")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """First what goes from domU to domU: it crosses both drivers in both directions."""
        items.sort(key=lambda item: not _crosses_both(item))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self.test = nodeid.rpartition("/")[2].removesuffix(".py")

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Somebody wants us to end; pytest has ended its session in good order."""
        self.interruption = excinfo.value


@dataclass(slots=True, kw_only=True)
class MutantTrial:
    """The trial of one mutant."""

    mutant: Mutant
    lab_name: str
    watcher: Watcher
    troubles: list[str] = field(default_factory=list)
    _done: dict[str, frozenset[str]] = field(default_factory=dict)

    def run(self) -> Mutation:
        """Put it through the suites."""
        started_s = time.monotonic()
        catch = self._find_catch()
        return Mutation(
            name=self.mutant.name,
            harmless=self.mutant.harmless,
            equivalent=self.mutant.equivalent,
            elapsed_s=time.monotonic() - started_s,
            catch=catch,
            troubles=tuple(self.troubles),
        )

    def _find_catch(self) -> Catch | None:
        """Suite by suite in one lab, and in a new one where a test could not come to its end."""
        left = list(order_suites(self.mutant))
        while left:
            try:
                with self._opened() as lab:
                    catch = self.run_suites(lab, left)
            except (LabError, EmulatorFault) as error:
                self.troubles.append(f"{left.pop(0)}: {error}")
                continue
            except (DriverFailed, KernelFault) as error:
                verdict = verdict_of_error(COMES_UP, lab_subject(self.mutant), error)
                return find_catch("up", [verdict] if verdict else [])
            if catch is not None:
                return catch
        return None

    def run_suites(self, lab: Lab, left: list[str]) -> Catch | None:
        """Run what is left of the suites until one catches it, or could not come to its end.

        What kept it from there is among the troubles, and what it has not run is left.
        """
        while left:
            suite = left.pop(0)
            eye = Eye(lab=lab)
            plugin = LabPlugin(lab, extent=Extent.QUICK, done=self._done.get(suite, ()))
            plugin.on_verdict = eye.look
            troubles = self._run_suite(suite, plugin, eye)
            catch = eye.catch or find_catch(eye.test, plugin.verdicts)
            if catch is not None:
                return catch
            if troubles:
                self.troubles += [f"{suite}: {trouble}" for trouble in troubles]
                if plugin.done > self._done.get(suite, frozenset()) and plugin.unfinished:
                    left.insert(0, suite)
                self._done[suite] = frozenset(plugin.done)
                return None
        return None

    @staticmethod
    def _run_suite(suite: str, plugin: LabPlugin, eye: Eye) -> tuple[str, ...]:
        """Run one suite, up to the first test that is not all right; what kept it from its end."""
        # pytest's own words are progress: the result on standard output is ours.
        with contextlib.redirect_stdout(sys.stderr):
            code = run_suite(plugin, [SHIPPED / suite], PYTEST_OPTIONS, [eye])
        if eye.interruption is not None:
            raise eye.interruption
        silent = () if code in TESTS_RAN else (f"pytest ended with {pytest.ExitCode(code).name}",)
        return (*find_troubles(plugin.verdicts), *plugin.bugs, *silent)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Lab]:
        """A lab with the mutant's driver in all nodes that it is for; it is gone afterwards."""
        path = str(self.mutant.path)
        back = self.mutant.kind is DriverKind.NETBACK
        order = UpOrder(
            topology="pair",
            lab=self.lab_name,
            netback=path if back else None,
            netfront=() if back else (path,),
            start_from=Level.BARE,
            transient=True,
        )
        lab = Undertaking(order=order, phases=Phases(watcher=self.watcher)).bring_up().lab
        with contextlib.closing(lab):
            try:
                yield lab
            finally:
                remove_whole_lab(lab.record)


def order_suites(mutant: Mutant) -> tuple[str, ...]:
    """All suites, those first that its header names."""
    suites = SUITES[mutant.kind]
    first = [suite for suite in mutant.suites if suite in suites]
    return tuple(dict.fromkeys((*first, *suites)))


def lab_subject(mutant: Mutant) -> str:
    """What `up` is about."""
    return f"pair with {mutant.name}"


def _crosses_both(item: pytest.Item) -> bool:
    """Whether a test is of a link between domUs."""
    # pytest knows a `callspec` of those only that are parametrized.
    callspec = getattr(item, "callspec", None)
    parameters = callspec.params.values() if callspec else ()
    links = (value for value in parameters if isinstance(value, Link))
    return any(link.source_vif and link.sink_vif for link in links)
