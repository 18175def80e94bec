"""AttemptOrder: what `xenlab try` was asked for, carried out and shown."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Unpack, cast

import click

from xenlab.checkpoint.key import Level
from xenlab.cli.attempt import Attempt
from xenlab.cli.output import (
    STDOUT,
    echo_lines,
    is_typed,
    own_command,
    render_document,
    spell,
    tell_swept,
    write_text,
)
from xenlab.cli.patch_words import PatchWords, choose_test, count_others, read_driver_commits
from xenlab.cli.results import Results
from xenlab.cli.series_walks import bisect_series, walk_series
from xenlab.cli.sides import Sides
from xenlab.cli.suite_order import SuiteOrder
from xenlab.errors import InputError
from xenlab.kernel.commit_range import name_first
from xenlab.kernel.driver import Reach
from xenlab.kernel.patch_series import PatchSeries
from xenlab.life.bring_up_words import BringUpWords
from xenlab.life.order import UpOrder
from xenlab.life.removal import sweep
from xenlab.registry.record import read_record
from xenlab.registry.runs import new_run_folder
from xenlab.report.attempt import Told, tell_bisection, tell_comparison, tell_walk
from xenlab.report.comparison import ComparisonView
from xenlab.report.cover import join_environments, render_cover
from xenlab.report.progress import open_progress
from xenlab.report.results import SuiteRun, render_results_junit
from xenlab.topology.wording import list_names, quote
from xenlab.verdict.outcome import EXIT_NOTHING_SELECTED, Outcome


class AttemptWords(BringUpWords):
    """Options of `xenlab try`, as they are handed over by click."""

    keyword: str
    tree: str | None
    quick: bool
    lab: str | None
    topology: str
    accel: str | None
    per_patch: bool
    bisect: str | None
    test_id: str | None
    cover: bool
    json_path: str | None
    junit_path: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOrder:
    """The words of the command line, understood."""

    series: PatchSeries
    suites: SuiteOrder
    up: UpOrder
    per_patch: bool = False
    bisect: bool = False
    left_out: int = 0
    cover: bool = False
    json_path: str | None = None
    junit_path: str | None = None

    @classmethod
    def parse(cls, words: tuple[str, ...], **given: Unpack[AttemptWords]) -> AttemptOrder:
        """The order from the words of a command line; InputError with all that is wrong in them."""
        series, suites = _parse_bisect(words, given) if given["bisect"] else _parse(words, given)
        kept = {name: given[name] for name in BringUpWords.__annotations__}  # type: ignore[literal-required]
        up = UpOrder.parse(
            given["topology"], given["lab"], accel=given["accel"], start_from=Level.BARE,
            transient=True, **cast(BringUpWords, kept),
        )  # fmt: skip
        left_out = count_others(given["bisect"], given["tree"])
        reach = Reach.of(series.files)
        if reach.is_drivers_only:
            suites = replace(suites, tried=frozenset(reach.drivers))
        return cls(
            series=series, suites=suites, up=up, per_patch=given["per_patch"],
            bisect=given["bisect"] is not None, left_out=left_out, cover=given["cover"],
            json_path=given["json_path"], junit_path=given["junit_path"],
        )  # fmt: skip

    @property
    def titles(self) -> tuple[str, ...]:
        """What the patches are called."""
        return tuple(patch.title for patch in self.series.patches)

    @property
    def advice(self) -> str:
        """How to have the kernel that a range lies on, where other ones are booted."""
        if not self.bisect or self.up.dom0_kernel or self.up.domu_kernel:
            return ""
        first = shlex.quote(name_first(self.series))
        return f"--dom0-kernel {first} --domu-kernel {first}"


def _parse(words: tuple[str, ...], given: AttemptWords) -> tuple[PatchSeries, SuiteOrder]:
    if given["test_id"] is not None:
        raise InputError("--test is what --bisect runs: name suites after the patches")
    ours = PatchWords.sort(words)
    if given["tree"] is not None and is_typed("tree"):
        ours.require_use_of(given["tree"])
    series = ours.read_series(given["tree"])
    return series, ours.choose_suites(given["keyword"], quick=given["quick"])


def _parse_bisect(words: tuple[str, ...], given: AttemptWords) -> tuple[PatchSeries, SuiteOrder]:
    tree, test_id = given["tree"], given["test_id"]
    problems = tuple(_find_unfit_for_bisect(words, given))
    if tree is None or test_id is None or problems:
        raise InputError(*problems)
    series = read_driver_commits(given["bisect"] or "", tree)
    return series, choose_test(test_id, given["keyword"], quick=given["quick"])


def _find_unfit_for_bisect(words: tuple[str, ...], given: AttemptWords) -> Iterator[str]:
    needed = {"--tree DIR": given["tree"], "--test ID": given["test_id"]}
    missing = [name for name, value in needed.items() if value is None]
    if missing:
        yield f"--bisect needs {' and '.join(missing)} beside it"
    for name, asked in (("--per-patch", given["per_patch"]), ("--cover", given["cover"])):
        if asked:
            yield f"--bisect and {name} exclude each other"
    if words:
        yield f"--bisect has its patches from the range, and no other words: {list_names(words)}"


def run_attempt(order: AttemptOrder) -> int:
    """Try the series as it was asked for; the exit code."""
    with open_sides(order) as sides:
        attempt = Attempt(sides=sides, series=order.series)
        attempt.require_way(order.advice)
        told = _carry_out(order, attempt)
    return _show(order, sides.results, told)


def _carry_out(order: AttemptOrder, attempt: Attempt) -> Told:
    if order.bisect:
        return tell_bisection(bisect_series(attempt, order.left_out))
    if order.per_patch:
        walk = walk_series(attempt)
        return tell_walk(walk, _cover(order, attempt, walk.whole, walk.outcomes))
    view = attempt.run()
    return tell_comparison(view, _cover(order, attempt, view))


def _cover(
    order: AttemptOrder, attempt: Attempt, view: ComparisonView, steps: tuple[Outcome, ...] = ()
) -> tuple[str, ...]:
    """The block for a cover letter; nothing where none was asked for."""
    results = attempt.sides.results
    if not order.cover:
        return ()
    environment = join_environments([run.environment for run in results.runs])
    return tuple(render_cover(view, environment, order.titles, results.command, steps))


@contextlib.contextmanager
def open_sides(order: AttemptOrder) -> Iterator[Sides]:
    """What runs the sides; their results are whole once this is left as it should be."""
    record = read_record(order.up.lab) if order.up.lab else None
    if record is not None and record.alive:
        raise InputError(
            f"lab {quote(record.name)} is up already: `xenlab try` brings up its own,"
            " one for each side"
        )
    tell_swept(sweep())
    results = Results(
        folder=new_run_folder(), command=own_command(), json_path=None, junit_path=None
    )
    progress, reach = open_progress(sys.stderr), Reach.of(order.series.files)
    with contextlib.closing(progress):
        sides = Sides(
            order=order.suites, up=order.up, results=results, progress=progress,
            whole=bool(reach.elsewhere), drivers=reach.drivers,
        )  # fmt: skip
        complete = False
        try:
            yield sides
            complete = True
        finally:
            results.finish(complete=complete)


def _show(order: AttemptOrder, results: Results, told: Told) -> int:
    """Everything in every form that was asked for; the exit code."""
    code = _exit_code(results, told)
    environment = results.runs[0].environment
    document = {
        "command": results.command,
        "run": str(results.folder),
        "way": Reach.of(order.series.files).why,
        "patches": list(order.titles),
        "environment": dict(environment),
        **told.document,
        "exit_code": code,
    }
    write_text(render_document(document), order.json_path)
    if order.junit_path is not None:
        runs = [
            SuiteRun(name=name, environment=environment, verdicts=verdicts)
            for name, verdicts in told.verdicts.items()
        ]
        write_text(render_results_junit(runs), order.junit_path)
    if order.json_path != STDOUT:
        echo_lines(told.lines)
    click.echo(f"report: {spell(f'xenlab report {results.folder.name}')}", err=True)
    return code


def _exit_code(results: Results, told: Told) -> int:
    """A bug, and a test that could not be read, come before what was found."""
    if results.broken_code is not None:
        return results.broken_code
    if not any(told.verdicts.values()):
        return EXIT_NOTHING_SELECTED
    return told.outcome.exit_code
