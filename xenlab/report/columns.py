"""Columns: a table for terminals and pipes alike, each column as wide as its widest cell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from xenlab.report.plain_text import strip_escapes


def render_columns(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """One line a row below the head; nothing at all without rows."""
    lines = [[strip_escapes(cell) for cell in row] for row in (head, *rows)]
    if len(lines) == 1:
        return
    widths = [max(len(cell) for cell in column) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield "  ".join(cells).rstrip()
