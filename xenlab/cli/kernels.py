"""`xenlab kernel`: build, list, show and prune kernels."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from xenlab.cli import options
from xenlab.cli.output import echo_lines, render_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from xenlab.images.inventory import Inventory
    from xenlab.life.kernel_store import KernelShown

HOUSEKEEPING_TIMEOUT_S = 600.0

topology_option = click.option(
    "--topology", metavar="TOPOLOGY", default="", help="Whose kernels are meant by their names."
)


@click.group()
def kernel() -> None:
    """Build, list, show and prune kernels."""


@kernel.command(short_help="Build or fetch a kernel.")
@click.argument("word", metavar="K")
@topology_option
@options.offline
@options.json_flag
def build(word: str, topology: str, offline: bool, as_json: bool) -> None:
    """Build or fetch a kernel, unless it is there.

    K is a kernel's name, TREE[@REF] or IMAGE:MODULES. With `+` and a patch, a folder of patches, a
    series or a configuration (`sid+my.patch+debug`) it is built here; `sid+base` is the small
    kernel with nothing on it.
    """
    _show(word, topology, offline=offline, as_json=as_json)


@kernel.command(short_help="Say what a kernel is and what it can be.")
@click.argument("word", metavar="K")
@topology_option
@options.json_flag
def show(word: str, topology: str, as_json: bool) -> None:
    """Say what a kernel is, where it lies, and which parts of a lab it can play.

    Nothing is fetched; a kernel that is not there yet is built.
    """
    _show(word, topology, offline=True, as_json=as_json)


@kernel.command(name="list")
@options.json_flag
def list_(as_json: bool) -> None:
    """List the kernels in the cache."""
    from xenlab.life.kernel_store import list_kernels
    from xenlab.report.columns import render_columns

    rows, documents = [], []
    for one in list_kernels(_inventory()):
        facts = dict(one.entry.facts) if one.entry else {}
        size_mb = one.entry.size_bytes / 1e6 if one.entry else 0.0
        kind, _, key = one.path.name.rpartition("-")
        label = one.damage or facts.get("label", "")
        rows.append((kind, facts.get("release", ""), f"{size_mb:.0f} MB", key[:12], label))
        documents.append({"name": one.path.name, "damage": one.damage or None, "facts": facts})
    if as_json:
        click.echo(render_document({"kernels": documents}), nl=False)
    elif rows:
        echo_lines(render_columns(("KIND", "RELEASE", "SIZE", "KEY", "WHAT"), rows))
    else:
        click.echo("no kernel is there")


@kernel.command()
@click.option("--all", "everything", is_flag=True, help="Remove all kernels and work trees.")
def prune(everything: bool) -> None:
    """Remove kernels and work trees that were not used for two weeks."""
    removed = _inventory().prune_kernels(everything=everything)
    for name, size_bytes in removed.items():
        click.echo(f"{size_bytes / 1e6:7.1f} MB  {name}")
    click.echo(f"{sum(removed.values()) / 1e6:7.1f} MB  freed")


def _show(word: str, topology: str, *, offline: bool, as_json: bool) -> None:
    from xenlab.life.kernel_store import provide_kernel
    from xenlab.report.progress import open_progress
    from xenlab.topology.defaults import TOPOLOGY

    progress = open_progress(sys.stderr)
    progress.begin(f"kernel {word}")
    try:
        shown = provide_kernel(
            word, topology or TOPOLOGY,
            report=progress.detail, warn=progress.warn, offline=offline,
        )  # fmt: skip
    finally:
        progress.close()
    if as_json:
        click.echo(render_document({"kernel": _as_json(shown)}), nl=False)
    else:
        echo_lines(_render(shown))


def _render(shown: KernelShown) -> Iterator[str]:
    yield f"kernel    {shown.label}"
    yield f"release   {shown.release}"
    yield f"build id  {shown.build_id}"
    yield f"vmlinux   {shown.vmlinux}"
    yield f"config    {shown.config}"
    for part, obstacles in shown.obstacles.items():
        yield f"{part:<9} {'; '.join(obstacles) or 'yes'}"


def _as_json(shown: KernelShown) -> dict[str, object]:
    return {
        "label": shown.label,
        "release": shown.release,
        "build_id": shown.build_id,
        "vmlinux": str(shown.vmlinux),
        "config": str(shown.config),
        "obstacles": {part: list(why) for part, why in shown.obstacles.items()},
    }


def _inventory() -> Inventory:
    from xenlab.images.inventory import Inventory
    from xenlab.registry.places import cache_dir
    from xenlab.waiting import Deadline

    return Inventory(cache=cache_dir(), deadline=Deadline.after(HOUSEKEEPING_TIMEOUT_S))
