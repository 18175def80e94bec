"""The environment: an option is set by a variable that is made of its command and its long name."""

from __future__ import annotations

import os
from collections.abc import Iterator

import click

PREFIX = "XENLAB"


def name_variables(command: click.Command, *path: str) -> None:
    """Give each option of a command, and of those below it, its variable unless it has one.

    `--from` of `xenlab up` is `XENLAB_UP_FROM`: click's own rule would take Python's name for it.
    """
    for option in command.params:
        if isinstance(option, click.Option) and option.envvar is None:
            option.envvar = _render((*path, max(option.opts, key=len).lstrip("-")))
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            name_variables(inner, *path, name)


def walk_commands(
    group: click.Group, ctx: click.Context
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command of a group, and of the groups in it, with the words that call it."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            for path, inner in walk_commands(command, ctx):
                yield (name, *path), inner
        elif command is not None:
            yield (name,), command


def find_unknown_variables(group: click.Group, ctx: click.Context) -> Iterator[str]:
    """What to say of each variable that looks like one of ours and that no option has."""
    start = f"{PREFIX}_"
    names = [name for name in sorted(os.environ) if name.startswith(start)]
    if not names:
        return
    known = {
        str(option.envvar).removeprefix(start)
        for _path, command in walk_commands(group, ctx)
        for option in command.params
        if isinstance(option, click.Option)
    }
    for name in names:
        word = name.removeprefix(start)
        if word not in known:
            import difflib

            close = difflib.get_close_matches(word, sorted(known), n=1)
            hint = f"; did you mean {start}{close[0]}?" if close else ""
            yield f"{name} sets no option{hint}"


def _render(words: tuple[str, ...]) -> str:
    return "_".join((PREFIX, *words)).replace("-", "_").upper()
