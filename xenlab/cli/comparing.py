"""`xenlab compare`: two runs that are kept, one beside the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import click

from xenlab.cli import options

if TYPE_CHECKING:
    from xenlab.report.stored_run import StoredRun
    from xenlab.verdict.side import Side

APART = "two runs met their host at two times: `xenlab try` compares within one"


@click.command(short_help="Say what changed from one run to another.")
@click.argument("base", metavar="A")
@click.argument("patched", metavar="B")
@options.json_file
@options.junit_file
def compare(base: str, patched: str, json_path: str | None, junit_path: str | None) -> int:
    """Say what run B came to beside run A: verdicts, penalties, crashes.

    Runs are named as `xenlab test` and `xenlab try` printed them, or are folders of runs; of one
    that `xenlab try` left, the patched side counts. A failure that A has too says nothing of B.
    """
    from xenlab.cli.run_files import read_run
    from xenlab.registry.runs import find_runs

    first, second = map(read_run, find_runs(base, patched))
    for run in (first, second):
        for problem in run.problems:
            click.echo(f"warning: {run.name}: {problem}", err=True)
    return _compare(first, second, json_path, junit_path)


def _compare(
    base: StoredRun, patched: StoredRun, json_path: str | None, junit_path: str | None
) -> int:
    from xenlab.cli.output import STDOUT, echo_lines, render_document, write_text
    from xenlab.report.attempt import tell_comparison
    from xenlab.report.comparison import ComparisonView
    from xenlab.report.results import SuiteRun, render_results_junit
    from xenlab.verdict.comparison import Comparison

    comparison = Comparison(base=read_side(base), patched=read_side(patched))
    told = tell_comparison(ComparisonView(comparison=comparison, uncompared=APART))
    differing = dict(find_differences(base, patched))
    environment = {name: list(both) for name, both in differing.items()}
    names = {"base": base.name, "patched": patched.name, "environment": environment}
    write_text(render_document({**names, **told.document}), json_path)
    if junit_path is not None:
        name = f"{patched.name} beside {base.name}"
        run = SuiteRun(name=name, environment={}, verdicts=comparison.verdicts)
        write_text(render_results_junit([run]), junit_path)
    if json_path != STDOUT:
        echo_lines(f"{name}: {old} -> {new}" for name, (old, new) in differing.items())
        echo_lines(told.lines)
    return told.outcome.exit_code


def read_side(stored: StoredRun) -> Side:
    """All that a kept run came to, but for the control runs in it."""
    from xenlab.verdict.side import FaultMark, Side

    ours = [number for number, run in enumerate(stored.runs) if not _is_base(run.environment)]
    faults = (fault for each in stored.consoles if each.run in ours for fault in each.faults)
    return Side(
        verdicts=tuple(verdict for number in ours for verdict in stored.runs[number].verdicts),
        faults=tuple(map(FaultMark.of, faults)),
    )


def _is_base(environment: Mapping[str, str]) -> bool:
    from xenlab.measure.contest import BASE

    return environment.get("side") == BASE


def find_differences(base: StoredRun, patched: StoredRun) -> Iterator[tuple[str, tuple[str, str]]]:
    """What ran differently: the environments of both, where they are not equal."""
    before, after = (
        next((run.environment for run in each.runs if not _is_base(run.environment)), {})
        for each in (base, patched)
    )
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield name, (before.get(name, "-"), after.get(name, "-"))
