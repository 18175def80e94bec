"""`xenlab test`: the shipped suites, or one's own tests, in a lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from xenlab.cli import options
from xenlab.cli.completion import complete_topology

if TYPE_CHECKING:
    from xenlab.life.bring_up_words import BringUpWords

PLANTS = ("drop", "silent-drop", "corrupt", "duplicate", "reorder", "warn", "netback-unload")


# Click keeps the line breaks of a paragraph that begins with a backspace.
HELP = """Run suites, or test files of one's own, and give a verdict.

\b
smoke         every link carries traffic, every packet accounted for
slots         packets of every number of ring slots, and random layouts
compound      pages of every order, every sender, memory in pieces
gso           GSO limits, offloads and MTUs of both ends
fraglist      one slot too many: its toll, and the silent loss behind it
nomem         drivers without memory: what is lost, and that all of it is given back
malformed     a frontend that breaks the protocol: only its own packets are lost
rx            a paused guest: ring exhausted, expiry, recovery
pktgen        the kernel's own generator, both ways through every vif
strategies    the remedies for packets of many slots, side by side
soak          random layouts and settings, for as long as one likes
overrun       slots of a paused guest that nobody offered
upkeep        rate limits, pages that go back, events, multicast
iommu         the IOMMU as asked, and DMA of guests' packets; every set-up in turn
adjacent      a guest's compound pages as one frag in dom0; three set-ups in turn
modes         guests of every type, queues, untrusting frontends; every mode in turn
driverdomain  netback in a domU that ends under traffic, and comes back

They run in the lab that --lab names if it is up, which stays. Otherwise a lab is brought up for
them, which ends with this command, whatever becomes of it; with --topology it may have a name that
no lab has while others are up.
"""


@click.command(help=HELP, short_help="Run suites, or tests of your own, and give a verdict.")
@click.argument("suites", metavar="[SUITE|PATH]...", nargs=-1)
@click.option("-k", "keyword", metavar="EXPR", default="", help="Only the tests that match.")
@options.lab
@click.option(
    "--topology",
    "topologies",
    shell_complete=complete_topology,
    metavar="T",
    multiple=True,
    help="Test in a lab of this topology; may be given several times.",
)
@options.bring_up_options
@click.option("--quick", is_flag=True, help="The short form: the fewest flows that show something.")
@click.option(
    "--plant", type=click.Choice(PLANTS), help="Plant a fault, which the suite then has to find."
)
@click.option(
    "--plant-every",
    metavar="N",
    type=click.IntRange(min=1),
    help="Let the fault hit one packet in N.  [default: 1000, with --quick 5]",
)
@click.option(
    "--repeat",
    metavar="N",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Run all of it so many times; every result is kept and shown.",
)
@click.option("--duration", metavar="TIME", help="How long `soak` goes on: 90s, 10m, 2h.  [1m]")
@click.option(
    "--layouts",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many random layouts `slots` sends over each link, and `fraglist` without the limit."
    "  [default: 2000 and 1000, --quick: 200 and 100]",
)
@click.option(
    "--layout-file",
    metavar="FILE",
    help="Send the layouts of this file, one a line, in place of random ones: `slots` sends no"
    " other, `fraglist` those that leave the vif alive.",
)
@click.option(
    "--seed",
    metavar="N[:ROUND]",
    help="What `soak`, `slots` and `fraglist` draw from."
    "  [default: by chance for `soak`, and told]",
)
@options.json_file
@options.junit_file
def test(
    suites: tuple[str, ...],
    keyword: str,
    lab: str | None,
    topologies: tuple[str, ...],
    quick: bool,
    plant: str | None,
    plant_every: int | None,
    repeat: int,
    duration: str | None,
    layouts: int | None,
    layout_file: str | None,
    seed: str | None,
    json_path: str | None,
    junit_path: str | None,
    accel: str | None,
    **wanted: Unpack[BringUpWords],
) -> int:
    """See HELP."""
    from xenlab.cli.output import is_typed
    from xenlab.cli.suite_order import USERS, SuiteOrder
    from xenlab.cli.trial import run_trial
    from xenlab.life.order import UpOrder

    order = SuiteOrder.parse(
        suites, keyword=keyword, quick=quick, plant=plant, plant_every=plant_every, repeat=repeat,
        seed=seed, duration=duration, layouts=layouts, layout_file=layout_file,
    )  # fmt: skip
    order.require_use_of(filter(is_typed, USERS))
    matrix = None if lab or topologies else order.matrix
    named = topologies or (matrix.topologies if matrix else (order.topology,))
    labs = [UpOrder.parse(name, lab, accel=accel, transient=True, **wanted) for name in named]
    return run_trial(
        order, labs, topology_chosen=bool(topologies), matrix=matrix,
        json_path=json_path, junit_path=junit_path,
    )  # fmt: skip
