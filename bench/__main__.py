"""`make bench`: the table of figures, as JSON and for the eye; exit 1 for what was missed."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from bench.figures import COLD, COLD_RATIO, FIGURES, Standing, choose_figures
from bench.peers import measure_peers
from bench.programs import ProgramFailed
from bench.report import render_costs, render_json, render_table
from bench.trials import Bench
from bench.workspace import open_workspace
from xenlab.report.window import open_console


@click.command()
@click.option("--runs", default=5, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--only",
    "names",
    multiple=True,
    type=click.Choice([figure.name for figure in FIGURES]),
    help="Measure this figure alone; may be given several times.",
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the JSON here.")
def main(runs: int, names: tuple[str, ...], json_path: Path | None) -> None:
    """Time the lab: JSON on standard output (or in a file), the table on standard error."""
    progress = open_console(sys.stderr)
    wanted = choose_figures(names)
    with open_workspace() as workspace:
        bench = Bench(workspace=workspace, runs=runs, report=progress.print, wanted=wanted)
        outcomes = list(bench.measure_all())
        cold = [outcome for outcome in outcomes if outcome.figure is COLD]
        peers = None
        if cold and COLD_RATIO in wanted:
            try:
                peers = measure_peers(workspace, runs, progress.print)
                outcomes.append(peers.cold_ratio(*cold))
            except ProgramFailed as error:
                bench.fail(COLD_RATIO.name, str(error))
    outcomes.sort(key=lambda outcome: FIGURES.index(outcome.figure))
    document = render_json(outcomes, peers, bench.failures)
    if json_path is None:
        click.echo(document, nl=False)
    else:
        json_path.write_text(document, encoding="utf-8")
    if outcomes:
        progress.print(render_table(outcomes, peers))
        progress.print(render_costs(outcomes))
    for failed, why in bench.failures.items():
        progress.print(f"{failed}: not measured: {why}")
    if bench.failures or any(outcome.standing is Standing.MISSED for outcome in outcomes):
        sys.exit(1)


main()
