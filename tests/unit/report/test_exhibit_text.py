"""Exhibits in plain lines and on a terminal."""

from __future__ import annotations

import io
import re

from tests.unit.report.stored import bounces, calm_flow, histogram, strategies
from xenlab.measure.slot_histogram import build_histogram
from xenlab.report.exhibit_text import LINES_MAX, print_exhibits, render_histograms
from xenlab.report.wording import group_digits
from xenlab.slots.fate import Fate
from xenlab.slots.limits import STOCK


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(*exhibits: object, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    print_exhibits(exhibits, stream)  # type: ignore[arg-type]
    return stream.getvalue()


def test_histogram_is_one_line_with_what_became_of_its_packets() -> None:
    packets = {
        (1, Fate.INTACT): 900, (18, Fate.INTACT): 100, (19, Fate.OVERFLOW): 1200, (20, Fate.LOST): 3
    }  # fmt: skip

    (line,) = render_histograms([build_histogram("alice\x1b[2J -> bob", packets, STOCK)])

    assert line == (
        f"slots  alice -> bob: 1 to 18 {Fate.INTACT} 1000, 19 {Fate.OVERFLOW} 1200,"
        f" 20 {Fate.LOST} 3"
    )


def test_many_histograms_are_cut_short() -> None:
    lines = list(render_histograms([histogram()] * (LINES_MAX + 5)))

    assert len(lines) == LINES_MAX + 1
    assert lines[-1] == "slots  [... 5 more in the report]"


def test_flows_are_for_the_report() -> None:
    assert printed(calm_flow()) == ""


def test_strategies_are_a_table_in_a_pipe_and_on_a_terminal() -> None:
    table = strategies()
    names = [row.name for row in table.rows]

    for text in (printed(table), printed(table, stream=Terminal())):
        assert table.subject in text
        assert all(name.split()[0] in text for name in names)
        assert "1" in text


def test_bounces_are_a_table_with_a_line_for_each_cell() -> None:
    text = printed(bounces())

    first, *lines = text.strip().splitlines()
    rows = [re.split(r" {2,}", line.strip()) for line in lines]
    setting = "scattered dom0, with compound pages"
    assert first == "iommu none, dom0 pv"
    assert rows[0][:3] == ["packets", "setting", "bounces of 1000"]
    assert rows[0][3:5] == ["grant maps a packet", "dom0's CPU, us a packet"]
    assert rows[0][5:] == ["bounces", "bytes bounced", "packets"]
    numbers = (320008, 1000)
    assert rows[1] == [
        "dom0 -> peer", setting, "221", "1.25", "20", "221", *map(group_digits, numbers)
    ]  # fmt: skip
    assert rows[3] == ["alice -> peer", setting, "-", "-", "-", "0", "0", "0"]
