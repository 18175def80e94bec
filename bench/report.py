"""Report: the outcomes as one JSON document and as a table."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.table import Table

from bench.figures import Outcome, Standing
from bench.peers import Peers

SCHEMA_VERSION = 1
WHOLE_FROM = 10_000


def render_json(
    outcomes: Sequence[Outcome], peers: Peers | None, failures: Mapping[str, str]
) -> str:
    """The whole run, every sample kept; `peers` is null where they were not wanted.

    `failures` are the figures that could not be had, and why.
    """
    document = {
        "schema_version": SCHEMA_VERSION,
        "host": read_host(),
        "figures": [
            {
                "name": outcome.figure.name,
                "what": outcome.figure.what,
                "unit": outcome.figure.unit,
                "floor": outcome.figure.floor,
                "aim": outcome.figure.aim,
                "samples": outcome.samples,
                "median": outcome.median,
                "standing": outcome.standing,
                "virtme_ng": {phase.name: phase.elapsed_s for phase in outcome.virtme_ng},
                "phases": {phase.name: phase.elapsed_s for phase in outcome.phases},
            }
            for outcome in outcomes
        ],
        "not_measured": dict(failures),
        "peers": peers and {"bare_floor_s": peers.bare_floor_s, "virtme_ng_s": peers.virtme_ng_s},
    }
    return json.dumps(document, indent=2) + "\n"


def read_host() -> dict[str, str | int | float]:
    """What the times depend on: the machine, and how busy it was."""
    cpus = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = [line.partition(":")[2].strip() for line in cpus if line.startswith("model name")]
    return {
        "cpu": models[0] if models else platform.machine(),
        "cpus": os.cpu_count() or 0,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_average_1_min": os.getloadavg()[0],
    }


def render_table(outcomes: Sequence[Outcome], peers: Peers | None) -> Table:
    """One line a figure: its median, how it stands, and its ratio to both peers if they ran."""
    table = Table(title=f"Medians of {max(len(outcome.samples) for outcome in outcomes)}")
    for heading in ("figure", "median", "min..max", "floor", "aim", "", "x bare floor", "x vng"):
        table.add_column(heading, justify="left" if heading in {"figure", ""} else "right")
    for outcome in outcomes:
        table.add_row(*_figure_cells(outcome), *_ratio_cells(outcome, peers))
    if peers is None:
        return table
    for name, samples_s in (
        ("bare floor (QEMU by hand)", peers.bare_floor_s),
        ("virtme-ng, one plain VM", peers.virtme_ng_s),
    ):
        table.add_row(name, f"{statistics.median(samples_s):.2f} s", _range(samples_s))
    return table


def render_costs(outcomes: Sequence[Outcome]) -> str:
    """For each figure short of its aim, what costs the time; empty when there is none."""
    short = [outcome for outcome in outcomes if outcome.standing is not Standing.AIM]
    return "\n".join(
        f"{outcome.figure.what}: {outcome.standing}; {outcome.costs or 'no phases'}"
        for outcome in short
    )


def _figure_cells(outcome: Outcome) -> tuple[str, ...]:
    figure = outcome.figure
    return (
        figure.what,
        f"{_number(outcome.median)} {figure.unit}",
        _range(outcome.samples),
        f"{figure.floor:,.9g}",
        f"{figure.aim:,.9g}",
        str(outcome.standing),
    )


def _ratio_cells(outcome: Outcome, peers: Peers | None) -> tuple[str, ...]:
    if outcome.virtme_ng:
        return ("", f"{outcome.median / outcome.virtme_ng[0].elapsed_s:.2f}")
    if peers is None or outcome.figure.unit != "s":
        return ()
    medians_s = (peers.bare_floor_median_s, peers.virtme_ng_median_s)
    return tuple(f"{outcome.median / median_s:.2f}" for median_s in medians_s)


def _range(samples: Sequence[float]) -> str:
    return f"{_number(min(samples))}..{_number(max(samples))}"


def _number(value: float) -> str:
    """Two decimals, or none from ten thousand on: they would say nothing."""
    return f"{value:.2f}" if value < WHOLE_FROM else f"{value:,.0f}"
