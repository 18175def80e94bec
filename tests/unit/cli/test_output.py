"""The command that is told to somebody else: with what only this host has set."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from xenlab.cli.output import own_command


@click.command()
@click.option("--kernel", "-k", multiple=True)
@click.option("--cold/--warm")
@click.option("--full", is_flag=True)
@click.option("--limit", type=int, default=4)
def tell(**_given: object) -> None:
    """Print it, for CliRunner leaves sys.argv as it is."""
    click.echo(own_command())


@pytest.mark.parametrize(
    ("env", "added"),
    [
        ({}, ""),
        ({"X_LIMIT": "7"}, " --limit 7"),
        ({"X_COLD": "0", "X_FULL": "1"}, " --warm --full"),
        ({"X_KERNEL": "sid bookworm+base"}, " --kernel sid --kernel bookworm+base"),
    ],
)
def test_environment_and_settings_are_part_of_the_command(env: dict[str, str], added: str) -> None:
    runner = CliRunner(env=env)
    plain = runner.invoke(tell, auto_envvar_prefix="NOTHING").output.rstrip("\n")

    assert runner.invoke(tell, auto_envvar_prefix="X").output == f"{plain}{added}\n"
    by_file = runner.invoke(tell, default_map={"full": True}).output
    assert by_file == f"{plain} --full\n"


def test_what_was_typed_is_not_told_twice() -> None:
    runner = CliRunner(env={"X_LIMIT": "7"})

    typed = runner.invoke(tell, ["--limit", "5"], auto_envvar_prefix="X").output
    assert "--limit" not in typed
