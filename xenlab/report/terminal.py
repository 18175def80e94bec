"""Verdicts for a person: a table on a terminal, a plain line a row in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TextIO

from xenlab.report.rows import Row, build_rows
from xenlab.report.window import open_console
from xenlab.verdict.outcome import Outcome, combine
from xenlab.verdict.verdict import Verdict

STYLES = {
    Outcome.PASS: "green",
    Outcome.FAIL: "red",
    Outcome.CRASH: "bold red",
    Outcome.INCONCLUSIVE: "yellow",
    Outcome.LAB_ERROR: "magenta",
    Outcome.SKIP: "dim",
}


def print_verdicts(verdicts: Iterable[Verdict], stream: TextIO) -> None:
    """Write all verdicts and the one that they make together; NO_COLOR is honoured by rich."""
    verdicts = tuple(verdicts)
    if stream.isatty():
        _print_table(build_rows(verdicts), stream)
        stream.write(f"{_summary(verdicts)}\n")
        return
    stream.writelines(f"{line}\n" for line in render_lines(verdicts))


def render_lines(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """Plain lines: outcome, subject and rules of each row, its findings below, the summary last."""
    verdicts = tuple(verdicts)
    for row in build_rows(verdicts):
        yield f"{row.label:<12} {row.subject}: {', '.join(row.rules)}"
        yield from (f"    {finding}" for finding in row.findings)
    yield _summary(verdicts)


def _summary(verdicts: tuple[Verdict, ...]) -> str:
    """How many of each outcome, and the one outcome of all."""
    counts = dict.fromkeys(Outcome, 0)
    for verdict in verdicts:
        counts[verdict.outcome] += 1
    parts = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
    outcome = combine(verdict.outcome for verdict in verdicts)
    return f"{outcome}: {parts or 'no verdicts'}"


def _print_table(rows: tuple[Row, ...], stream: TextIO) -> None:
    # Late, for rich takes longer to import than most commands take to run.
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("verdict", "subject", "rules and findings"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        said = "\n".join((", ".join(row.rules), *row.findings))
        table.add_row(Text(row.label, style=STYLES[row.outcome]), Text(row.subject), Text(said))
    open_console(stream).print(table)
