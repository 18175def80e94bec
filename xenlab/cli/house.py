"""`xenlab gc` and `doctor`: keep this host in order."""

from __future__ import annotations

import re

import click

from xenlab.cli import options
from xenlab.cli.output import echo_lines, render_document

UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", re.IGNORECASE)


def _parse_size(_ctx: click.Context, _option: click.Parameter, text: str) -> int:
    """Bytes from an amount such as `5GiB`, `500M` or `0`; units are powers of 1024."""
    found = SIZE.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is no size such as 5GiB, 500M or 0")
    return int(float(found[1]) * UNITS[found[2].upper()])


@click.command()
@click.option(
    "--limit",
    "limit_bytes",
    metavar="SIZE",
    default="5GiB",
    show_default=True,
    callback=_parse_size,
    help="What the checkpoints may take; the least recently used ones go first.",
)
@click.option("--dry-run", is_flag=True, help="Show what would go; touch nothing.")
@options.json_flag
def gc(limit_bytes: int, dry_run: bool, as_json: bool) -> None:
    """Sweep what dead owners left, and bound what checkpoints, images and results take."""
    from xenlab.life.housekeeping import clean_up, find_waste

    removed = []
    for one in find_waste(limit_bytes) if dry_run else clean_up(limit_bytes):
        removed.append(one)
        if not as_json:
            click.echo(f"{one.size_bytes / 1e6:8.1f} MB  {one.kind:<10}  {one.name}")
    if as_json:
        listed = [
            {"kind": one.kind, "name": one.name, "size_bytes": one.size_bytes} for one in removed
        ]
        click.echo(render_document({"dry_run": dry_run, "removed": listed}), nl=False)
    else:
        word = "to free" if dry_run else "freed"
        click.echo(f"{sum(one.size_bytes for one in removed) / 1e6:8.1f} MB  {word}")


@click.command()
@options.json_flag
def doctor(as_json: bool) -> int:
    """Say what this host can do, and which command mends what it cannot."""
    from xenlab.errors import Unavailable
    from xenlab.life.doctor import examine_host
    from xenlab.report.findings import Health, render_findings

    findings = tuple(examine_host())
    if as_json:
        checks = [
            {"name": one.name, "health": one.health, "what": one.what, "mend": one.mend or None}
            for one in findings
        ]
        click.echo(render_document({"checks": checks}), nl=False)
    else:
        echo_lines(render_findings(findings))
    failed = any(one.health is Health.FAIL for one in findings)
    return Unavailable.exit_code if failed else 0
