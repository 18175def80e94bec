"""Layouts from a file, a layout a line as `xenlab slots` words it; `#` begins a comment."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from xenlab.errors import InputError, MeasurementError
from xenlab.slots.frontend import TCP
from xenlab.slots.layout import ETHERNET_HEADER_BYTES, Checksum, Layout, parse_layout
from xenlab.topology.wording import escape
from xenlab.traffic.composer.wire import LENGTH_MAX_BYTES
from xenlab.verdict.layouts import LAYOUTS_FILE

COMMENT = "#"
# A segment of fewer payload bytes is known by half a mark (struct xlc_mark).
GSO_MIN_BYTES = 16
PROBLEMS_MAX = 50

_QUOTED = re.compile("`([^`]+)`")


def read_layout_file(file: str) -> tuple[Layout, ...]:
    """The layouts of a file, all of which the composer can send.

    InputError with everything that is wrong in it, `file:line:col` each.
    """
    try:
        text = Path(file).read_text(encoding="utf-8")
    except FileNotFoundError as refusal:
        raise InputError(
            f"--layout-file `{escape(file)}`: no such file (a run in which layouts disagree"
            f" has them in its folder, in {LAYOUTS_FILE})"
        ) from refusal
    except (OSError, UnicodeDecodeError) as refusal:
        why = getattr(refusal, "strerror", None) or "is no text in UTF-8"
        raise InputError(f"--layout-file `{escape(file)}`: {why}") from refusal
    layouts: list[Layout] = []
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition(COMMENT)[0]
        if words.strip():
            try:
                layouts.append(_parse_sendable(words))
            except InputError as error:
                problems += (
                    f"{file}:{number}:{_find_column(words, problem)}: {problem}"
                    for problem in error.problems
                )
    if problems:
        more = len(problems) - PROBLEMS_MAX
        rest = [f"{file}: and {more} more problems"] if more > 0 else []
        raise InputError(*problems[:PROBLEMS_MAX], *rest, try_next="xenlab slots --help")
    if not layouts:
        raise InputError(f"{file}:1:1: no layout in it", try_next="xenlab slots --help")
    return tuple(layouts)


def require_frags(layouts: Sequence[Layout], node: str, max_frags: int) -> None:
    """Nothing, or MeasurementError where a node's kernel has no skb for one of them."""
    over = [layout for layout in layouts if len(layout.frags) > max_frags]
    if over:
        raise MeasurementError(
            f"{node}: MAX_SKB_FRAGS is {max_frags}, and {len(over)} layouts have more frags,"
            f" the first `{over[0]}`"
        )


def _parse_sendable(words: str) -> Layout:
    layout = parse_layout(words)
    if problems := tuple(_unsendable(layout)):
        raise InputError(*problems)
    return layout


def _unsendable(layout: Layout) -> Iterator[str]:
    """What of a layout the composer's module refuses (check_record(), xlcompose/batch.c)."""
    linear = f"`lin={layout.linear_bytes}@{layout.linear_offset_bytes}`"
    least_bytes = layout.protocol.header_bytes
    if layout.linear_bytes < ETHERNET_HEADER_BYTES:
        yield f"{linear}: the composer needs {ETHERNET_HEADER_BYTES} linear bytes or more"
    if not least_bytes <= layout.length_bytes <= LENGTH_MAX_BYTES:
        yield (
            f"{linear}: the packet has {layout.length_bytes} bytes; the composer sends"
            f" {least_bytes} to {LENGTH_MAX_BYTES} of {layout.protocol}"
        )
    if not layout.gso_size_bytes:
        return
    gso = f"`gso={layout.gso_size_bytes}`"
    if layout.protocol not in TCP:
        yield f"{gso}: the composer has GSO for TCP only; put `proto=tcp4` or `proto=tcp6` there"
    if layout.checksum is not Checksum.PARTIAL:
        yield f"{gso}: goes with `csum=partial` only"
    if layout.gso_size_bytes < GSO_MIN_BYTES:
        yield f"{gso}: the composer's least segment size is {GSO_MIN_BYTES}"


def _find_column(words: str, problem: str) -> int:
    """Where the word begins that a problem quotes; else where the layout does. From 1 on."""
    for quoted in _QUOTED.findall(problem):
        word = quoted.removesuffix("...")
        if (found := escape(words).find(word)) >= 0:
            return found + 1
    return len(words) - len(words.lstrip()) + 1
