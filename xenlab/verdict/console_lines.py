"""LineAssembler: raw console bytes in any pieces become lines, each with the one who wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

# Longer than any line of Linux or Xen (PRINTK_MESSAGE_MAX is 2048); what floods us is cut there.
LINE_MAX_BYTES = 8192

_LINE_END = re.compile(rb"[\r\n]+")
# CSI, OSC (ended by BEL or ST) and two-byte escapes, ECMA-48; then what is left of control bytes.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\-_=>]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_XEN = "(XEN) "
# Date, seconds or a raw TSC (xen/drivers/char/console.c, printk_start_of_line); `[VT-D]` is none.
_XEN_STAMP = re.compile(r"^\[[ 0-9a-f.:-]{1,40}\] ?")
# [   12.345678] with printk.time, then the caller with PRINTK_CALLER.
_PRINTK = re.compile(r"(?:<\d+>)?\[ *(\d+\.\d{6})\](?:\[ *[TC]\d+\])? ?")


class Writer(StrEnum):
    """Who wrote a line; only the first two are believed when they speak of a crash."""

    KERNEL = "kernel"
    XEN = "xen"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleLine:
    """One line without its prefix; `stamp` is the kernel's own time, as it was printed."""

    writer: Writer
    text: str
    stamp: str = ""


class LineAssembler:
    """Turns chunks into lines; keeps at most one unfinished line, and what Xen has interrupted."""

    def __init__(self) -> None:
        self._rest = b""
        self._interrupted = ""

    def feed(self, chunk: bytes) -> Iterator[ConsoleLine]:
        """The lines that this chunk completes."""
        *lines, self._rest = _LINE_END.split(self._rest + chunk)
        if len(self._rest) > LINE_MAX_BYTES:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            yield from self._split_writers(_clean(line))

    def finish(self) -> Iterator[ConsoleLine]:
        """What is left when the console has ended without an end of line."""
        rest, self._rest = self._rest, b""
        yield from self._split_writers(_clean(rest))
        interrupted, self._interrupted = self._interrupted, ""
        yield from _split_kernel(interrupted)

    def _split_writers(self, line: str) -> Iterator[ConsoleLine]:
        """Xen breaks into a line of dom0 and ends its own: the rest of dom0's comes after it."""
        before, xen, after = line.partition(_XEN)
        if xen:
            self._interrupted += before
            yield ConsoleLine(writer=Writer.XEN, text=_XEN_STAMP.sub("", after))
            return
        line = self._interrupted + line
        self._interrupted = ""
        yield from _split_kernel(line)


def _clean(line: bytes) -> str:
    """Text of a line: bad UTF-8 replaced, terminal escapes and control characters gone."""
    return _ESCAPES.sub("", line.decode(errors="replace"))


def _split_kernel(line: str) -> Iterator[ConsoleLine]:
    """A printk may begin anywhere: behind a prompt, or behind another one that was cut off."""
    starts = list(_PRINTK.finditer(line))
    other = line[: starts[0].start()] if starts else line
    if other.strip():
        yield ConsoleLine(writer=Writer.OTHER, text=other)
    ends = [match.start() for match in starts] + [len(line)]
    for match, end in zip(starts, ends[1:], strict=True):
        yield ConsoleLine(writer=Writer.KERNEL, stamp=match[1], text=line[match.end() : end])
