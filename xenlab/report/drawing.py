"""Drawing: an inline SVG picture of few shapes; colours are classes, which the page defines."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from xenlab.report.wording import clean


class Drawing:
    """Coordinates are in px of the picture's own width; texts are cleaned of what guests say."""

    def __init__(self, width_px: float, title: str, kind: str) -> None:
        self._width_px = width_px
        self._root = ET.Element("svg", {"class": f"picture {kind}", "role": "img"})
        ET.SubElement(self._root, "title").text = clean(title)

    def text(self, x: float, y: float, words: str, kind: str = "", anchor: str = "middle") -> None:
        """Words on one line; `anchor` is start, middle or end."""
        element = self._add("text", kind, x=x, y=y)
        element.set("text-anchor", anchor)
        element.text = clean(words)

    def rect(self, x: float, y: float, size_px: tuple[float, float], kind: str) -> ET.Element:
        """A rectangle of this width and height."""
        width, height = size_px
        return self._add("rect", kind, x=x, y=y, width=width, height=height)

    def round_rect(self, x: float, y: float, size_px: tuple[float, float], kind: str) -> None:
        """A rectangle with round corners."""
        self.rect(x, y, size_px, kind).set("rx", "8")

    def line(self, start: tuple[float, float], end: tuple[float, float], kind: str) -> None:
        """A straight line."""
        self._add("line", kind, x1=start[0], y1=start[1], x2=end[0], y2=end[1])

    def path(self, commands: str, kind: str, hint: str = "") -> None:
        """A shape by path commands; `hint` is shown where the mouse rests on it."""
        element = self._add("path", kind)
        element.set("d", commands)
        if hint:
            ET.SubElement(element, "title").text = clean(hint)

    def render(self, height_px: float) -> str:
        """The element; its height is known when all is drawn."""
        self._root.set("viewBox", f"0 0 {_px(self._width_px)} {_px(height_px)}")
        ET.indent(self._root)
        return ET.tostring(self._root, encoding="unicode")

    def _add(self, tag: str, kind: str, **places_px: float) -> ET.Element:
        attributes = {name: _px(place) for name, place in places_px.items()}
        return ET.SubElement(self._root, tag, ({"class": kind} if kind else {}) | attributes)


def ribbon(left: tuple[float, float, float], right: tuple[float, float, float]) -> str:
    """Path commands of a band between two vertical edges, each given as x, top and bottom."""
    (x0, top0, bottom0), (x1, top1, bottom1) = left, right
    middle = (x0 + x1) / 2
    upper = f"M{_px(x0)} {_px(top0)}C{_px(middle)} {_px(top0)} {_px(middle)} {_px(top1)}"
    lower = f"L{_px(x1)} {_px(bottom1)}C{_px(middle)} {_px(bottom1)} {_px(middle)} {_px(bottom0)}"
    return f"{upper} {_px(x1)} {_px(top1)}{lower} {_px(x0)} {_px(bottom0)}Z"


def drain(start: tuple[float, float], width_px: float, bottom: float) -> str:
    """Path commands of a band that bends down out of another and ends at `bottom`.

    `start` is its upper left corner, where it still runs with the other band.
    """
    x, y = start
    inner = 10.0
    outer = inner + width_px
    right = x + inner + width_px
    return (
        f"M{_px(x)} {_px(y)}"
        f"Q{_px(right)} {_px(y)} {_px(right)} {_px(y + outer)}"
        f"L{_px(right)} {_px(bottom)}L{_px(x + inner)} {_px(bottom)}"
        f"L{_px(x + inner)} {_px(y + outer)}Q{_px(x + inner)} {_px(y + width_px)}"
        f" {_px(x)} {_px(y + width_px)}Z"
    )


def _px(value: float) -> str:
    """Short, and the same on every machine."""
    return f"{value:.1f}".removesuffix(".0")
