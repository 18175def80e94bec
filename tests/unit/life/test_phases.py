"""Phases are told as they happen, and the one that failed stays the current one."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from xenlab.errors import LabError
from xenlab.life.phases import Phases


@dataclass
class Notes:
    """A watcher that writes down what it is told."""

    said: list[str] = field(default_factory=list)

    def begin(self, phase: str) -> None:
        self.said.append(f"begin {phase}")

    def detail(self, text: str) -> None:
        self.said.append(text)

    def warn(self, text: str) -> None:
        self.said.append(text)

    def end(self, phase: str, elapsed_s: float) -> None:
        assert elapsed_s >= 0
        self.said.append(f"end {phase}")


def test_phase_is_told_at_its_begin_and_end_and_timed() -> None:
    notes = Notes()
    phases = Phases(watcher=notes)
    with phases.run("images"):
        assert notes.said == ["begin images"]
    with phases.run("ping"):
        pass
    assert notes.said == ["begin images", "end images", "begin ping", "end ping"]
    assert list(phases.elapsed_s) == ["images", "ping"]


def test_phase_that_fails_stays_current_and_has_no_end() -> None:
    notes = Notes()
    phases = Phases(watcher=notes)
    with pytest.raises(LabError), phases.run("ping"):
        raise LabError("no answer")
    assert phases.current == "ping"
    assert notes.said == ["begin ping"]
    assert phases.elapsed_s == {}
