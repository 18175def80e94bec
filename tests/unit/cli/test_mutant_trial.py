"""What a trial of a mutant makes of suites that cannot be run; none of them is a pass."""

from __future__ import annotations

from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import cast

import pytest

from xenlab.cli.mutant_trial import PYTEST_OPTIONS, SUITES, Eye, MutantTrial
from xenlab.cli.suite_order import SHIPPED
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.mutant import Mutant
from xenlab.lab import Lab
from xenlab.plan.model import LabPlan
from xenlab.plan.planner import plan_lab
from xenlab.pytest_plugin import LabPlugin, run_suite
from xenlab.report.progress import open_progress
from xenlab.topology.loading import load_topology
from xenlab.traffic.ladder import Extent

TWO_TESTS = """
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

def test_silent(judge):
    pass

def test_well(judge):
    judge(Verdict(rule="no loss", subject="alice -> bob", outcome=Outcome.PASS))
"""


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

    assert run_suite(plugin, [SHIPPED / suite], options, [Eye(lab=unbuilt)]) == pytest.ExitCode.OK
    assert plugin.unfinished


@pytest.fixture
def trial() -> MutantTrial:
    mutant = Mutant(name="netfront-x", path=Path("netfront-x.patch"), kind=DriverKind.NETFRONT)
    return MutantTrial(mutant=mutant, lab_name="none", watcher=open_progress(StringIO()))


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
