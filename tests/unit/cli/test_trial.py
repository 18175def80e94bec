"""What comes behind the suites in a lab is not on the consoles that are the suites' own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from tests.unit.cli.test_mutant_trial import TWO_TESTS
from tests.unit.traffic.test_turn_watch import OLD, WARNING, Silent
from xenlab.cli.results import Results
from xenlab.cli.run_files import read_run
from xenlab.cli.suite_order import SuiteOrder
from xenlab.cli.trial import Trial
from xenlab.lab import Lab
from xenlab.plan.planner import plan_lab
from xenlab.topology.loading import load_topology


@dataclass(slots=True, kw_only=True)
class Standing(Silent):
    """A lab with a name for its results."""

    record: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(topology="pair"))

    def restore_silence(self) -> None:
        """There is nobody who could break it."""


def test_consoles_are_kept_before_anything_else_is_done_in_the_lab(tmp_path: Path) -> None:
    suite = tmp_path / "test_two.py"
    suite.write_text(TWO_TESTS)
    order = SuiteOrder.parse(
        (str(suite),), keyword="well", quick=False, plant=None, plant_every=None, repeat=1
    )
    results = Results(folder=tmp_path, command="x", json_path=None, junit_path=None)
    lab = Standing(plan=plan_lab(load_topology("pair")), said={"dom0": OLD})
    told: list[Mapping[str, int]] = []

    def warn(_lab: Lab, kept: Mapping[str, int]) -> None:
        told.append(kept)
        lab.say(WARNING)

    Trial(order=order, results=results, afterwards=warn)._run_once(cast(Lab, lab), {})

    assert told == [{"dom0": len(OLD), "alice": 0, "bob": 0}]
    assert sum(len(each.faults) for each in read_run(tmp_path).consoles) == 1
