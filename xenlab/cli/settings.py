"""Settings: defaults of options from the project's `xenlab.toml` and the user's own.

A table holds a command's options, `[up]` or `[images.build]`; what stands above all tables holds
for every command. The command line and the environment (`XENLAB_*`) come before both files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from xenlab.cli.environment import walk_commands
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
        text, tables = _read(path)
        options = _options_by_command(group, ctx)
        problems = list(_find_problems(tables, options))
        if problems:
            from xenlab.cli.toml_place import find_place

            raise InputError(
                *(f"{path}:{find_place(text, keys)}: {problem}" for keys, problem in problems)
            )
        merged = _merge(merged or {}, _spread(tables, options))
    return merged


def find_setting(command: tuple[str, ...], key: str) -> str:
    """`file:line:column` of what sets an option of a command, which something does."""
    from xenlab.cli.toml_place import find_place

    for path in reversed(tuple(settings_files())):
        text, tables = _read(path)
        for keys in ((*command, key), (key,)):
            table: Any = tables
            for word in keys[:-1]:
                table = table.get(word, {})
            if key in table:
                return f"{path}:{find_place(text, keys)}"
    raise AssertionError(f"nothing sets {key}")


def name_key(option: click.Option) -> str:
    """An option's key in the files: its long name, as it is typed."""
    return max(option.opts, key=len).lstrip("-")


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """A file's text, and what it says."""
    import tomllib

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InputError(f"{path}:1:1: {error}") from error
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        from xenlab.cli.toml_place import describe_error

        raise InputError(f"{path}:{describe_error(text, error)}") from error


Options = Mapping[tuple[str, ...], Mapping[str, str]]


def _options_by_command(group: click.Group, ctx: click.Context) -> Options:
    """For each command its options: the long name, as it is typed, and click's own."""
    return {
        path: {
            name_key(parameter): str(parameter.name)
            for parameter in command.params
            if isinstance(parameter, click.Option)
        }
        for path, command in walk_commands(group, ctx)
    }


def _find_problems(
    tables: Mapping[str, Any], options: Options, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each key that means nothing, by its path, and why."""
    from xenlab.topology.wording import did_you_mean, quote

    commands = {known[len(path)] for known in options if known[: len(path)] == path != known}
    valid = options.get(path) or {name for names in options.values() for name in names}
    for key, value in tables.items():
        if isinstance(value, dict):
            if key in commands:
                yield from _find_problems(value, options, (*path, key))
            else:
                words = quote(" ".join((*path, key)))
                yield (*path, key), f"no command {words}{did_you_mean(key, commands)}"
        elif key not in valid:
            where = f"`{' '.join(path)}` has" if path else "no command has"
            no = " no" if path else ""
            hint = did_you_mean(key, valid)
            yield (*path, key), f"{where}{no} option {quote(key)}{hint}"


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
