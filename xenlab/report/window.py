"""The window that tables are made for: a terminal's own, or one in which no line is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

# Nothing wraps in a pipe: whoever reads it there wants a line to be a line.
PIPE_COLUMNS = 500


def open_console(stream: TextIO) -> Console:
    """A console of rich's on a stream; NO_COLOR is honoured by rich."""
    # Late, for rich takes longer to import than most commands take to run.
    from rich.console import Console  # noqa: PLC0415

    width = None if stream.isatty() else PIPE_COLUMNS
    return Console(file=stream, width=width, highlight=False)
