"""Phases: what a long command is doing, with elapsed time, for whoever watches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol


class Watcher(Protocol):
    """Shows phases as they happen: a live view, plain lines, or nothing."""

    def begin(self, phase: str) -> None:
        """A phase starts."""
        ...

    def detail(self, text: str) -> None:
        """Something worth seeing inside the phase."""
        ...

    def warn(self, text: str) -> None:
        """Something that is not as it should be; what was asked for goes on all the same."""
        ...

    def end(self, phase: str, elapsed_s: float) -> None:
        """A phase is over; not called for one that failed."""
        ...


@dataclass(slots=True, kw_only=True)
class Phases:
    """The phases of one command so far, each with its seconds."""

    watcher: Watcher
    elapsed_s: dict[str, float] = field(default_factory=dict)
    current: str = ""

    def has_begun(self, phase: str) -> bool:
        """Whether a phase is over, or is what we are at or failed in."""
        return phase == self.current or phase in self.elapsed_s

    @contextmanager
    def run(self, phase: str) -> Iterator[None]:
        """Do a phase; its name stays `current` when it fails, so that the error can tell it."""
        started_s = time.monotonic()
        self.current = phase
        self.watcher.begin(phase)
        yield
        self.elapsed_s[phase] = time.monotonic() - started_s
        self.watcher.end(phase, self.elapsed_s[phase])
