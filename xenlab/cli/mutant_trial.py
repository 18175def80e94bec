"""MutantTrial: one mutant in labs from the bare checkpoint, suite by suite until one catches it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from xenlab.cli.mutant_lab import TESTS_RAN, TOPOLOGY, Opening, name_test, run_witnessed
from xenlab.cli.trial import COMES_UP
from xenlab.errors import DriverFailed, EmulatorFault, GuestLost, KernelFault, LabError
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.mutant import Mutant
from xenlab.lab import Lab
from xenlab.plan.model import Link
from xenlab.pytest_plugin import LabPlugin
from xenlab.traffic.ladder import Extent
from xenlab.verdict.console_rule import CONSOLE_CLEAN
from xenlab.verdict.mutation import (
    CATCHING,
    UP,
    Catch,
    Mutation,
    Place,
    find_catch,
    find_troubles,
)
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


@dataclass(slots=True, kw_only=True)
class Eye:
    """A plugin that sees in which test each verdict was come to; the first against it is kept.

    The machine is powered off with it: nobody needs it any more, and whatever a test would tidy up
    in a lab with a broken driver ends at once.
    """

    lab: Lab
    suite: str
    test: str = ""
    catch: Catch | None = None
    interruption: BaseException | None = None

    @property
    def place(self) -> Place:
        """The test that runs, or ran last."""
        return Place(suite=self.suite, test=self.test)

    def look(self, verdict: Verdict) -> None:
        """Take note of a verdict. Raises GuestLost once there is nothing more to be seen."""
        if verdict.outcome in CATCHING and self.catch is None:
            self.catch = find_catch(self.place, [verdict])
            self.lab.machine.destroy()
        if self.catch is not None:
            raise GuestLost("the machine was powered off: its driver is found out")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """First what goes from domU to domU: it crosses both drivers in both directions."""
        items.sort(key=lambda item: not _crosses_both(item))

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """A test begins."""
        self.test = name_test(nodeid)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Somebody wants us to end; pytest has ended its session in good order."""
        self.interruption = excinfo.value


@dataclass(slots=True, kw_only=True)
class MutantTrial:
    """The trial of one mutant; `opening` is a lab with its driver."""

    mutant: Mutant
    opening: Opening
    troubles: list[str] = field(default_factory=list)
    _done: dict[str, frozenset[str]] = field(default_factory=dict)
    _started_s: float = field(default_factory=time.monotonic)

    def run(self) -> Mutation:
        """Put it through the suites."""
        self._started_s = time.monotonic()
        catch = self._find_catch()
        return self.end(tuple(self.troubles), catch)

    def end(self, troubles: tuple[str, ...], catch: Catch | None = None) -> Mutation:
        """What it has come to by now."""
        return Mutation(
            name=self.mutant.name,
            harmless=self.mutant.harmless,
            equivalent=self.mutant.equivalent,
            elapsed_s=time.monotonic() - self._started_s,
            catch=catch,
            troubles=troubles,
        )

    def _find_catch(self) -> Catch | None:
        """Suite by suite in one lab, and in a new one where a test could not come to its end."""
        left = list(order_suites(self.mutant))
        catch: Catch | None = None
        while left and catch is None:
            before = tuple(left)
            try:
                with self.opening() as lab:
                    catch = self.run_suites(lab, left)
            except (LabError, EmulatorFault) as error:
                self.troubles.append(f"{take_broken(before, left)}: {error}")
            except (DriverFailed, KernelFault) as error:
                verdict = verdict_of_error(COMES_UP, lab_subject(self.mutant), error)
                return find_catch(UP, [verdict] if verdict else [])
        return catch

    def run_suites(self, lab: Lab, left: list[str]) -> Catch | None:
        """Run what is left of the suites until one catches it, or could not come to its end.

        What kept it from there is among the troubles, and what it has not run is left.
        """
        while left:
            suite = left.pop(0)
            eye = Eye(lab=lab, suite=suite)
            plugin = LabPlugin(lab, extent=Extent.QUICK, done=self._done.get(suite, ()))
            plugin.on_verdict = eye.look
            troubles = self._run_suite(suite, plugin, eye)
            catch = eye.catch or _find_late(eye, plugin.verdicts)
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
        code = run_witnessed(suite, plugin, eye)
        silent = () if code in TESTS_RAN else (f"pytest ended with {pytest.ExitCode(code).name}",)
        return (*find_troubles(plugin.verdicts), *plugin.bugs, *silent)


def order_suites(mutant: Mutant) -> tuple[str, ...]:
    """All suites, those first that its header names."""
    suites = SUITES[mutant.kind]
    first = [suite for suite in mutant.suites if suite in suites]
    return tuple(dict.fromkeys((*first, *suites)))


def take_broken(before: Sequence[str], left: list[str]) -> str:
    """The suite that a lab broke under: the last that was taken of those before.

    Where none was, it is the first, and is not left any more.
    """
    taken = len(before) - len(left)
    return before[taken - 1] if taken > 0 else left.pop(0)


def _find_late(eye: Eye, verdicts: Sequence[Verdict]) -> Catch | None:
    """What a test did not hand in itself: what it died of, or the consoles when all were over."""
    catch = find_catch(eye.place, verdicts)
    if catch is None or catch.verdict.rule != CONSOLE_CLEAN:
        return catch
    return Catch(place=Place(suite=eye.suite, test=eye.suite), verdict=catch.verdict)


def lab_subject(mutant: Mutant) -> str:
    """What `up` is about."""
    return f"{TOPOLOGY} with {mutant.name}"


def _crosses_both(item: pytest.Item) -> bool:
    """Whether a test is of a link between domUs."""
    # pytest knows a `callspec` of those only that are parametrized.
    callspec = getattr(item, "callspec", None)
    parameters = callspec.params.values() if callspec else ()
    links = (value for value in parameters if isinstance(value, Link))
    return any(link.source_vif and link.sink_vif for link in links)
