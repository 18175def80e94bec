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


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbuilt:
    """All that there is of a lab before it comes up; tests are collected by no more than it."""

    plan: LabPlan

    @staticmethod
    def console_bytes(_node: str, _offset: int) -> bytes:
        """Nothing has been said yet."""
        return b""


@pytest.fixture(scope="module")
def unbuilt() -> Lab:
    return cast(Lab, Unbuilt(plan=plan_lab(load_topology("pair"))))


@pytest.mark.parametrize("suite", sorted({suite for suites in SUITES.values() for suite in suites}))
def test_every_suite_is_collected_with_an_eye_on_it(unbuilt: Lab, suite: str) -> None:
    plugin = LabPlugin(unbuilt, extent=Extent.QUICK)
    options = [*PYTEST_OPTIONS, "--collect-only"]

    assert run_suite(plugin, [SHIPPED / suite], options, [Eye(lab=unbuilt)]) == pytest.ExitCode.OK
    assert plugin.unfinished


def test_suite_that_did_not_run_is_a_trouble(unbuilt: Lab) -> None:
    mutant = Mutant(name="netfront-x", path=Path("netfront-x.patch"), kind=DriverKind.NETFRONT)
    trial = MutantTrial(mutant=mutant, lab_name="none", watcher=open_progress(StringIO()))

    assert trial.run_suites(unbuilt, ["nowhere"]) is None
    assert trial.troubles == ["nowhere: pytest ended with USAGE_ERROR"]
