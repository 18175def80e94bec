"""StrategyView: the strategy table as a page shows it, each number with its bar."""

from __future__ import annotations

from dataclasses import dataclass

from xenlab.measure.strategy import THOUSAND, StrategyRow, StrategyTable
from xenlab.report.wording import group_digits

HEADS = (
    "goodput, times default",
    "goodput, Mbit/s",
    "CPU, ns a byte",
    "linearised of 1000",
    "relocated of 1000",
    "bytes copied of each",
    "frag_list of 1000",
    "drops",
)
MEGA = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One number; `bar_percent` is its share of the largest in its column."""

    text: str
    bar_percent: int
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyLine:
    """One strategy."""

    name: str
    setting: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StrategyView:
    """One table."""

    subject: str
    heads: tuple[str, ...]
    lines: tuple[StrategyLine, ...]


def view_strategies(table: StrategyTable) -> StrategyView:
    """The table with its bars."""
    numbers = [_numbers(table, row) for row in table.rows]
    most = [max((each or 0.0) for each in column) for column in zip(*numbers, strict=True)]
    return StrategyView(
        subject=table.subject,
        heads=HEADS,
        lines=tuple(
            StrategyLine(name=row.name, setting=row.setting, cells=_cells(values, most))
            for row, values in zip(table.rows, numbers, strict=True)
        ),
    )


def _numbers(table: StrategyTable, row: StrategyRow) -> tuple[float | None, ...]:
    return (
        table.throughput_ratio(row), row.goodput_bps / MEGA, row.cpu_ns_per_byte,
        row.linearised_per_thousand, row.relocated_per_thousand, row.bytes_a_relocated_packet,
        row.frag_list_per_thousand, row.drops_pkts,
    )  # fmt: skip


def _cells(values: tuple[float | None, ...], most: list[float]) -> tuple[Cell, ...]:
    # The first two are better when larger, the others when smaller.
    kinds = ("gain", "gain", *("cost",) * (len(HEADS) - 2))
    return tuple(
        Cell(text=_say(value), bar_percent=_percent(value, largest), kind=kind)
        for value, largest, kind in zip(values, most, kinds, strict=True)
    )


def _percent(value: float | None, largest: float) -> int:
    return round(100 * value / largest) if value and largest else 0


def _say(value: float | None) -> str:
    if value is None:
        return "-"
    whole = isinstance(value, int) or value >= THOUSAND
    return group_digits(round(value)) if whole else f"{value:.3g}"
