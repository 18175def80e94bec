"""Settings: defaults of options from the project's `xenlab.toml` and the user's own.

A table holds a command's options, `[up]` or `[images.build]`; what stands above all tables holds
for every command. The command line and the environment (`XENLAB_*`) come before both files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from xenlab.errors import InputError

FILE = "xenlab.toml"


def settings_files() -> Iterator[Path]:
    """The files that are there: the user's, then the one of the project we stand in."""
    import platformdirs

    project = (folder / FILE for folder in (Path.cwd(), *Path.cwd().parents))
    nearest = next((path for path in project if path.is_file()), None)
    user = platformdirs.user_config_path("xenlab") / FILE
    return (path for path in (user, nearest) if path is not None and path.is_file())


def read_settings(group: click.Group, ctx: click.Context) -> dict[str, Any] | None:
    """Click's default map; None where no file is. Raises InputError with every unknown key."""
    merged: dict[str, Any] | None = None
    for path in settings_files():
        tables = _parse(path)
        options = _options_by_command(group, ctx)
        problems = list(_find_problems(tables, options))
        if problems:
            raise InputError(*(f"{path}:1:1: {problem}" for problem in problems))
        merged = _merge(merged or {}, _spread(tables, options))
    return merged


def _parse(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}:1:1: {error}") from error


Options = Mapping[tuple[str, ...], Mapping[str, str]]


def _options_by_command(group: click.Group, ctx: click.Context) -> Options:
    """For each command its options: the long name, as it is typed, and click's own."""
    found: dict[tuple[str, ...], Mapping[str, str]] = {}
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            inner = _options_by_command(command, ctx)
            found |= {(name, *path): options for path, options in inner.items()}
        elif command is not None:
            found[name,] = {
                max(parameter.opts, key=len).lstrip("-"): str(parameter.name)
                for parameter in command.params
                if isinstance(parameter, click.Option)
            }
    return found


def _find_problems(
    tables: Mapping[str, Any], options: Options, path: tuple[str, ...] = ()
) -> Iterator[str]:
    from xenlab.topology.wording import did_you_mean, quote

    commands = {known[len(path)] for known in options if known[: len(path)] == path != known}
    valid = options.get(path) or {name for names in options.values() for name in names}
    for key, value in tables.items():
        if isinstance(value, dict):
            if key in commands:
                yield from _find_problems(value, options, (*path, key))
            else:
                yield f"no command {quote(' '.join((*path, key)))}{did_you_mean(key, commands)}"
        elif key not in valid:
            where = f"`{' '.join(path)}` has" if path else "no command has"
            no = " no" if path else ""
            yield f"{where}{no} option {quote(key)}{did_you_mean(key, valid)}"


def _spread(tables: Mapping[str, Any], options: Options) -> dict[str, Any]:
    """Click's nesting: what stands above all tables is laid under each command that has it."""
    common = {key: value for key, value in tables.items() if not isinstance(value, dict)}
    spread: dict[str, Any] = {}
    for path, names in options.items():
        table: Any = tables
        place = spread
        for part in path:
            table = table.get(part, {})
            place = place.setdefault(part, {})
        chosen = {key: value for key, value in (common | table).items() if key in names}
        place.update({names[key]: value for key, value in chosen.items()})
    return spread


def _merge(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """Both maps; where they differ the upper one's value."""
    merged = dict(lower)
    for key, value in upper.items():
        inner = merged.get(key)
        both = isinstance(inner, dict) and isinstance(value, dict)
        merged[key] = _merge(inner, value) if isinstance(inner, dict) and both else value
    return merged
