"""The environment: an option is set by a variable that is made of its command and its long name."""

from __future__ import annotations

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


def _render(words: tuple[str, ...]) -> str:
    return "_".join((PREFIX, *words)).replace("-", "_").upper()
