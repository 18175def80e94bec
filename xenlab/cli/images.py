"""`xenlab images`: build, list, verify and prune the images, Xen and kernels that labs boot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from xenlab.cli import options
from xenlab.cli.output import render_document

if TYPE_CHECKING:
    from xenlab.images.inventory import Inventory, Listed
    from xenlab.plan.model import LabPlan

BUILD_TIMEOUT_S = 3600.0
HOUSEKEEPING_TIMEOUT_S = 600.0


@click.group()
def images() -> None:
    """Build, list, verify and prune what labs boot."""


@images.command(short_help="Build what a topology boots.")
@click.argument("topology", default="")
@click.option("--suite", help="Take Xen and all kernels from this Debian suite.")
@click.option("--refresh", is_flag=True, help="Ask the archives for newer packages.")
@options.offline
@options.json_flag
def build(topology: str, suite: str | None, refresh: bool, offline: bool, as_json: bool) -> None:
    """Build what a topology boots, or the default topology, unless it is there."""
    from xenlab.images.lab_images import provide_images
    from xenlab.registry.places import cache_dir
    from xenlab.waiting import Deadline

    built = provide_images(
        _plan(topology, suite),
        cache_dir(),
        report=_report,
        offline=offline,
        refresh=refresh,
        deadline=Deadline.after(BUILD_TIMEOUT_S),
    )
    kernels = {built.dom0_kernel, *built.domu_kernels.values()}
    releases = sorted(kernel.release for kernel in kernels)
    if as_json:
        _echo_json({"digest": built.digest, "xen": str(built.xen), "kernels": releases})
    else:
        click.echo(f"ready: Xen, root images, Linux {', '.join(releases)}")


@images.command(name="list")
@options.json_flag
def list_images(as_json: bool) -> None:
    """List what the cache holds."""
    listed = list(_inventory().entries())
    if as_json:
        _echo_json({"images": [_as_json(one) for one in listed]})
        return
    for one in listed:
        size_mb = one.entry.size_bytes / 1e6 if one.entry else 0.0
        kind, _, key = one.path.name.rpartition("-")
        age = _render_age(one)
        facts = _facts(one).get("release") or _facts(one).get("version") or ""
        click.echo(
            f"{kind:<13}  {size_mb:7.1f} MB  {age:>9}  {key}  {one.damage or facts}".rstrip()
        )


@images.command()
def verify() -> None:
    """Read every byte in the store; set what is damaged aside as `.bad`."""
    from xenlab.errors import ChecksumMismatch

    damages = _inventory().verify()
    if damages:
        raise ChecksumMismatch("\n".join(damages), phase="verify", try_next="xenlab images build")
    click.echo("every image is what it was when it was built")


@images.command()
@click.option("--all", "everything", is_flag=True, help="Remove all images and packages.")
def prune(everything: bool) -> None:
    """Remove what is damaged, left over, or was not used for two weeks."""
    removed = _inventory().prune(everything=everything)
    for name, size_bytes in removed.items():
        click.echo(f"{size_bytes / 1e6:7.1f} MB  {name}")
    click.echo(f"{sum(removed.values()) / 1e6:7.1f} MB  freed")


def _plan(topology: str, suite: str | None) -> LabPlan:
    from xenlab.plan.planner import plan_lab
    from xenlab.topology.defaults import TOPOLOGY
    from xenlab.topology.loading import load_topology

    plan = plan_lab(load_topology(topology or TOPOLOGY))
    if suite is None:
        return plan
    kernels = tuple(
        replace(kernel, origin=replace(kernel.origin, suite=suite)) for kernel in plan.kernels
    )
    return replace(plan, xen=replace(plan.xen, suite=suite), kernels=kernels)


def _inventory() -> Inventory:
    from xenlab.images.inventory import Inventory
    from xenlab.registry.places import cache_dir
    from xenlab.waiting import Deadline

    return Inventory(cache=cache_dir(), deadline=Deadline.after(HOUSEKEEPING_TIMEOUT_S))


def _report(line: str) -> None:
    click.echo(f"images: {line}", err=True)


def _facts(listed: Listed) -> dict[str, str]:
    return dict(listed.entry.facts) if listed.entry else {}


def _render_age(listed: Listed) -> str:
    from datetime import UTC, datetime

    if listed.entry is None:
        return "damaged"
    age = datetime.now(UTC) - datetime.fromisoformat(listed.entry.created)
    hours, seconds = divmod(int(age.total_seconds()), 3600)
    return f"{age.days} days" if age.days else f"{hours}:{seconds // 60:02} h"


def _as_json(listed: Listed) -> dict[str, object]:
    entry = listed.entry
    return {
        "name": listed.path.name,
        "damage": listed.damage or None,
        "created": entry.created if entry else None,
        "used": listed.used.isoformat(timespec="seconds"),
        "size_bytes": entry.size_bytes if entry else None,
        "facts": _facts(listed),
        "sha256": dict(entry.sha256) if entry else {},
    }


def _echo_json(document: dict[str, object]) -> None:
    click.echo(render_document(document), nl=False)
