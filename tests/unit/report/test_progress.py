"""A pipe gets one plain line a phase, a terminal a live view that leaves the same lines."""

from __future__ import annotations

import io
import re

import pytest

from xenlab.report.progress import Progress, open_progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def go_through(progress: Progress) -> None:
    """Two phases, the second of which fails."""
    progress.begin("images")
    progress.detail("fetching \x1b[2J12 packages")
    progress.end("images", 1.25)
    progress.begin("boot Xen and dom0")
    progress.close()


def test_pipe_gets_one_line_for_a_phase_that_is_over() -> None:
    stream = io.StringIO()
    go_through(open_progress(stream))

    assert stream.getvalue() == "         fetching 12 packages\n   1.2 s images\n"


def test_terminal_keeps_the_line_of_the_phase_that_is_over() -> None:
    stream = Terminal()
    go_through(open_progress(stream))

    assert re.search(r"1\.2 s.*images", stream.getvalue())
    assert "\x1b[2J" not in stream.getvalue()


def test_no_colour_is_used_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    go_through(open_progress(stream))

    assert re.findall(r"\x1b\[[0-9;]*3[0-9]m", stream.getvalue()) == []


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_warning_stays_whole_and_tame(kind: type[io.StringIO]) -> None:
    stream = kind()
    progress = open_progress(stream)
    progress.begin("images")
    progress.warn("no checkpoint: " + "/a/long/path" * 20 + " \x1b[2Jis full")
    progress.end("images", 1.0)
    progress.close()

    said = stream.getvalue().replace("\n", "")
    assert "warning: " in re.sub(r"\x1b\[[0-9;]*m", "", said)
    assert "/a/long/path" * 20 + " is full" in said
    assert "\x1b[2J" not in said
