"""Exhibits on the terminal: what is short enough to be read there; the report shows them all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TextIO

from xenlab.measure.slot_histogram import SlotHistogram
from xenlab.report.bar_table import BarTable
from xenlab.report.bar_tables import view_bar_table
from xenlab.report.columns import render_columns
from xenlab.report.exhibits import Exhibit
from xenlab.report.plain_text import strip_escapes
from xenlab.report.window import open_console

LINES_MAX = 20


def print_exhibits(exhibits: Iterable[Exhibit], stream: TextIO) -> None:
    """Tables, and a line for each slot histogram; a table has frames on a terminal."""
    exhibits = tuple(exhibits)
    histograms = [each for each in exhibits if isinstance(each, SlotHistogram)]
    stream.writelines(f"{line}\n" for line in render_histograms(histograms))
    for each in exhibits:
        if view := view_bar_table(each):
            stream.write(f"\n{strip_escapes(view.subject)}\n")
            if stream.isatty():
                _print_table(view, stream)
            else:
                stream.writelines(f"{line}\n" for line in render_columns(*_cells(view)))


def render_histograms(histograms: Iterable[SlotHistogram]) -> Iterator[str]:
    """Such as `slots  alice -> bob: 1 to 18 intact 144, 19 to 51 linearised 264`."""
    lines = [f"slots  {strip_escapes(each.subject)}: {_say(each)}" for each in histograms]
    yield from lines[:LINES_MAX]
    if len(lines) > LINES_MAX:
        yield f"slots  [... {len(lines) - LINES_MAX} more in the report]"


def _say(histogram: SlotHistogram) -> str:
    by_fate = sorted(histogram.counts, key=lambda count: (count.fate, count.ring_slots))
    said = []
    for fate, counts in groupby(by_fate, key=lambda count: count.fate):
        counted = tuple(counts)
        first, last = counted[0].ring_slots, counted[-1].ring_slots
        span = f"{first} to {last}" if last > first else str(first)
        packets = sum(count.packets for count in counted)
        said.append((first, f"{span} {fate} {packets}"))
    return ", ".join(text for _, text in sorted(said)) or "no packets"


def _cells(view: BarTable) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    rows = [(line.name, line.setting, *(cell.text for cell in line.cells)) for line in view.lines]
    return (view.what, "setting", *view.heads), rows


def _print_table(view: BarTable, stream: TextIO) -> None:
    # Late, for rich takes longer to import than most commands take to run.
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    head, rows = _cells(view)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in head:
        table.add_column(
            heading, overflow="fold", justify="right" if heading in view.heads else "left"
        )
    for row in rows:
        table.add_row(*(Text(strip_escapes(cell)) for cell in row))
    open_console(stream).print(table)
