"""`xenlab validate` and `xenlab topologies`: check topology files, list the ready ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from xenlab.cli import options
from xenlab.cli.output import echo_lines, render_document
from xenlab.errors import InputError
from xenlab.report.columns import render_columns
from xenlab.topology.defaults import TOPOLOGY
from xenlab.topology.wording import escape

if TYPE_CHECKING:
    from xenlab.plan.model import LabPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A topology by the name or path that was given: its plan, or what is wrong with it."""

    given: str
    description: str
    plan: LabPlan | None
    problems: tuple[str, ...]

    @property
    def domus(self) -> list[str]:
        """The names of its domUs."""
        return [domu.name for domu in self.plan.domus] if self.plan else []

    @property
    def networks(self) -> list[str]:
        """The names of its networks."""
        return [network.name for network in self.plan.networks] if self.plan else []

    def as_json(self, key: str) -> dict[str, object]:
        """The entry of JSON output; `key` is what the given word is called there."""
        return {
            key: self.given,
            "valid": not self.problems,
            "description": self.description,
            "domus": self.domus,
            "networks": self.networks,
            "memory_mib": self.plan.machine.memory_mib if self.plan else None,
            "problems": list(self.problems),
        }


@click.command(short_help="Check topology files.")
@click.argument("files", metavar="FILE...", nargs=-1)
@options.json_flag
@click.option("--schema", is_flag=True, help="Print the JSON Schema of topology files instead.")
def validate(files: tuple[str, ...], as_json: bool, schema: bool) -> None:
    """Check topology files (or names) and show every error at once."""
    from xenlab.topology.loading import render_schema

    if schema:
        click.echo(render_schema())
        return
    if not files:
        raise click.UsageError("name a topology file, or ask for --schema")
    checked = [_check(file) for file in files]
    if as_json:
        _echo_json("files", [one.as_json("file") for one in checked])
    else:
        _echo_table(
            ("", "FILE", "DOMUS", "NETWORKS", "MEMORY"),
            [
                (
                    "OK",
                    one.given,
                    ", ".join(one.domus),
                    ", ".join(one.networks),
                    f"{one.plan.machine.memory_mib} MiB",
                )
                for one in checked
                if one.plan
            ],
        )
    problems = [problem for one in checked for problem in one.problems]
    if problems:
        raise InputError(*problems)


@click.command(short_help="List the topologies that have a name.")
@options.json_flag
def topologies(as_json: bool) -> None:
    """List the topologies that have a name: xenlab's, the user's and the project's."""
    from xenlab.topology.library import topology_paths

    checked = [_check(name) for name in topology_paths()]
    if as_json:
        entries = [{**one.as_json("name"), "default": one.given == TOPOLOGY} for one in checked]
        _echo_json("topologies", entries)
        return
    _echo_table(
        ("NAME", "DESCRIPTION", "DOMUS", "NETWORKS"),
        [
            (
                f"{one.given} (default)" if one.given == TOPOLOGY else one.given,
                one.description if one.plan else f"broken, see: xenlab validate {one.given}",
                ", ".join(one.domus),
                ", ".join(one.networks),
            )
            for one in checked
        ],
    )


def _check(given: str) -> Checked:
    from xenlab.plan.planner import plan_lab
    from xenlab.topology.loading import load_topology

    try:
        topology = load_topology(given)
        plan = plan_lab(topology)
    except InputError as error:
        return Checked(given=given, description="", plan=None, problems=error.problems)
    return Checked(given=given, description=topology.description, plan=plan, problems=())


def _echo_json(key: str, entries: Sequence[dict[str, object]]) -> None:
    click.echo(render_document({key: entries}), nl=False)


def _echo_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    # A topology may come from anywhere: what is not plain ASCII in it is shown as escapes.
    echo_lines(render_columns(head, ([escape(cell) for cell in row] for row in rows)))
