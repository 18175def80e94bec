"""`xenlab gc` and `doctor`: keep this host in order."""

from __future__ import annotations

import click


@click.command()
def gc() -> None:
    """Sweep what dead owners left, and bound what the cache takes."""


@click.command()
def doctor() -> int:
    """Say what this host can do, and which command mends what it cannot."""
    return 0
