"""`xenlab mutants`: proof that the suites see bugs, by planting them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xenlab.cli import options
from xenlab.errors import InputError

if TYPE_CHECKING:
    from xenlab.kernel.mutant import Mutant


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@options.json_file
@click.option(
    "--markdown", "page_path", metavar="FILE", type=click.Path(dir_okay=False, writable=True),
    help="Renew the rows of these mutants in the table of a Markdown file.",
)  # fmt: skip
@click.option(
    "--untried", is_flag=True,
    help="Only those that the table in --markdown has no ending of: go on with a run that ended.",
)  # fmt: skip
def mutants(
    names: tuple[str, ...], json_path: str | None, page_path: str | None, *, untried: bool
) -> int:
    """Plant bugs in the drivers, and show which test catches each.

    Each patch of `kernels/mutants` is built as a driver module, ahead of the lab; loaded from the
    bare checkpoint in a lab of its own, and put through the suites until one has a FAIL or a CRASH.
    A mutant that all suites let pass has survived: a test is missing. `harmless` names the rewrites
    that change nothing: they have to pass everything. NAME may be a file of one's own as well.
    """
    from xenlab.cli.mutant_run import run_mutants
    from xenlab.kernel.mutant import choose_mutants

    chosen = choose_mutants(names)
    if untried:
        if page_path is None:
            raise click.UsageError("--untried: which table is it? Name its file by --markdown.")
        chosen = _leave_out_decided(chosen, Path(page_path))
    return run_mutants(chosen, json_path, page_path)


def _leave_out_decided(chosen: Sequence[Mutant], page: Path) -> tuple[Mutant, ...]:
    """Those without an ending there; InputError where none is left."""
    from xenlab.report.mutations import find_decided

    decided = find_decided(page.read_text(encoding="utf-8")) if page.exists() else frozenset()
    left = tuple(mutant for mutant in chosen if mutant.label not in decided)
    if not left:
        raise InputError(f"{page}: all {len(chosen)} mutants have their endings there")
    return left
