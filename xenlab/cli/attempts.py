"""`xenlab try`: from a patch to a verdict, beside the same without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from xenlab.cli import options
from xenlab.cli.completion import complete_topology

if TYPE_CHECKING:
    from xenlab.cli.attempt_order import AttemptWords


@click.command("try", short_help="Try patches on a kernel, beside the same without them.")
@click.argument("words", metavar="PATCH... [SUITE|PATH]...", nargs=-1)
@click.option("-k", "keyword", metavar="EXPR", default="", help="Only the tests that match.")
@click.option("--tree", metavar="DIR", help="The git tree that a range of commits `A..B` is of.")
@click.option(
    "--quick", is_flag=True, help="`smoke` in its short form, up to the first failure; no timing."
)
@options.lab
@click.option(
    "--topology", default="", shell_complete=complete_topology, metavar="T",
    help="The lab to try it in.  [default: pair]",
)  # fmt: skip
@options.bring_up_options
@click.option(
    "--per-patch", is_flag=True, help="Try a series patch by patch, each beside the last."
)
@click.option(
    "--bisect", metavar="GOOD..BAD", help="Find the first commit of --tree with which --test fails."
)
@click.option(
    "--test", "test_id", metavar="ID", help="What --bisect runs: a suite, or SUITE::TEST."
)
@click.option("--cover", is_flag=True, help="Print a block for a cover letter.")
@options.json_file
@options.junit_file
def try_(words: tuple[str, ...], **given: Unpack[AttemptWords]) -> int:
    """Run suites on the base and with patches on it, and say what the patches change.

    PATCH is a diff, a mailbox, a folder of patches, a series that comes with xenlab, or a range of
    commits. Patches on xen-netfront and xen-netback are built as modules and loaded into a lab that
    comes from its checkpoint; --netfront and --netback say what the base is. For others whole
    kernels are built, with them and without. SUITE is as for `xenlab test`: smoke slots compound
    gso fraglist rx unless said otherwise.
    """
    from xenlab.cli.attempt_order import AttemptOrder, run_attempt

    return run_attempt(AttemptOrder.parse(words, **given))
