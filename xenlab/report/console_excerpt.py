"""ConsoleExcerpt: what of a console is worth a look, and where the whole of it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xenlab.report.plain_text import strip_escapes
from xenlab.report.stored_run import Console
from xenlab.report.wording import clean, group_digits, say_count, say_size
from xenlab.verdict.console_fault import ConsoleFault

LINE_CHARS = 240
TAIL_LINES = 120
FAULTS_SHOWN = 8
FAULT_LINES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultExcerpt:
    """One fault and the lines it was found in."""

    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleExcerpt:
    """`note` says what was left out, and where it is; `state` is `open` where a fault was seen."""

    title: str
    note: str
    faults: tuple[FaultExcerpt, ...]
    text: str
    state: str


def excerpt_console(console: Console, share: float, when: str = "") -> ConsoleExcerpt:
    """The faults and the last lines; `share` is how much of the usual number of lines.

    `when` says of what time it is, where it is not of the whole run.
    """
    lines = _lines(console.tail, cut=console.log_bytes > len(console.tail))
    kept = lines[-max(1, int(TAIL_LINES * share)) :]
    shown = console.faults[: max(1, int(FAULTS_SHOWN * share))]
    more = len(console.faults) - len(shown)
    left_out = f"; {say_count(more, 'more fault')} left out" if more else ""
    found = f", {say_count(len(console.faults), 'fault')}" if console.faults else ""
    return ConsoleExcerpt(
        title=f"{console.node}{f', {when}' if when else ''}: {say_size(console.log_bytes)}{found}",
        note=(
            f"The last {say_count(len(kept), 'line')} of {group_digits(console.log_bytes)} bytes"
            f"{left_out}. The whole: {console.path}"
        ),
        faults=tuple(_excerpt_fault(fault, share) for fault in shown),
        text=_join(kept),
        state="open" if console.faults else "",
    )


def _excerpt_fault(fault: ConsoleFault, share: float) -> FaultExcerpt:
    lines = fault.excerpt[: max(1, int(FAULT_LINES * share))]
    stamp = f"[{fault.stamp}] " if fault.stamp else ""
    return FaultExcerpt(title=f"{fault.category} in {fault.node}", text=stamp + _join(lines))


def _lines(tail: bytes, *, cut: bool) -> list[str]:
    """Whole lines: of a tail that was cut the first is none."""
    text = strip_escapes(tail.decode("utf-8", "replace").replace("\r\n", "\n"))
    lines = [line.rstrip() for line in text.split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    return lines[1:] if cut else lines


def _join(lines: Sequence[str]) -> str:
    return "\n".join(clean(line, LINE_CHARS) for line in lines)
