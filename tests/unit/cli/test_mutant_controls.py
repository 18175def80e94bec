"""Stock drivers are tried in just the tests that caught mutants, each once, in few labs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import cast

import pytest

from tests.unit.cli.test_mutant_trial import Unbuilt
from tests.unit.verdict.test_mutation import mutation, verdict
from xenlab.cli.mutant_controls import Controls
from xenlab.cli.mutant_run import count_waiting, settle
from xenlab.errors import DriverFailed, KernelFault, LabError, XenlabError
from xenlab.lab import Lab
from xenlab.plan.planner import plan_lab
from xenlab.report.progress import open_progress
from xenlab.topology.loading import load_topology
from xenlab.verdict.mutation import UP, Catch, Ending, Mutation, Place
from xenlab.verdict.outcome import Outcome

# Each test that runs leaves its name, for there is nothing else to see that it did.
TESTS = """
from pathlib import Path

import pytest

from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

@pytest.fixture(autouse=True)
def name(request):
    with (Path(__file__).parent / "ran").open("a") as file:
        file.write(request.node.name + " ")

def test_well(judge):
    judge(Verdict(rule="no loss", subject="alice -> bob", outcome=Outcome.PASS))

def test_fails(judge):
    judge(Verdict(rule="no loss", subject="alice -> bob", outcome=Outcome.FAIL))

def test_silent(judge):
    pass
"""


@dataclass(slots=True)
class Labs:
    """Labs as they are opened; the first do not come up, or break behind what ran in them."""

    down: list[XenlabError] = field(default_factory=list)
    breaking: list[XenlabError] = field(default_factory=list)
    opened: int = 0

    @contextmanager
    def open(self) -> Iterator[Lab]:
        self.opened += 1
        if self.down:
            raise self.down.pop(0)
        yield cast(Lab, Unbuilt(plan=plan_lab(load_topology("pair"))))
        if self.breaking:
            raise self.breaking.pop(0)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file_of(tmp_path).write_text(TESTS)
    return tmp_path


def file_of(suite: Path) -> Path:
    """Under a name of its own: a process imports a test file of one name once."""
    return suite / f"test_{suite.name}.py"


def caught(suite: Path, test: str, name: str = "netfront-x") -> Mutation:
    place = Place(suite=str(suite), test=f"{file_of(suite).name}::{test}")
    return caught_at(place, name)


def caught_at(place: Place, name: str = "netfront-x") -> Mutation:
    catch = Catch(place=place, verdict=verdict(Outcome.FAIL))
    return replace(mutation(catch=catch, control=None), name=name)


def run_of(suite: Path) -> list[str]:
    return (suite / "ran").read_text().split() if (suite / "ran").exists() else []


def test_test_that_caught_several_is_run_once_and_no_other_is(suite: Path) -> None:
    labs = Labs()
    controls = Controls(opening=labs.open)
    done = [caught(suite, "test_well"), caught(suite, "test_well", "netfront-y"), mutation()]
    assert count_waiting(done) == 2

    settle(done, controls, open_progress(StringIO()))
    settle(done, controls, open_progress(StringIO()))
    (again,) = controls.settle([caught(suite, "test_well", "netfront-z")])

    assert [each.ending for each in done] == [Ending.KILLED, Ending.KILLED, Ending.SURVIVED]
    assert again.ending is Ending.KILLED
    assert (run_of(suite), labs.opened, count_waiting(done)) == (["test_well"], 1, 0)


def test_mutant_is_undecided_where_stock_drivers_do_not_pass_and_the_rest_has_another_lab(
    suite: Path,
) -> None:
    labs = Labs()
    tests = ("test_fails", "test_silent", "test_nowhere", "test_well")

    done = Controls(opening=labs.open).settle([caught(suite, test) for test in tests])

    assert [each.ending for each in done] == [*[Ending.UNDECIDED] * 3, Ending.KILLED]
    said = [each.troubles[0] for each in done[:3]]
    assert all(each.startswith("control: stock drivers were not seen to pass it") for each in said)
    assert "FAIL no loss" in said[0]
    assert "without a verdict" in said[1]
    assert "NO_TESTS_COLLECTED" in said[2]
    assert (run_of(suite), labs.opened) == (["test_fails", "test_silent", "test_well"], 4)


def test_whole_suite_is_run_where_no_single_test_caught_it(suite: Path) -> None:
    file_of(suite).write_text(TESTS.partition("def test_fails")[0])
    place = Place(suite=str(suite), test=str(suite))

    (done,) = Controls(opening=Labs().open).settle([caught_at(place)])

    assert done.ending is Ending.KILLED
    assert run_of(suite) == ["test_well"]


def test_lab_that_comes_up_is_the_control_of_one_that_does_not(suite: Path) -> None:
    labs = Labs()
    controls = Controls(opening=labs.open)

    (first,) = controls.settle([caught(suite, "test_well")])
    (up,) = controls.settle([caught_at(UP)])

    assert (first.ending, up.ending, labs.opened) == (Ending.KILLED, Ending.KILLED, 1)
    assert Controls(opening=Labs().open).settle([caught_at(UP)])[0].ending is Ending.KILLED


@pytest.mark.parametrize(
    "error",
    [LabError("no"), DriverFailed("no", phase=""), KernelFault("dom0", "no", ())],
)
def test_stock_lab_that_does_not_come_up_leaves_all_undecided(
    suite: Path, error: XenlabError
) -> None:
    labs = Labs(down=[error])

    done = Controls(opening=labs.open).settle([caught(suite, "test_well"), caught_at(UP)])

    assert [each.ending for each in done] == [Ending.UNDECIDED] * 2
    assert all("no lab with them came up" in each.troubles[0] for each in done)
    assert (labs.opened, run_of(suite)) == (1, [])


def test_lab_that_breaks_takes_no_control_with_it_that_was_not_begun(suite: Path) -> None:
    labs = Labs(breaking=[LabError("the lab could not be removed")])
    tests = ("test_fails", "test_well")

    done = Controls(opening=labs.open).settle([caught(suite, test) for test in tests])

    assert [each.ending for each in done] == [Ending.UNDECIDED, Ending.KILLED]
    assert "FAIL no loss" in done[0].troubles[0]
    assert (run_of(suite), labs.opened) == (["test_fails", "test_well"], 2)


def test_nothing_is_opened_where_no_control_is_missing() -> None:
    labs = Labs()

    Controls(opening=labs.open).settle([mutation(), mutation(harmless=True)])

    assert labs.opened == 0
