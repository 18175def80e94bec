"""The strategy table as a page and a terminal show it."""

from __future__ import annotations

from xenlab.measure.strategy import StrategyTable
from xenlab.report.bar_table import BarTable, Column, build_lines

MEGA = 1e6


def view_strategies(table: StrategyTable) -> BarTable:
    """The table with its bars."""
    rows = table.rows
    columns = (
        Column(
            head="goodput, times default",
            values=[table.throughput_ratio(row) for row in rows],
            gain=True,
        ),
        Column(head="goodput, Mbit/s", values=[row.goodput_bps / MEGA for row in rows], gain=True),
        Column(head="CPU, ns a byte", values=[row.cpu_ns_per_byte for row in rows]),
        Column(head="linearised of 1000", values=[row.linearised_per_thousand for row in rows]),
        Column(head="relocated of 1000", values=[row.relocated_per_thousand for row in rows]),
        Column(head="bytes copied of each", values=[row.bytes_a_relocated_packet for row in rows]),
        Column(head="frag_list of 1000", values=[row.frag_list_per_thousand for row in rows]),
        Column(head="drops", values=[row.drops_pkts for row in rows]),
    )
    return BarTable(
        title="Strategies",
        subject=table.subject,
        what="strategy",
        heads=tuple(column.head for column in columns),
        lines=build_lines([(row.name, row.setting) for row in rows], columns),
    )
