"""`xenlab completion`: the shell's own script, and what it is told of labs and nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from xenlab.cli.standing import Standing

PROGRAM = "xenlab"
VARIABLE = "_XENLAB_COMPLETE"  # click's name for it: the program's own
DAEMON_LOGS = ("libvirtd", "qemu", "sandbox")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what completes commands, labs and nodes in a shell.

    In ~/.bashrc: eval "$(xenlab completion bash)"; zsh has the same.

    In ~/.config/fish/config.fish: xenlab completion fish | source
    """
    from click.shell_completion import get_completion_class

    from xenlab.cli.main import xenlab

    words = get_completion_class(shell)
    assert words is not None
    click.echo(words(xenlab, {}, PROGRAM, VARIABLE).source())


def complete_lab(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The labs whose names begin so."""
    from xenlab.registry.record import list_lab_names

    return [name for name in list_lab_names() if name.startswith(begun)]


def complete_node(ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The nodes that a command line so far may mean; with their lab where there are several."""
    return [name for name in _find_nodes(ctx, begun) if name.startswith(begun)]


def complete_log(ctx: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """The nodes, and whoever else has a log."""
    daemons = [name for name in DAEMON_LOGS if name.startswith(begun)]
    return [*complete_node(ctx, parameter, begun), *daemons]


def complete_topology(_ctx: click.Context, _parameter: click.Parameter, begun: str) -> list[str]:
    """The topologies that have a name."""
    from xenlab.topology.library import topology_paths

    return sorted(name for name in topology_paths() if name.startswith(begun))


def _find_nodes(ctx: click.Context, begun: str) -> Iterator[str]:
    from xenlab.cli.standing import read_standing

    labs = read_standing(full=False)
    named = ctx.params.get("lab")
    chosen = [lab for lab in labs if lab.name == named] if named else _living(labs)
    if len(chosen) == 1 and "/" not in begun:
        yield from chosen[0].nodes
    elif not named:
        for lab in labs:
            yield from (f"{lab.name}/{node}" for node in lab.nodes)


def _living(labs: tuple[Standing, ...]) -> list[Standing]:
    return [lab for lab in labs if lab.record is not None and lab.record.alive]
