"""Controls: what stock drivers come to in the tests that caught mutants, each once in a run."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import pytest

from xenlab.cli.mutant_lab import TESTS_RAN, Opening, name_test, run_witnessed
from xenlab.errors import DriverFailed, KernelFault, LabError
from xenlab.lab import Lab
from xenlab.pytest_plugin import LabPlugin
from xenlab.traffic.ladder import Extent
from xenlab.verdict.mutation import UP, Control, Mutation, Place, judge_control


@dataclass(slots=True, kw_only=True)
class Chosen:
    """A plugin that leaves one test of a suite, or all where the place is the whole suite."""

    place: Place
    interruption: BaseException | None = None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """No other test than that."""
        if not self.place.is_whole_suite:
            items[:] = [item for item in items if name_test(item.nodeid) == self.place.test]

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Somebody wants us to end; pytest has ended its session in good order."""
        self.interruption = excinfo.value


@dataclass(slots=True, kw_only=True)
class Controls:
    """Labs with stock drivers, opened only where a control is missing; what is known stays."""

    opening: Opening
    _known: dict[Place, Control] = field(default_factory=dict)
    _lap_s: float = 0.0

    def settle(self, mutations: Iterable[Mutation]) -> list[Mutation]:
        """The same, each that was caught with its control; those that are missing are run."""
        mutations = list(mutations)
        caught = (each.catch.place for each in mutations if each.catch and each.control is None)
        self.run(caught)
        return [self._add(each) for each in mutations]

    def run(self, places: Iterable[Place]) -> None:
        """Run the controls of these places that are not known yet, in as few labs as it takes.

        Behind a test that stock drivers do not pass the rest has another lab.
        """
        self._lap_s = time.monotonic()
        left = [place for place in dict.fromkeys(places) if place not in self._known]
        while left:
            came_up = False
            try:
                with self.opening() as lab:
                    came_up = True
                    self._note_up(asked=UP in left)
                    self._run_in(lab, left)
            except (LabError, DriverFailed, KernelFault) as error:
                self._note_broken(left, error, came_up=came_up)
            left = [place for place in left if place not in self._known]

    def _run_in(self, lab: Lab, places: Iterable[Place]) -> None:
        """Run controls in a lab with stock drivers, up to the first that is not passed."""
        for place in places:
            if place in self._known:
                continue
            chosen = Chosen(place=place)
            plugin = LabPlugin(lab, extent=Extent.QUICK)
            code = run_witnessed(place.suite, plugin, chosen)
            ran = () if code in TESTS_RAN else (f"pytest ended with {pytest.ExitCode(code).name}",)
            self._note(place, judge_control(plugin.verdicts, (*plugin.bugs, *ran)))
            if not self._known[place].passed or plugin.is_spent:
                return

    def _note_up(self, *, asked: bool) -> None:
        """That it came up is a control as well; else its seconds are those of the first test."""
        if asked:
            self._note(UP, "")
        self._known.setdefault(UP, Control(why="", elapsed_s=0.0))

    def _note_broken(self, left: Sequence[Place], error: Exception, *, came_up: bool) -> None:
        """What has no control for a lab broke: all where none came up, or else what it began with.

        What came behind that, or never began, has another lab.
        """
        told = "the lab broke" if came_up else "no lab with them came up"
        for place in left[:1] if came_up else left:
            self._note(place, f"{told}: {error}")

    def _note(self, place: Place, why: str) -> None:
        """Keep what a control came to, unless that is known; `why` it is no pass."""
        if place not in self._known:
            before_s, self._lap_s = self._lap_s, time.monotonic()
            self._known[place] = Control(why=why, elapsed_s=self._lap_s - before_s)

    def _add(self, mutation: Mutation) -> Mutation:
        known = self._known.get(mutation.catch.place) if mutation.catch else None
        return mutation if known is None or mutation.control else mutation.controlled(known)
