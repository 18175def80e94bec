"""`xenlab up`, `down` and `status`: the life of labs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Unpack

import click

from xenlab.cli import options
from xenlab.cli.completion import complete_lab, complete_topology
from xenlab.cli.output import echo_lines, render_document, spell, tell_swept
from xenlab.errors import InputError

if TYPE_CHECKING:
    from xenlab.life.bring_up_words import BringUpWords


@click.command(short_help="Bring a lab up: from a checkpoint, or cold.")
@click.argument("topology", default="", shell_complete=complete_topology)
@options.lab
@options.bring_up_options
@click.option(
    "--from",
    "start_from",
    type=click.Choice(["bare", "connected"]),
    default="connected",
    show_default=True,
    help="The furthest checkpoint to start from.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be done; touch nothing.")
@click.option("--bundle", metavar="DIR", help="With --dry-run: write here what is to be booted.")
@click.option("--no-proof", is_flag=True, help="Do not prove by traffic that a new lab works.")
@options.json_file
def up(
    topology: str,
    lab: str | None,
    start_from: str,
    dry_run: bool,
    bundle: str | None,
    no_proof: bool,
    json_path: str | None,
    accel: str | None,
    **wanted: Unpack[BringUpWords],
) -> int:
    """Bring a lab up: from a checkpoint in seconds where one fits, cold where none does.

    TOPOLOGY is a name (see `xenlab topologies`) or a file; `pair` without one. The lab has the
    topology's name unless --lab gives it another. It stays until `xenlab down`.
    """
    from xenlab.cli.coming_up import bring_up
    from xenlab.life.order import UpOrder

    if bundle and not dry_run:
        raise click.UsageError("--bundle writes what would be booted: it goes with --dry-run")
    order = UpOrder.parse(topology, lab, accel=accel, start_from=start_from, **wanted)
    if dry_run:
        from xenlab.cli.rehearsal import rehearse

        return rehearse(order, bundle, json_path)
    return bring_up(order, json_path, proof=not no_proof)


@click.command(short_help="Take a lab down.")
@click.argument("lab", required=False, shell_complete=complete_lab)
@click.option("--all", "everything", is_flag=True, help="Take all labs down.")
def down(lab: str | None, everything: bool) -> None:
    """Take a lab down; nothing is left of it but the cache.

    There may be none, but a name that neither a topology nor a lab has is refused where labs are.
    """
    from xenlab.life.removal import sweep, take_down, take_down_all
    from xenlab.registry.record import list_lab_names
    from xenlab.registry.selection import choose_lab
    from xenlab.topology.wording import quote

    if everything:
        if lab is not None:
            raise click.UsageError(
                f"--all takes every lab down: leave {quote(lab)} out, or leave --all out"
            )
        names = take_down_all()
        tell_swept(sweep())
        click.echo(f"down: {', '.join(names)}" if names else "no lab is there")
        return
    names = list_lab_names()
    if lab is None and not names:
        click.echo("no lab is there")
        return
    name = lab or choose_lab(None, how="by its name, or --all").name
    if take_down(name):
        click.echo(f"lab {name} is down")
    else:
        _tell_none(name, names)


def _tell_none(name: str, names: Sequence[str]) -> None:
    """Say that a lab is not there; InputError if its name may be a slip for one that is."""
    from xenlab.topology.library import topology_paths
    from xenlab.topology.wording import did_you_mean, list_names, quote

    there = f" (there are {list_names(names)})" if names else ""
    told = f"there is no lab {quote(name)}{did_you_mean(name, names)}{there}"
    if names and name not in topology_paths():
        raise InputError(told, try_next="xenlab status")
    click.echo(told)


@click.command()
@click.option("--full", is_flag=True, help="Ask libvirt for the state of each machine.")
@options.json_flag
def status(full: bool, as_json: bool) -> None:
    """Show which labs there are."""
    from xenlab.cli.standing import read_standing, render_standing

    labs = read_standing(full=full)
    if as_json:
        click.echo(render_document({"labs": [lab.as_json() for lab in labs]}), nl=False)
        return
    echo_lines(render_standing(labs))
    if not labs:
        click.echo(f"no lab is there; try: {spell('xenlab up')}")
