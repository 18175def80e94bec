"""A mutant that cannot be tried is one row of the table, and a run that ends early has a table."""

from __future__ import annotations

import json
from concurrent.futures import Future
from contextlib import AbstractContextManager
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from xenlab.cli.mutant_run import building, showing, try_mutant
from xenlab.cli.mutant_trial import MutantTrial
from xenlab.errors import InputError, VersionUnavailable
from xenlab.kernel.driver import DriverKind
from xenlab.kernel.mutant import Mutant
from xenlab.lab import Lab
from xenlab.plan.planner import plan_lab
from xenlab.report.progress import open_progress
from xenlab.topology.loading import load_topology
from xenlab.verdict.mutation import Ending, Mutation

MUTANT = Mutant(name="netfront-x", path=Path("netfront-x.patch"), kind=DriverKind.NETFRONT)


def unopened() -> AbstractContextManager[Lab]:
    raise AssertionError("no lab is needed for that")


def fail_to_build(error: Exception) -> Mutation:
    built: Future[object] = Future()
    built.set_exception(error)
    return try_mutant(MutantTrial(mutant=MUTANT, opening=unopened), built)


@pytest.mark.parametrize(
    "error", [InputError("netfront-x.patch:9: does not apply"), VersionUnavailable("no gcc")]
)
def test_mutant_that_cannot_be_built_is_undecided_and_says_why(error: Exception) -> None:
    mutation = fail_to_build(error)

    assert mutation.ending is Ending.UNDECIDED
    assert mutation.troubles == (str(error),)


def be_interrupted(json_path: str | None) -> None:
    with showing(json_path) as done:
        done.append(fail_to_build(InputError("does not apply")))
        raise KeyboardInterrupt


@pytest.mark.parametrize("json_path", [None, "-"])
def test_run_that_is_interrupted_shows_what_was_tried(
    capsys: pytest.CaptureFixture[str], json_path: str | None
) -> None:
    with pytest.raises(KeyboardInterrupt):
        be_interrupted(json_path)

    said = capsys.readouterr().out
    if json_path is None:
        assert "netfront-x" in said
        assert "1 undecided" in said
    else:
        assert [each["name"] for each in json.loads(said)["mutants"]] == ["netfront-x"]


@pytest.mark.usefixtures("home")
def test_harmless_rewrite_may_have_a_mutants_name() -> None:
    harmless = replace(MUTANT, same="it is the same")
    plan, progress = plan_lab(load_topology("pair")), open_progress(StringIO())

    with building([MUTANT, harmless], plan, progress) as built:
        assert set(built) == {MUTANT, harmless}
        assert {type(each.exception()) for each in built.values()} == {InputError}
