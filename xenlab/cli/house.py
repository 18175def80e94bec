"""`xenlab gc` and `doctor`: keep this host in order."""

from __future__ import annotations

import click

from xenlab.cli import options
from xenlab.cli.output import echo_lines, render_document


@click.command(short_help="Remove leftovers of dead processes; limit the cache.")
@options.checkpoint_limit("--limit")
@click.option("--dry-run", is_flag=True, help="Show what would go; touch nothing.")
@options.json_flag
def gc(checkpoint_limit_bytes: int, dry_run: bool, as_json: bool) -> None:
    """Remove leftovers of dead processes, and limit what checkpoints, images and results take."""
    from xenlab.life.housekeeping import clean_up, find_waste

    removed = []
    find = find_waste if dry_run else clean_up
    for one in find(checkpoint_limit_bytes):
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


@click.command(short_help="Say what this host can do, and how to mend it.")
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
