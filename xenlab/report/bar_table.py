"""BarTable: what was compared, a line each, every number with its bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xenlab.report.wording import group_digits

THOUSAND = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number; `bar_percent` is its share of the largest in its column."""

    text: str
    bar_percent: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BarLine:
    """One of those that are compared; `setting` is what makes it what it is."""

    name: str
    setting: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BarTable:
    """A table under its `title`; the first column's head is `what`."""

    title: str
    subject: str
    what: str
    heads: tuple[str, ...]
    lines: tuple[BarLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """Numbers, from the first line to the last; a gain is better when larger, a cost smaller."""

    head: str
    values: Sequence[float | None]
    gain: bool = False


def build_lines(names: Sequence[tuple[str, str]], columns: Sequence[Column]) -> tuple[BarLine, ...]:
    """A line for each name and setting. Raises ValueError where a column has another length."""
    cells = [_cells(column) for column in columns]
    return tuple(
        BarLine(name=name, setting=setting, cells=line)
        for (name, setting), line in zip(names, zip(*cells, strict=True), strict=True)
    )


def _cells(column: Column) -> list[Cell]:
    most = max((each or 0.0 for each in column.values), default=0.0)
    return [
        Cell(
            text=_say(value),
            bar_percent=round(100 * value / most) if value and most else 0,
            kind="gain" if column.gain else "cost",
        )
        for value in column.values
    ]


def _say(value: float | None) -> str:
    if value is None:
        return "-"
    whole = isinstance(value, int) or value >= THOUSAND
    return group_digits(round(value)) if whole else f"{value:.3g}"
