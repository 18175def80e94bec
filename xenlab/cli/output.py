"""What commands print, and how they name the next command to somebody who called them."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from xenlab.errors import XenlabError

STDOUT = "-"
ELSEWHERE = (ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP)


def echo_lines(lines: Iterable[str]) -> None:
    """Print lines on standard output."""
    for line in lines:
        click.echo(line)


def echo_failure(error: XenlabError) -> None:
    """Print a failure on standard error, with the next command as it has to be typed here."""
    from xenlab.report.failure import render_failure

    for line in render_failure(error, spell=spell):
        click.echo(line, err=True)


def render_document(document: Mapping[str, object], *, schema_version: int = 1) -> str:
    """A JSON document with its schema version first."""
    return json.dumps({"schema_version": schema_version, **document}, indent=2) + "\n"


def write_text(text: str, path: str | None) -> None:
    """Write to a file, whole or not at all, or to standard output; nothing without a path."""
    if path is None:
        return
    if path == STDOUT:
        click.echo(text, nl=False)
        return
    target = Path(path)
    if target.exists() and not target.is_file():  # /dev/stderr, a FIFO: there is nothing to replace
        target.write_text(text, encoding="utf-8")
        return
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def tell_swept(names: Iterable[str]) -> None:
    """Say which labs of dead owners are gone now."""
    for name in names:
        click.echo(f"swept lab {name}: its owner was gone", err=True)


def own_command() -> str:
    """The command line that called us, as it would be typed at a shell with xenlab on its path.

    With what the environment and `xenlab.toml` have set, for another host has neither.
    """
    context = click.get_current_context(silent=True)
    set_elsewhere = _words_set_elsewhere(context) if context else ()
    return shlex.join(["xenlab", *sys.argv[1:], *set_elsewhere])


def is_typed(name: str) -> bool:
    """Whether an option, by click's name for it, stands on the command line that is carried out.

    One that the environment or `xenlab.toml` sets may be for other commands, or for later ones.
    """
    context = click.get_current_context(silent=True)
    source = context.get_parameter_source(name) if context else None
    return source is ParameterSource.COMMANDLINE


def _words_set_elsewhere(context: click.Context) -> Iterator[str]:
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        value: Any = context.params.get(option.name or "")
        if not isinstance(option, click.Option) or source not in ELSEWHERE:
            continue
        if option.is_flag:
            names = option.opts if value else option.secondary_opts
            if names:
                yield max(names, key=len)
            continue
        for each in value if option.multiple else (value,):
            yield from (max(option.opts, key=len), str(each))


def spell(command: str) -> str:
    """A `xenlab` command as whoever called us would type it: through make, or by our path."""
    words = command.split()
    if words[:1] != ["xenlab"]:
        return command
    if "MAKELEVEL" in os.environ:
        options = next((at for at, word in enumerate(words) if word.startswith("-")), len(words))
        arguments = f' ARGS="{" ".join(words[options:])}"' if words[options:] else ""
        return f"make lab {' '.join(words[1:options])}{arguments}"
    called = Path(sys.argv[0])
    found = shutil.which(called.name)
    on_path = found is not None and Path(found).resolve() == called.resolve()
    plain = on_path or called.name != "xenlab"
    path = min(os.path.relpath(called), str(called), key=len)
    return command if plain else " ".join([path, *words[1:]])
