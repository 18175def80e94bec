"""What a walk along a series blames its patches for, and where a bisection is not begun at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest

from tests.unit.kernel.test_patch_series import GOOD, write
from tests.unit.verdict.test_comparison import verdict
from xenlab.cli.attempt import Attempt
from xenlab.cli.results import Results
from xenlab.cli.series_walks import BUILDS, bisect_series, walk_series
from xenlab.cli.sides import Sides
from xenlab.errors import DoesNotCompile, InputError
from xenlab.kernel.patch_series import PatchSeries
from xenlab.report.attempt import Told, tell_bisection, tell_walk
from xenlab.report.series_walk import SeriesWalk
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.side import Side

THE_BASE = "the base does not pass: no patch of the range is to blame for that"
PASS, FAIL, CRASH = Outcome.PASS, Outcome.FAIL, Outcome.CRASH
INCONCLUSIVE = Outcome.INCONCLUSIVE
COMPILER = ("drivers/net/xen-netfront.c:5: error: x", "drivers/net/xen-netfront.c:9: error: y")


@dataclass
class Known:
    """Sides that were run before: what comes of the base, and of so many patches.

    None does not build.
    """

    results: Results
    base: Outcome
    patched: dict[int, Outcome | None]
    tried: list[int] = field(default_factory=list)
    error: InputError = field(default_factory=lambda: DoesNotCompile(*COMPILER))

    def run_base(self) -> Side:
        return Side(verdicts=(verdict(self.base),))

    def run(self, _name: str, series: PatchSeries, *, stop_at_first: bool) -> Side:
        assert stop_at_first
        self.tried.append(len(series.patches))
        outcome = self.patched[self.tried[-1]]
        if outcome is None:
            raise self.error
        return Side(verdicts=(verdict(outcome),))


@dataclass(frozen=True)
class Short:
    """The attempt of a series that is run in short."""

    sides: Sides
    series: PatchSeries
    quick: bool = True


def attempt(folder: Path, base: Outcome, *patched: Outcome | None) -> tuple[Short, Known]:
    """A series with which that comes of its patches."""
    for number, _each in enumerate(patched):
        write(folder, GOOD, f"{number}.patch")
    results = Results(folder=folder, command="x", json_path=None, junit_path=None)
    known = Known(results=results, base=base, patched=dict(enumerate(patched, start=1)))
    return Short(sides=cast(Sides, known), series=PatchSeries.read(folder)), known


def bisect(folder: Path, base: Outcome, *patched: Outcome | None) -> tuple[Told, list[int]]:
    """What is told of a series with which that comes of its patches, and which were tried."""
    short, known = attempt(folder, base, *patched)
    return tell_bisection(bisect_series(cast(Attempt, short), 0)), known.tried


def test_first_bad_patch_is_named(tmp_path: Path) -> None:
    told, tried = bisect(tmp_path, PASS, PASS, PASS, FAIL, FAIL)

    assert told.outcome is FAIL
    assert told.lines[-1] == "the first bad commit: a change"
    assert tried == [4, 2, 3]


def test_end_that_does_not_build_is_no_failure_and_nothing_is_searched(tmp_path: Path) -> None:
    told, tried = bisect(tmp_path, PASS, PASS, None)

    assert told.outcome is Outcome.INCONCLUSIVE
    assert tried == [2]
    assert "first bad" not in "".join(told.lines)
    assert [line.strip() for line in told.lines[1:3]] == list(COMPILER)
    assert told.lines[-1].startswith("INCONCLUSIVE: the end of the range does not build")
    assert told.document["suspects"] == []


def walk(folder: Path, *patched: Outcome | None) -> SeriesWalk:
    """A series patch by patch, on a base that passes."""
    return walk_series(cast(Attempt, attempt(folder, PASS, *patched)[0]))


@pytest.mark.parametrize(
    ("patched", "outcomes"),
    [
        ((None, PASS), (FAIL, PASS)),
        ((PASS, None, PASS), (PASS, FAIL, PASS)),
        ((None, FAIL), (FAIL, INCONCLUSIVE)),
        ((None, CRASH), (FAIL, CRASH)),
        ((None, None), (FAIL, INCONCLUSIVE)),
        ((PASS, FAIL, PASS), (PASS, FAIL, PASS)),
    ],
)
def test_patch_after_one_that_does_not_build_is_judged_by_what_it_mends(
    tmp_path: Path, patched: tuple[Outcome | None, ...], outcomes: tuple[Outcome, ...]
) -> None:
    assert walk(tmp_path, *patched).outcomes == outcomes


@pytest.mark.parametrize(
    ("base", "outcome"),
    [
        (FAIL, Outcome.INCONCLUSIVE),
        (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE),
        (Outcome.LAB_ERROR, Outcome.LAB_ERROR),
    ],
)
def test_base_that_does_not_pass_blames_no_patch(
    tmp_path: Path, base: Outcome, outcome: Outcome
) -> None:
    told, tried = bisect(tmp_path, base, PASS, FAIL)

    assert told.outcome is outcome
    assert tried == []
    assert told.lines[0] == f"{base} no loss, alice -> bob"
    assert told.lines[-1] == f"{outcome}: {THE_BASE}"
    assert [each.outcome for each in told.verdicts[THE_BASE]] == [outcome]


def walk_unbuilt(folder: Path, error: InputError) -> tuple[Told, Known]:
    """What is told of a series of three patches with whose first two there is no kernel."""
    for number in range(3):
        write(folder, GOOD, f"{number}.patch")
    results = Results(folder=folder, command="x", json_path=None, junit_path=None)
    known = Known(results=results, base=PASS, patched={1: None, 2: None, 3: PASS}, error=error)
    short = Short(sides=cast(Sides, known), series=PatchSeries.read(folder))
    return tell_walk(walk_series(cast(Attempt, short)), ()), known


def test_patch_that_does_not_compile_fails_and_the_next_one_is_tried(tmp_path: Path) -> None:
    told, known = walk_unbuilt(tmp_path, DoesNotCompile(*COMPILER))

    assert known.tried == [1, 2, 3]
    verdicts = [each for run in known.results.runs for each in run.verdicts]
    assert [(each.rule, each.outcome) for each in verdicts] == [(BUILDS, FAIL)] * 2
    assert verdicts[0].reasons == COMPILER
    assert told.outcome is not Outcome.LAB_ERROR


def test_what_no_compiler_said_is_no_failure_of_a_patch(tmp_path: Path) -> None:
    unfit = InputError("CONFIG_XEN=y became n: what it depends on is missing")

    with pytest.raises(InputError) as raised:
        walk_unbuilt(tmp_path, unfit)

    assert raised.value is unfit
