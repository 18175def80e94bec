"""The slot chart: one bar a slot count, split by what became of the packets, limits marked."""

from __future__ import annotations

import math
from collections import defaultdict

from xenlab.measure.slot_histogram import SlotHistogram
from xenlab.report.drawing import Drawing
from xenlab.report.wording import group_digits
from xenlab.slots.fate import Fate

WIDTH_PX = 960
LEFT = 16
CHART_PX = 150
MARK_ROW_PX = 15
# The least span: every limit of stock drivers has its place, whatever was sent.
SPAN_SLOTS = 24
# Where a bar a hundred times smaller than another must be seen, its height is the logarithm.
LINEAR_MAX_RATIO = 50


def draw_histogram(histogram: SlotHistogram) -> str:
    """The chart of one histogram, as an SVG element."""
    bars = _bars(histogram)
    drawing = Drawing(WIDTH_PX, f"{histogram.subject}: packets by ring slots", "slots")
    span = max(SPAN_SLOTS, *bars, *(mark.ring_slots for mark in histogram.marks)) + 1
    step = (WIDTH_PX - 2 * LEFT) / span
    top = MARK_ROW_PX * len(histogram.marks) + 26
    base = top + CHART_PX
    totals = {slots: sum(fates.values()) for slots, fates in bars.items()}
    logarithmic = is_logarithmic(histogram)
    most = max(totals.values(), default=1)
    _draw_marks(drawing, histogram, step, base)
    for slots, fates in bars.items():
        x = LEFT + step * (slots - 0.5)
        height = CHART_PX * _height(totals[slots], most, logarithmic=logarithmic)
        y: float = base
        for fate, packets in fates.items():
            part = height * packets / totals[slots]
            y -= part
            drawing.rect(x + step * 0.1, y, (step * 0.8, part), f"fate-{fate}")
        drawing.text(x + step / 2, y - 4, group_digits(totals[slots]), "count")
    drawing.line((LEFT, base), (WIDTH_PX - LEFT, base), "axis")
    every = 1 if span <= SPAN_SLOTS + 4 else 2
    for slots in range(1, span, every):
        drawing.text(LEFT + step * slots, base + 15, str(slots), "tick")
    drawing.text(WIDTH_PX - LEFT, base + 32, "ring slots of one packet", "role", "end")
    if logarithmic:
        drawing.text(LEFT, base + 32, "heights are logarithmic", "role", "start")
    return drawing.render(base + 40)


def is_logarithmic(histogram: SlotHistogram) -> bool:
    """Whether the heights must be logarithms for the smallest bar to be seen."""
    totals = [sum(fates.values()) for fates in _bars(histogram).values()]
    return bool(totals) and max(totals) > LINEAR_MAX_RATIO * min(totals)


def _bars(histogram: SlotHistogram) -> dict[int, dict[Fate, int]]:
    bars: dict[int, dict[Fate, int]] = defaultdict(dict)
    for count in histogram.counts:
        bars[count.ring_slots][count.fate] = count.packets
    return dict(bars)


def _height(packets: int, most: int, *, logarithmic: bool) -> float:
    """As a share of the highest bar."""
    if logarithmic:
        return math.log1p(packets) / math.log1p(most)
    return packets / most


def _draw_marks(drawing: Drawing, histogram: SlotHistogram, step: float, base: float) -> None:
    """A line in front of each slot count from which on things are different, words in its row.

    The words lie on the side where there is room, in such rows that they cross no other's line.
    """
    places = [LEFT + step * (mark.ring_slots - 0.5) for mark in histogram.marks]
    rightwards = all(x < WIDTH_PX / 2 for x in places)
    for row, (mark, x) in enumerate(zip(histogram.marks, places, strict=True)):
        y = MARK_ROW_PX * (row + 1 if rightwards else len(places) - row)
        drawing.line((x, y - 10), (x, base), "mark")
        words, shift_px = f"{mark.ring_slots}: {mark.meaning}", 4 if rightwards else -4
        drawing.text(x + shift_px, y, words, "limit", "start" if rightwards else "end")
