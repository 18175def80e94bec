"""The table of slots that netback joined, as a page and a terminal show it."""

from __future__ import annotations

from xenlab.measure.joining import JoinTable
from xenlab.report.bar_table import BarTable, Column, build_lines


def view_joining(table: JoinTable) -> BarTable:
    """The table with its bars."""
    cells = table.cells
    columns = (
        Column(
            head="joined of adjoining slots", values=[c.joined_of_adjoining for c in cells],
            gain=True,
        ),
        Column(head="bounces a joined slot", values=[cell.bounces_a_join for cell in cells]),
        Column(head="bytes bounced", values=[cell.bounced_bytes for cell in cells]),
        Column(head="dom0's CPU, us a packet", values=[cell.busy_us_a_packet for cell in cells]),
        Column(head="slots joined", values=[cell.slots_joined for cell in cells], gain=True),
        Column(head="packets", values=[cell.packets for cell in cells], gain=True),
    )  # fmt: skip
    return BarTable(
        title="Slots joined by netback",
        subject=table.subject,
        what="packets",
        heads=tuple(column.head for column in columns),
        lines=build_lines([(f"{c.source} -> {c.sink}", c.setting) for c in cells], columns),
    )
