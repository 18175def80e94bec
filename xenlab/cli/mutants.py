"""`xenlab mutants`: proof that the suites see bugs, by planting them."""

from __future__ import annotations

import click

from xenlab.cli import options


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@options.json_file
@click.option(
    "--markdown", "page_path", metavar="FILE", type=click.Path(dir_okay=False, writable=True),
    help="Renew the rows of these mutants in the table of a Markdown file.",
)  # fmt: skip
def mutants(names: tuple[str, ...], json_path: str | None, page_path: str | None) -> int:
    """Plant bugs in the drivers, and show which test catches each.

    Each patch of `kernels/mutants` is built as a driver module, ahead of the lab; loaded from the
    bare checkpoint in a lab of its own, and put through the suites until one has a FAIL or a CRASH.
    A mutant that all suites let pass has survived: a test is missing. `harmless` names the rewrites
    that change nothing: they have to pass everything. NAME may be a file of one's own as well.
    """
    from xenlab.cli.mutant_run import run_mutants
    from xenlab.kernel.mutant import choose_mutants

    return run_mutants(choose_mutants(names), json_path, page_path)
