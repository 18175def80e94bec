"""The table of what packets over a wire cost, as a page and a terminal show it."""

from __future__ import annotations

from xenlab.measure.bounces import BounceTable
from xenlab.report.bar_table import BarTable, Column, build_lines


def view_bounces(table: BounceTable) -> BarTable:
    """The table with its bars."""
    cells = table.cells
    columns = (
        Column(head="bounces of 1000", values=[cell.per_thousand for cell in cells]),
        Column(head="grant maps a packet", values=[cell.maps_a_packet for cell in cells]),
        Column(head="dom0's CPU, us a packet", values=[cell.busy_us_a_packet for cell in cells]),
        Column(head="bounces", values=[cell.bounces for cell in cells]),
        Column(head="bytes bounced", values=[cell.bounced_bytes for cell in cells]),
        Column(head="packets", values=[cell.packets for cell in cells], gain=True),
    )
    return BarTable(
        title="Over the wire",
        subject=table.subject,
        what="packets",
        heads=tuple(column.head for column in columns),
        lines=build_lines([(f"{c.source} -> {c.sink}", c.setting) for c in cells], columns),
    )
