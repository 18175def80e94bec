"""`xenlab report`: one HTML file of a run, which opens from the disk and needs no network."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("run", required=False)
@click.option(
    "--output", "output", metavar="FILE", help="Write it here.  [default: report.html of the run]"
)
@click.option("--open", "open_", is_flag=True, help="Open it in a browser.")
def report(run: str | None, output: str | None, open_: bool) -> int:
    """Make one HTML page of a run.

    The newest unless RUN names another, with all that it needs in one file.

    RUN is a name as `xenlab test` printed it, or the path of a run's folder.
    """
    from xenlab.cli.output import STDOUT, write_text
    from xenlab.cli.run_files import read_run
    from xenlab.errors import InputError, Unavailable
    from xenlab.registry.runs import find_run
    from xenlab.report.html import render_html

    if open_ and output == STDOUT:
        raise InputError("--open needs a file: --output - is none")
    folder = find_run(run)
    stored = read_run(folder)
    for problem in stored.problems:
        click.echo(f"warning: {problem}", err=True)
    target = output or str(folder / "report.html")
    write_text(render_html(stored, str(folder.absolute())), target)
    if target == STDOUT:
        return 0
    click.echo(target)
    if open_ and click.launch(str(Path(target).absolute()), wait=True):
        raise Unavailable(
            f"no browser was found to open {target}", try_next="apt-get install xdg-utils"
        )
    return 0
