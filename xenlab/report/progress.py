"""Progress of a long command: a live view on a terminal, one plain line a phase in a pipe."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TextIO

from xenlab.report.plain_text import strip_escapes

if TYPE_CHECKING:
    from rich.live import Live
    from rich.text import Text


class Progress(Protocol):
    """What a command tells of its phases; `close` before anything else is printed."""

    def begin(self, phase: str) -> None:
        """A phase starts."""
        ...

    def detail(self, text: str) -> None:
        """Something worth seeing inside the phase."""
        ...

    def warn(self, text: str) -> None:
        """Something that is not as it should be; it stays on the screen."""
        ...

    def end(self, phase: str, elapsed_s: float) -> None:
        """A phase is over."""
        ...

    def close(self) -> None:
        """No more phases; what is on the screen stays."""
        ...


def open_progress(stream: TextIO) -> Progress:
    """The view that fits the stream."""
    return LiveProgress(stream=stream) if stream.isatty() else PlainProgress(stream=stream)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainProgress:
    """One line a phase, when it is over; a phase that fails is named by the failure."""

    stream: TextIO

    def begin(self, phase: str) -> None:
        """Say nothing yet."""

    def detail(self, text: str) -> None:
        """One line below the phase that it belongs to."""
        self._write(f"         {text}")

    def warn(self, text: str) -> None:
        """A line of its own."""
        self._write(f"warning: {text}")

    def end(self, phase: str, elapsed_s: float) -> None:
        """The phase's line."""
        self._write(f"{elapsed_s:6.1f} s {phase}")

    def close(self) -> None:
        """Say nothing more."""

    def _write(self, line: str) -> None:
        self.stream.write(strip_escapes(line) + "\n")
        self.stream.flush()


@dataclass(slots=True, kw_only=True)
class LiveProgress:
    """The phases that are over, and below them the one at work with its clock ticking."""

    stream: TextIO
    _live: Live | None = None
    _phase: str = ""
    _detail: str = ""
    _started_s: float = field(default=0.0)

    def begin(self, phase: str) -> None:
        """Show the phase with its clock."""
        self._phase, self._detail, self._started_s = phase, "", time.monotonic()
        if self._live is None:
            # Late, for rich takes longer to import than most commands take to run.
            from rich.console import Console  # noqa: PLC0415
            from rich.live import Live  # noqa: PLC0415

            self._live = Live(
                get_renderable=self._render, console=Console(file=self.stream),
                refresh_per_second=10, transient=True,
            )  # fmt: skip
            self._live.start()

    def detail(self, text: str) -> None:
        """Show what the phase does just now."""
        self._detail = strip_escapes(text)

    def warn(self, text: str) -> None:
        """Leave the warning above the live line, as long as it is."""
        if self._live is not None:
            self._live.console.print(_warning(strip_escapes(text)))

    def end(self, phase: str, elapsed_s: float) -> None:
        """Leave the phase's line above the live one."""
        if self._live is not None:
            self._phase = ""
            self._live.console.print(_line(phase, elapsed_s, "green"))

    def close(self) -> None:
        """Take the live line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _render(self) -> Text:
        if not self._phase:
            return _line("", None, "")
        text = f"{self._phase}: {self._detail}" if self._detail else self._phase
        return _line(text, time.monotonic() - self._started_s, "cyan")


def _line(text: str, elapsed_s: float | None, style: str) -> Text:
    from rich.text import Text  # noqa: PLC0415

    if elapsed_s is None:
        return Text("")
    return Text.assemble((f"{elapsed_s:6.1f} s ", style), text, no_wrap=True, overflow="ellipsis")


def _warning(text: str) -> Text:
    from rich.text import Text  # noqa: PLC0415

    return Text.assemble(("warning: ", "yellow"), text, overflow="fold")
