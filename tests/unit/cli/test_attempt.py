"""What goes wrong while drivers take turns is told beside the verdicts that were there before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from tests.unit.kernel.test_patch_series import GOOD, write
from tests.unit.measure.test_contest import contest
from tests.unit.traffic.test_turn_watch import OLD, OOPS, WARNING, Silent
from tests.unit.verdict.test_comparison import verdict
from xenlab.cli.attempt import Attempt
from xenlab.cli.results import Results
from xenlab.cli.run_files import read_run
from xenlab.cli.sides import Sides
from xenlab.cli.suite_order import SuiteOrder
from xenlab.cli.trial import Afterwards
from xenlab.errors import DriverFailed, KernelFault, LabError, MeasurementError, XenlabError
from xenlab.kernel.patch_series import PatchSeries
from xenlab.lab import Lab
from xenlab.life.order import UpOrder
from xenlab.plan.planner import plan_lab
from xenlab.report.comparison import ComparisonView
from xenlab.topology.loading import load_topology
from xenlab.verdict.comparison import Turn
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.side import Side
from xenlab.verdict.turns import IN_TURNS

PLAN = plan_lab(load_topology("pair"))


@dataclass(frozen=True)
class Turns:
    """Both sides pass, and then their drivers cannot take turns."""

    results: Results
    order: SuiteOrder
    error: XenlabError
    said: bytes = b""
    whole: bool = False

    def run(
        self, name: str, _series: PatchSeries, *, stop_at_first: bool, afterwards: Afterwards
    ) -> Side:  # fmt: skip
        assert not stop_at_first
        self.results.begin(name, {})
        self.results.note([verdict(Outcome.PASS)])
        self.results.show(contest((1000, 900)).table)
        lab = Silent(plan=PLAN, said={"dom0": OLD})
        kept = self.results.keep_consoles((n, lab.console_bytes(n)) for n in PLAN.node_names)
        lab.say(self.said)
        afterwards(cast(Lab, lab), kept)
        return Side(verdicts=self.results.runs[-1].verdicts)

    def run_base(self) -> Side:
        return Side(verdicts=(verdict(Outcome.PASS),))

    def order_lab(self, _series: PatchSeries | None) -> UpOrder:
        raise self.error


def attempt(folder: Path, error: XenlabError, said: bytes = b"") -> tuple[Turns, ComparisonView]:
    order = SuiteOrder.parse(
        ("smoke",), keyword="", quick=False, plant=None, plant_every=None, repeat=1
    )
    results = Results(folder=folder, command="x", json_path=None, junit_path=None)
    turns = Turns(results, order, error, said)
    series = PatchSeries.read(write(folder, GOOD))
    return turns, Attempt(sides=cast(Sides, turns), series=series).run()


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (DriverFailed("2 still hold xen_netback", phase=""), Outcome.FAIL),
        (KernelFault("dom0", "oops", ()), Outcome.CRASH),
        (LabError("the channel broke"), Outcome.PASS),
        (MeasurementError("no counter"), Outcome.PASS),
    ],
)
def test_error_between_turns_leaves_the_comparison_that_there_is(
    tmp_path: Path, error: XenlabError, outcome: Outcome
) -> None:
    turns, view = attempt(tmp_path, error)

    assert view.comparison.outcome is outcome
    assert view.uncompared.startswith(str(error))
    changes = [each.turn for each in view.comparison.changes[1:]]
    assert changes == ([] if outcome is Outcome.PASS else [Turn.NEW])
    rules = [each.rule for each in view.comparison.patched.verdicts]
    assert rules == ["no loss", *([] if outcome is Outcome.PASS else [IN_TURNS])]
    assert len(turns.results._exhibits[-1]) == 1


def test_what_consoles_say_meanwhile_is_kept_apart_from_the_patched_sides(tmp_path: Path) -> None:
    _turns, view = attempt(tmp_path, LabError("the channel broke"), WARNING)

    (console,) = [each for each in read_run(tmp_path).consoles if each.node == "dom0"]
    assert [fault.headline for fault in console.faults] == [OLD.decode().partition("] ")[2].strip()]
    assert (tmp_path / "turns" / "0" / "dom0.console.log").read_bytes() == WARNING
    assert view.uncompared.startswith("kernel warning in dom0")
    assert view.comparison.outcome is Outcome.INCONCLUSIVE  # no turn of the base's came before it


def test_crash_of_the_patched_sides_turn_is_the_patchs(tmp_path: Path) -> None:
    _turns, view = attempt(tmp_path, LabError("the channel broke"), OOPS)

    assert view.comparison.outcome is Outcome.CRASH
    assert [each.rule for each in view.comparison.patched.verdicts] == ["no loss", IN_TURNS]
    scene = tmp_path / "crashes" / "0"
    assert b"NULL pointer" in (scene / "0-dom0.txt").read_bytes()
    assert (scene / "xenstore.txt").exists()


def test_turns_without_a_crash_leave_no_scene_of_one(tmp_path: Path) -> None:
    attempt(tmp_path, LabError("the channel broke"), WARNING)

    assert not (tmp_path / "crashes").exists()
