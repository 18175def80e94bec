"""`xenlab sweep`: suites in labs of many versions of Xen and kernels, and one map of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from xenlab.cli import options
from xenlab.cli.completion import complete_topology

if TYPE_CHECKING:
    from xenlab.cli.sweep_order import SweepWords


@click.command(short_help="Cross versions of Xen and kernels, and show one heat map.")
@click.option(
    "--kernels",
    metavar="K,K...",
    default="bookworm,trixie,sid",
    show_default=True,
    help="The kernels that dom0 and the domUs are given: as for `xenlab up --dom0-kernel`.",
)
@click.option("--dom0-kernels", metavar="K,K...", help="Those of dom0, if they are others.")
@click.option("--domu-kernels", metavar="K,K...", help="Those of the domUs, if they are others.")
@click.option(
    "--xens",
    metavar="SUITE,SUITE...",
    default="bookworm,trixie",
    show_default=True,
    help="The Debian suites that Xen and its toolstack come from.",
)
@click.option(
    "--suite",
    metavar="SUITE,PATH...",
    default="smoke",
    show_default=True,
    help="What runs in each lab, in its short form.",
)
@click.option("--full", is_flag=True, help="Every combination, and not only every pair.")
@click.option(
    "--topology",
    default="",
    shell_complete=complete_topology,
    metavar="T",
    help="The lab to cross versions in.  [default: pair]",
)
@options.any_versions_options
@click.option("--dry-run", is_flag=True, help="Print the combinations; touch nothing.")
@options.json_file
@options.junit_file
def sweep(**given: Unpack[SweepWords]) -> int:
    """Run suites with each kernel of dom0, kernel of the domUs and Xen, and show one heat map.

    Every two versions meet in one of the labs; --full has all combinations. A cell whose lab
    crashed or broke says so. `cannot` is one that could not be made into a lab, such as a kernel
    without xen-netfront in a domU; it is inconclusive, and the reason stands below the map.
    """  # fmt: skip
    from xenlab.cli.sweep_order import SweepOrder
    from xenlab.cli.sweep_run import rehearse_sweep, run_sweep

    order = SweepOrder.parse(**given)
    return rehearse_sweep(order) if given["dry_run"] else run_sweep(order)
