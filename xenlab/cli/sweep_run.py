"""`xenlab sweep` at work: one lab after the other, and the map of what came of them."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field, replace

import click

from xenlab.cli.output import (
    STDOUT,
    echo_failure,
    echo_lines,
    own_command,
    render_document,
    spell,
    tell_swept,
    write_text,
)
from xenlab.cli.results import Results
from xenlab.cli.sweep_order import SweepOrder
from xenlab.cli.trial import Trial
from xenlab.errors import InputError, MeasurementError, VersionUnavailable, XenlabError
from xenlab.life.order import UpOrder
from xenlab.life.removal import sweep
from xenlab.registry.runs import new_run_folder
from xenlab.report.columns import render_columns
from xenlab.report.heat_map import label_kernels, label_versions, say_time, view_sweep
from xenlab.report.heat_map_text import print_heat_map
from xenlab.report.results import render_results_junit
from xenlab.report.sweep_document import encode_sweep
from xenlab.verdict.crossing import GO_TOGETHER, Crossing, Sweep, Versions
from xenlab.verdict.outcome import Outcome
from xenlab.verdict.verdict import Verdict

HEAD = ("", "XEN", "DOM0", "DOMU")


@dataclass(slots=True, kw_only=True)
class SweepRun:
    """One sweep under way."""

    order: SweepOrder
    results: Results
    _crossings: list[Crossing] = field(default_factory=list)

    @property
    def sweep(self) -> Sweep:
        """All that is known by now."""
        return replace(self.order.axes, crossings=tuple(self._crossings))

    def run(self) -> None:
        """Every cell, one after the other, each in a lab of its own.

        Raises Unavailable for what this host lacks, whatever the versions.
        """
        started_s, total = time.monotonic(), len(self.order.versions)
        for number, versions in enumerate(self.order.versions, start=1):
            click.echo(f"cell {number} of {total}: {self._label(versions)}", err=True)
            crossing = self._cross(versions, self.order.up_with(versions, number))
            self._crossings.append(crossing)
            self.write(complete=False)
            click.echo(
                f"cell {number} of {total}: {crossing.label} after {say_time(crossing.elapsed_s)},"
                f" {say_time(time.monotonic() - started_s)} in all",
                err=True,
            )

    def write(self, *, complete: bool) -> None:
        """Bring to safety what there is: of many cells the last comes after an hour."""
        path = self.order.json_path
        if path == STDOUT and not complete:
            return
        encoded = encode_sweep(self.sweep)
        document = {
            "command": self.results.command,
            "run": str(self.results.folder),
            "complete": complete,
            **encoded,
            "exit_code": self.exit_code,
        }
        write_text(render_document(document), path)

    @property
    def exit_code(self) -> int:
        """A bug, and a test that could not be read, come before what was found."""
        broken = self.results.broken_code
        return self.sweep.outcome.exit_code if broken is None else broken

    def _cross(self, versions: Versions, up: UpOrder) -> Crossing:
        started_s, first = time.monotonic(), len(self.results.runs)
        side = self._label(versions)
        trial = Trial(order=self.order.suites, results=self.results, side=side)
        try:
            trial.run_in_own_lab(up)
        except (InputError, VersionUnavailable, MeasurementError) as error:
            self._note_impossible(side, error)
        runs = self.results.runs[first:]
        verdicts = [verdict for run in runs for verdict in run.verdicts]
        crossing = Crossing.of(versions, verdicts, time.monotonic() - started_s)
        environment = runs[0].environment
        return replace(
            crossing,
            xen_version=environment.get("xen", ""),
            kernels=environment.get("kernels", ""),
        )

    def _note_impossible(self, side: str, error: XenlabError) -> None:
        """These versions make no lab: nothing was judged."""
        echo_failure(error)
        verdict = Verdict(
            rule=GO_TOGETHER,
            subject=side,
            outcome=Outcome.INCONCLUSIVE,
            reasons=tuple(str(error).splitlines()),
        )
        self.results.begin(side, {"side": side})
        self.results.note([verdict])

    def _label(self, versions: Versions) -> str:
        axes = self.order.axes
        return label_versions(versions, label_kernels((*axes.dom0_kernels, *axes.domu_kernels)))


def run_sweep(order: SweepOrder) -> int:
    """Run every cell and show the map, also of a sweep that was interrupted; the exit code."""
    tell_swept(sweep())
    results = Results(
        folder=new_run_folder(), command=own_command(), json_path=None, junit_path=None
    )
    run = SweepRun(order=order, results=results)
    complete = False
    try:
        run.run()
        complete = True
    finally:
        if results.runs:
            results.show(run.sweep)
        results.finish(complete=complete)
        _show(run, complete=complete)
    return run.exit_code


def rehearse_sweep(order: SweepOrder) -> int:
    """Show the combinations and change nothing."""
    cells = order.versions
    rows = [
        (str(number), cell.xen, cell.dom0_kernel, cell.domu_kernel)
        for number, cell in enumerate(cells, start=1)
    ]
    names = ("xen", "dom0_kernel", "domu_kernel")
    document = {"cells": [dict(zip(names, row[1:], strict=True)) for row in rows]}
    write_text(render_document(document), order.json_path)
    if order.json_path != STDOUT:
        echo_lines(render_columns(HEAD, rows))
        click.echo(f"{len(cells)} of {order.axes.all_versions} combinations")
    return 0


def _show(run: SweepRun, *, complete: bool) -> None:
    """The map, in every form that was asked for."""
    order, results = run.order, run.results
    run.write(complete=complete)
    if order.junit_path is not None:
        write_text(render_results_junit(results.runs), order.junit_path)
    if order.json_path != STDOUT:
        print_heat_map(view_sweep(run.sweep), sys.stdout)
    if results.runs:
        click.echo(f"report: {spell(f'xenlab report {results.folder.name}')}", err=True)
