"""Options that several commands have, each with its word in the environment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

lab = click.option("--lab", metavar="NAME", envvar="XENLAB_LAB", help="Which lab is meant.")
json_flag = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
json_file = click.option(
    "--json", "json_path", metavar="FILE", type=click.Path(dir_okay=False, writable=True),
    help="Write the result as JSON to this file (`-`: standard output).",
)  # fmt: skip

_BRING_UP = (
    click.option(
        "--accel", type=click.Choice(["auto", "kvm", "tcg"]), envvar="XENLAB_ACCEL",
        help="How to run the machine; the topology's word otherwise, and `auto` without one.",
    ),
    click.option(
        "--dom0-kernel", metavar="K", envvar="XENLAB_DOM0_KERNEL", help="The kernel of dom0."
    ),
    click.option(
        "--domu-kernel", metavar="K", envvar="XENLAB_DOMU_KERNEL", help="The kernel of all domUs."
    ),
    click.option(
        "--netback", metavar="D", envvar="XENLAB_NETBACK",
        help="dom0's driver: `stock`, a patch, a folder of patches, a shipped series or a `.ko`.",
    ),
    click.option(
        "--netfront", metavar="[DOMU=]D", multiple=True, envvar="XENLAB_NETFRONT",
        help="The driver of all domUs, or of one; may be given several times.",
    ),
    click.option("--cold", is_flag=True, help="Boot, and neither use nor make a checkpoint."),
    click.option("--offline", is_flag=True, envvar="XENLAB_OFFLINE", help="Never use the network."),
    click.option(
        "--connect", "connect_uri", metavar="URI", default="", envvar="XENLAB_CONNECT",
        help="Use the libvirtd at this URI in place of a private one.",
    ),
)  # fmt: skip


def bring_up_options(command: Command) -> Command:
    """The options of every command that may bring a lab up."""
    for option in reversed(_BRING_UP):
        command = option(command)
    return command
