"""What a trial of a mutant makes of suites that cannot be run; none of them is a pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.unit.cli.test_mutant_run import MUTANT, unopened
from tests.unit.traffic.test_turn_watch import WARNING, Silent
from tests.unit.verdict.test_mutation import CATCH
from xenlab.cli.mutant_lab import PYTEST_OPTIONS
from xenlab.cli.mutant_trial import SUITES, Eye, MutantTrial
from xenlab.cli.suite_order import SHIPPED
from xenlab.errors import LabError
from xenlab.kernel.driver import DriverKind
from xenlab.lab import Lab
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.pytest_plugin import LabPlugin, run_suite
from xenlab.topology.loading import load_topology
from xenlab.traffic.ladder import Extent
from xenlab.verdict.console_rule import CONSOLE_CLEAN
from xenlab.verdict.mutation import Catch, Ending

TWO_TESTS = """
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

def test_silent(judge):
    pass

def test_well(judge):
    judge(Verdict(rule="no loss", subject="alice -> bob", outcome=Outcome.PASS))
"""


TALKING = f"""
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

def test_talks(lab, judge):
    lab.say({WARNING!r})
    judge(Verdict(rule="no loss", subject="alice -> bob", outcome=Outcome.PASS))
"""


@dataclass(slots=True, kw_only=True)
class Talking(Silent):
    """Its consoles show what a test has them say."""

    def restore_silence(self) -> None:
        """There is nobody who could break it."""


@dataclass(slots=True, kw_only=True)
class Emptied(MutantTrial):
    """Its suites all run at once, and see this."""

    caught: Catch | None = None

    def run_suites(self, _lab: Lab, left: list[str]) -> Catch | None:
        left.clear()
        return self.caught


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbuilt:
    """All that there is of a lab before it comes up; tests that ask no node need no more of it."""

    plan: LabPlan
    on_emulated_cpu: bool = True

    @staticmethod
    def console_bytes(_node: str, _offset: int) -> bytes:
        """Nothing has been said yet."""
        return b""

    def restore_silence(self) -> None:
        """There is nobody who could break it."""


@pytest.fixture(scope="module")
def unbuilt() -> Lab:
    return cast(Lab, Unbuilt(plan=plan_lab(load_topology("pair"))))


@pytest.mark.parametrize("suite", sorted({suite for suites in SUITES.values() for suite in suites}))
def test_every_suite_is_collected_with_an_eye_on_it(unbuilt: Lab, suite: str) -> None:
    plugin = LabPlugin(unbuilt, extent=Extent.QUICK)
    options = [*PYTEST_OPTIONS, "--collect-only"]

    assert (
        run_suite(plugin, [SHIPPED / suite], options, [Eye(lab=unbuilt, suite=suite)])
        == pytest.ExitCode.OK
    )
    assert plugin.unfinished


@pytest.fixture
def trial() -> MutantTrial:
    return MutantTrial(mutant=MUTANT, opening=unopened)


def test_what_stands_behind_a_test_without_a_verdict_is_run_in_the_next_lab(
    unbuilt: Lab, trial: MutantTrial, tmp_path: Path
) -> None:
    (tmp_path / "test_two.py").write_text(TWO_TESTS)
    left = [str(tmp_path)]

    assert trial.run_suites(unbuilt, left) is None
    assert left == [str(tmp_path)]
    assert [trouble.partition(": ")[2] for trouble in trial.troubles] == [
        "INCONCLUSIVE gives a verdict, test_silent: the test ended without a verdict"
    ]
    assert trial.run_suites(unbuilt, left) is None
    assert (left, len(trial.troubles)) == ([], 1)


def test_suite_that_did_not_run_is_a_trouble(unbuilt: Lab, trial: MutantTrial) -> None:
    assert trial.run_suites(unbuilt, ["nowhere"]) is None
    assert trial.troubles == ["nowhere: pytest ended with USAGE_ERROR"]


def test_lab_that_breaks_behind_its_last_suite_is_that_suites_trouble(
    unbuilt: Lab,
) -> None:
    names = SUITES[DriverKind.NETFRONT]

    @contextmanager
    def breaking() -> Iterator[Lab]:
        yield unbuilt
        raise LabError("the lab could not be removed")

    trial = Emptied(mutant=MUTANT, opening=breaking)
    mutation = trial.run()

    assert mutation.ending is Ending.UNDECIDED
    assert mutation.troubles == (f"{names[-1]}: the lab could not be removed",)


def test_lab_that_never_comes_up_is_a_trouble_of_every_suite() -> None:
    def down() -> AbstractContextManager[Lab]:
        raise LabError("it does not come up")

    mutation = MutantTrial(mutant=MUTANT, opening=down).run()

    names = [trouble.partition(":")[0] for trouble in mutation.troubles]
    assert names == list(SUITES[DriverKind.NETFRONT])


def test_catch_stands_though_the_lab_breaks_behind_it(unbuilt: Lab) -> None:
    @contextmanager
    def breaking() -> Iterator[Lab]:
        yield unbuilt
        raise LabError("the lab could not be removed")

    mutation = Emptied(mutant=MUTANT, opening=breaking, caught=CATCH).run()

    assert mutation.catch is CATCH
    assert len(mutation.troubles) == 1


def test_what_consoles_show_behind_all_tests_is_the_whole_suites(
    trial: MutantTrial, tmp_path: Path
) -> None:
    (tmp_path / "test_talk.py").write_text(TALKING)
    lab = Talking(plan=plan_lab(load_topology("pair")))

    catch = trial.run_suites(cast(Lab, lab), [str(tmp_path)])

    assert catch is not None
    assert (catch.place.is_whole_suite, catch.verdict.rule) == (True, CONSOLE_CLEAN)
