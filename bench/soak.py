"""`make soak`: cold boots and restores in a row; each must come up, and nothing may stay behind."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import click

from bench.programs import ProgramFailed
from bench.workspace import Workspace, open_workspace

COLD_BOOTS, RESTORES = 20, 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One up and down of `pair`: how long the up took, and all that was wrong with it."""

    what: str
    up_s: float
    problems: tuple[str, ...]

    @property
    def line(self) -> str:
        """What is printed of it."""
        verdict = "; ".join(self.problems) if self.problems else "ok"
        return f"{self.what}: {self.up_s:.1f} s, {verdict}"


def run_cycle(
    workspace: Workspace, what: str, options: tuple[str, ...], known: frozenset[str]
) -> Cycle:
    """Up, down, and a look at what is there that was not in `known` before.

    The private libvirtd goes with its lab, so a domain left behind is a process left behind.
    """
    problems: list[str] = []
    up = workspace.xenlab("up", "pair", "--lab", workspace.lab, *options)
    if up.status != 0:
        problems.append(f"up returned {up.status}: {up.tail}")
    try:
        workspace.down()
    except ProgramFailed as error:
        problems.append(str(error))
    problems += workspace.find_processes()
    problems += sorted(workspace.find_files() - known)
    return Cycle(what=what, up_s=up.elapsed_s, problems=tuple(problems))


def run_cycles(workspace: Workspace, *, cold_boots: int, restores: int) -> Iterator[Cycle]:
    """All cold boots, one up that leaves a checkpoint, then all restores."""
    before = workspace.find_files()
    for number in range(cold_boots):
        yield run_cycle(workspace, f"cold boot {number + 1}", ("--cold",), before)
    yield run_cycle(workspace, "checkpoint", (), before)
    for number in range(restores):
        yield run_cycle(workspace, f"restore {number + 1}", (), before)


@click.command()
@click.option("--cold-boots", default=COLD_BOOTS, show_default=True, type=click.IntRange(min=0))
@click.option("--restores", default=RESTORES, show_default=True, type=click.IntRange(min=0))
def main(cold_boots: int, restores: int) -> None:
    """Exit 1 unless every cycle came up, raised no alarm and left nothing behind."""
    total = failed = 0
    with open_workspace() as workspace:
        for cycle in run_cycles(workspace, cold_boots=cold_boots, restores=restores):
            click.echo(cycle.line)
            total += 1
            failed += bool(cycle.problems)
    click.echo(f"{total - failed} of {total} came up and left nothing behind")
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
