"""Sources: where a value that its option does not take comes from, if it was not typed."""

from __future__ import annotations

import click
from click.core import ParameterSource

from xenlab.errors import InputError


def find_source(error: click.ClickException) -> InputError | None:
    """The same error with the variable, or the place in `xenlab.toml`, that the value is from."""
    if not isinstance(error, click.BadParameter) or error.ctx is None:
        return None
    option = error.param
    if not isinstance(option, click.Option):
        return None
    match error.ctx.get_parameter_source(option.name or ""):
        case ParameterSource.ENVIRONMENT:
            where = str(option.envvar)
        case ParameterSource.DEFAULT_MAP:
            from xenlab.cli.settings import find_setting, name_key

            key = name_key(option)
            where = f"{find_setting(tuple(error.ctx.command_path.split()[1:]), key)}: {key}"
        case _:
            return None
    return InputError(f"{where}: {error.message.rstrip('.')}")
