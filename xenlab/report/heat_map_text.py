"""The heat map on a terminal: colours of outcomes where it has them, plain columns in a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from xenlab.report.columns import render_columns
from xenlab.report.heat_map import HeatBlock, HeatCell, HeatMap
from xenlab.report.terminal import STYLES
from xenlab.report.window import open_console
from xenlab.verdict.outcome import Outcome


def print_heat_map(heat_map: HeatMap, stream: TextIO) -> None:
    """Write the map; NO_COLOR is honoured by rich."""
    if stream.isatty():
        _print_blocks(heat_map, stream)
        stream.writelines(f"{line}\n" for line in _render_story(heat_map))
        return
    stream.writelines(f"{line}\n" for line in render_heat_map(heat_map))


def render_heat_map(heat_map: HeatMap) -> Iterator[str]:
    """Plain lines: a table a block, the findings, the summary last."""
    for block in heat_map.blocks:
        yield block.title
        rows = [(line.name, *(cell.text for cell in line.cells)) for line in block.lines]
        yield from render_columns((block.corner, *block.heads), rows)
        yield ""
    yield from _render_story(heat_map)


def _render_story(heat_map: HeatMap) -> Iterator[str]:
    yield from heat_map.findings
    yield heat_map.summary


def _print_blocks(heat_map: HeatMap, stream: TextIO) -> None:
    # Late, for rich takes longer to import than most commands take to run.
    from rich.text import Text  # noqa: PLC0415

    console = open_console(stream)
    for block in heat_map.blocks:
        console.print(Text(block.title, style="bold"))
        console.print(_build_table(block))
        console.print()


def _build_table(block: HeatBlock) -> object:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in (block.corner, *block.heads):
        table.add_column(heading, overflow="fold")
    for line in block.lines:
        cells = (Text(f" {cell.text} ", style=_style(cell)) for cell in line.cells)
        table.add_row(Text(line.name), *cells)
    return table


def _style(cell: HeatCell) -> str:
    return f"{STYLES[Outcome(cell.outcome)]} reverse" if cell.outcome else ""
