"""Options that several commands have, each with its word in the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from xenlab.checkpoint.limit import DEFAULT_LIMIT_BYTES
from xenlab.cli.completion import DAEMON_LOGS, complete_lab, complete_log, complete_node

Command = TypeVar("Command", bound=Callable[..., Any])

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)

NODES = "Name `dom0` or a domU; `xenlab status` shows them."
LOGS = f"{NODES[:-1]}; also {', '.join(f'`{name}`' for name in DAEMON_LOGS)}."


class _Name(click.types.StringParamType):
    """A word that cannot be left out, and which ones there are."""

    def __init__(self, which: str) -> None:
        self.which = which

    def get_missing_message(self, param: click.Parameter, ctx: click.Context | None) -> str:  # noqa: ARG002
        """What to write there."""
        return self.which


def _parse_size(_ctx: click.Context, _option: click.Parameter, text: str) -> int:
    """Bytes from an amount such as `5GiB`, `500M` or `0`; units are powers of 1024."""
    found = SIZE.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no size such as 5GiB, 500M or 0")
    return int(float(found[1]) * UNITS[found[2].upper()])


def _require_folder(_ctx: click.Context, _option: click.Parameter, path: str | None) -> str | None:
    """The path of a file that can be made; what cannot is told before the work, not after it."""
    folder = Path(path or ".").absolute().parent
    if path is None or path == "-" or Path(path).exists():
        return path
    if not folder.is_dir():
        raise click.BadParameter(f"there is no folder {str(folder)!r}")
    if not os.access(folder, os.W_OK):
        raise click.BadParameter(f"folder {str(folder)!r} is not writable")
    return path


def checkpoint_limit(*short: str) -> Callable[[Command], Command]:
    """What checkpoints may take: one setting for all that save or remove them."""
    return click.option(
        *short, "--checkpoint-limit", "checkpoint_limit_bytes", metavar="SIZE",
        default=f"{DEFAULT_LIMIT_BYTES >> 30}GiB", show_default=True, callback=_parse_size,
        envvar="XENLAB_CHECKPOINT_LIMIT",
        help="What all checkpoints may take; those not used for longest go first, and none of a"
        " lab that is up.",
    )  # fmt: skip


lab = click.option(
    "--lab", metavar="NAME", envvar="XENLAB_LAB", help="Name of the lab.",
    shell_complete=complete_lab,
)  # fmt: skip
node = click.argument("node", type=_Name(NODES), shell_complete=complete_node)
log = click.argument("node", type=_Name(LOGS), shell_complete=complete_log)
offline = click.option(
    "--offline",
    is_flag=True,
    envvar="XENLAB_OFFLINE",
    help="Do not use the network, but for what a suite builds and is not in the cache.",
)
json_flag = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
json_file = click.option(
    "--json", "json_path", metavar="FILE", type=click.Path(dir_okay=False, writable=True),
    callback=_require_folder, help="Write the result as JSON to this file (`-`: standard output).",
)  # fmt: skip
junit_file = click.option(
    "--junit", "junit_path", metavar="FILE", type=click.Path(dir_okay=False, writable=True),
    callback=_require_folder, help="Write the result as JUnit XML to this file.",
)  # fmt: skip

_VERSIONS = (
    click.option(
        "--xen", metavar="SUITE", envvar="XENLAB_XEN",
        help="The Debian suite that Xen and its toolstack come from; the topology's otherwise.",
    ),
    click.option(
        "--dom0-kernel", metavar="K", envvar="XENLAB_DOM0_KERNEL",
        help="The kernel of dom0: a name, TREE[@REF] or IMAGE:MODULES; with `+` and a patch, a"
        " series or a configuration it is built (`sid+my.patch`).",
    ),
    click.option(
        "--domu-kernel", metavar="[DOMU=]K", multiple=True, envvar="XENLAB_DOMU_KERNEL",
        help="The kernel of all domUs, or of one; may be given several times.",
    ),
)  # fmt: skip
_BRING_UP = (
    click.option(
        "--accel", type=click.Choice(["auto", "kvm", "tcg"]), envvar="XENLAB_ACCEL",
        help="How to run the machine.  [default: as in the topology, else auto]",
    ),
    click.option(
        "--netback", metavar="D", envvar="XENLAB_NETBACK",
        help="dom0's driver: `stock`, a patch, a folder of patches, a shipped series (several with"
        " `+` between them), or a `.ko`.",
    ),
    click.option(
        "--netfront", metavar="[DOMU=]D", multiple=True, envvar="XENLAB_NETFRONT",
        help="The driver of all domUs, or of one; may be given several times.",
    ),
    click.option("--cold", is_flag=True, help="Boot, and neither use nor make a checkpoint."),
    offline,
    click.option(
        "--connect", "connect_uri", metavar="URI", default="", envvar="XENLAB_CONNECT",
        help="Use the libvirtd at this URI in place of a private one.",
    ),
    checkpoint_limit(),
)  # fmt: skip


def bring_up_options(command: Command) -> Command:
    """The options of every command that may bring a lab up."""
    return _add(_VERSIONS, any_versions_options(command))


def any_versions_options(command: Command) -> Command:
    """The same without Xen and kernels, for a command that has its own words for those."""
    return _add(_BRING_UP, command)


def _add(added: Sequence[Callable[[Command], Command]], command: Command) -> Command:
    for option in reversed(added):
        command = option(command)
    return command
